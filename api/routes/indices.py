"""The index: prints and how they came about, for everybody; committee values, by operators."""

import re
from contextlib import suppress
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from api import answers_indices as answers
from api.deps import Admin, JsonBody, Page, Query, QueryOf, Services, ServicesDep, count_public
from api.edge import json_response
from api.errors import Problem
from api.routes.public import stamped
from api.schemas_indices import IndexSaid
from exchange.io.errors import Invalid
from exchange.io.index_store import (
    DAY_FIRST,
    DAY_LAST,
    ID_MAX,
    VOTES,
    AlreadySaid,
    DayIsFinal,
    Index,
    Said,
)
from exchange.io.store import storable
from exchange.rules.contracts import SymbolError, parse_series
from exchange.rules.index.prints import cutoff_ns, print_document
from exchange.rules.money import DecimalError, usd_micros_of, usd_text
from exchange.rules.observations import PRICE_USD_MICROS_MAX
from exchange.rules.tenors import DAY

public = APIRouter(prefix="/indices", tags=["index"], dependencies=[Depends(count_public)])
admin = APIRouter(prefix="/admin/indices", tags=["admin"])

REASON_MAX: Final = 500
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class PrintsQuery(Page):
    """Days from `since` to `until`, both included."""

    since: str | None = None
    until: str | None = None


class DayQuery(Query):
    """A UTC day, the newest when it is not given."""

    day: str | None = None


def index_of(services: Services) -> Index:
    """Return the door to the published index."""
    if services.index is None:
        raise Problem("unavailable", "this process does not serve it")
    return services.index


def day_of(text: str, field: str) -> date:
    """Return a day of a request."""
    with suppress(ValueError):
        if _DAY.fullmatch(text) and DAY_FIRST <= (day := date.fromisoformat(text)) <= DAY_LAST:
            return day
    raise Problem("field_invalid", "a day as 2026-11-22", field=field)


def name_of(text: str) -> str:
    """Return the name of an index that there may be."""
    try:
        return parse_series(text).symbol
    except SymbolError as error:
        raise Problem("index_unknown", str(error)) from error


async def _any_printed(index: Index) -> None:
    """Refuse while the first prints of all are still to come.

    Errors:
        Problem: nothing is printed yet.
    """
    if not await index.latest():
        detail = (
            "no index is printed yet: the first prints take about a minute from the first start"
        )
        raise Problem("index_unknown", detail)


@public.get("", summary="The newest print of every index")
async def list_indices(services: ServicesDep) -> Response:
    """Return the newest print of every name, with the step of the fallback that gave it."""
    rows = await index_of(services).latest()
    found = {"indices": [answers.print_out(row) for row in rows]}
    return json_response(stamped(services, found))


@public.get("/errata", summary="Final prints that would be others now")
async def list_errata(
    services: ServicesDep, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return errata, newest first; a final print is never changed."""
    before, size = query.place(), query.size()
    rows = await index_of(services).errata(
        before=ID_MAX if before is None else before, limit=size + 1
    )
    cursor = str(rows[size - 1].erratum_id) if len(rows) > size else None
    found = [answers.erratum_out(row) for row in rows[:size]]
    return json_response(stamped(services, {"errata": found, "next_cursor": cursor}))


@public.get("/chain", summary="The chain of all prints, as it is hashed")
async def list_chain(
    services: ServicesDep, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return prints of all names behind a position, oldest first: each names all before it."""
    after, size = query.place() or 0, query.size()
    rows = await index_of(services).chain(after, size + 1)
    cursor = str(rows[size - 1].position) if len(rows) > size else None
    found = [print_document(row) for row in rows[:size]]
    return json_response(stamped(services, {"chain": found, "next_cursor": cursor}))


@public.get("/{name}/prints", summary="The history of an index")
async def list_prints(
    services: ServicesDep, name: str, query: Annotated[PrintsQuery, Depends(QueryOf(PrintsQuery))]
) -> Response:
    """Return the newest revision of each day, newest first."""
    first = DAY_FIRST if query.since is None else day_of(query.since, "since")
    before = DAY_LAST if query.until is None else day_of(query.until, "until") + DAY
    place, size = query.place(), query.size()
    if place is not None:
        if not DAY_FIRST.toordinal() <= place <= DAY_LAST.toordinal():
            raise Problem("cursor_invalid", "take next_cursor as it came", field="cursor")
        before = min(before, date.fromordinal(place))
    rows = await index_of(services).newest(
        name_of(name), first=first, before=before, limit=size + 1
    )
    if not rows and not await index_of(services).newest(name_of(name), limit=1):
        await _any_printed(index_of(services))
        raise Problem("index_unknown", "nothing was ever printed of this name")
    cursor = str(rows[size - 1].day.toordinal()) if len(rows) > size else None
    found = [answers.print_out(row) for row in rows[:size]]
    return json_response(stamped(services, {"prints": found, "next_cursor": cursor}))


@public.get("/{name}/explain", summary="How a print came about")
async def explain_print(
    services: ServicesDep, name: str, query: Annotated[DayQuery, Depends(QueryOf(DayQuery))]
) -> Response:
    """Return a day's revisions and every constituent with its weight."""
    index, known = index_of(services), name_of(name)
    if query.day is None:
        rows = await index.newest(known, limit=1)
        if not rows:
            await _any_printed(index)
            raise Problem("index_unknown", "nothing was ever printed of this name")
        day = rows[0].day
    else:
        day = day_of(query.day, "day")
    found = await index.explained(known, day)
    if found is None:
        await _any_printed(index)
        raise Problem("index_day_unknown", f"there is no print of {known} for {day}")
    return json_response(stamped(services, {"explained": answers.explained_out(found)}))


@admin.post("/{name}/committee", status_code=202, summary="Say what a print is without a quorum")
async def say_print(
    services: ServicesDep,
    who: Admin,
    name: str,
    body: Annotated[IndexSaid, Depends(JsonBody(IndexSaid))],
) -> Response:
    """Record a value and its reason; once two operators say the same before T+1 12:00, it stands.

    It becomes the print only if the day has no quorum.
    """
    day = day_of(body.day, "day")
    if cutoff_ns(day) > services.now_ns():
        raise Problem("field_invalid", "a day that is over", field="day")
    said = Said(
        name=name_of(name),
        day=day,
        price_usd_micros=_price(body.price),
        reason=_reason(body.reason),
        said_by=who.account_id,
    )
    try:
        count = await index_of(services).say(said)
    except DayIsFinal as error:
        raise Problem("index_day_final", str(error)) from error
    except AlreadySaid as error:
        raise Problem("index_already_said", str(error)) from error
    content = {
        "name": said.name,
        "day": day.isoformat(),
        "price": usd_text(said.price_usd_micros),
        "said_by_count": count,
        "stands": count >= VOTES,
    }
    return json_response(stamped(services, content), 202)


def _price(text: str) -> int:
    try:
        found = usd_micros_of(text)
    except DecimalError as error:
        raise Problem("field_invalid", str(error), field="price") from error
    if not 0 < found <= PRICE_USD_MICROS_MAX:
        raise Problem("field_invalid", "above 0, at most 100 USD", field="price")
    return found


def _reason(text: str) -> str:
    try:
        return storable(text, REASON_MAX, "reason")
    except Invalid as error:
        raise Problem("field_invalid", str(error), field="reason") from error
