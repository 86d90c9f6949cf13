"""The calendar of contracts, for machines: JSON, and iCalendar."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Depends, Response

from api.deps import Query, QueryOf, Services, ServicesDep, count_public
from api.edge import json_response
from api.errors import Problem
from api.routes.public import stamped
from exchange.rules.calendar import HOLIDAYS, SETTLEMENT_HOUR
from exchange.rules.catalogue import listed_contracts
from exchange.rules.contract_calendar import ContractCalendar, Moment, calendar_of
from exchange.rules.contracts import Contract, SymbolError, parse_series, parse_symbol
from exchange.rules.final_settlement import ACCRUAL_HOUR
from exchange.rules.ical import Entry, ical
from exchange.rules.tenors import DAY, NS_PER_DAY, Tenor, date_of, iso_text, ns_of

public = APIRouter(tags=["market data"], dependencies=[Depends(count_public)])
ICAL: Final = "text/calendar; charset=utf-8"
KEPT_MAX: Final = 1 << 13  # contracts: more than a node has slots for
TOGETHER: Final = 8  # worked out before others have their turn
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TENORS: Final = {tenor.value: tenor for tenor in Tenor}
EVENTS: Final = frozenset(
    ("listing", "efd_open", "efd_call", "last_trade", "cascade", "delivery_start", "delivery_end",
     "provisional", "final", "expiry", "archive")
)  # fmt: skip


@lru_cache(maxsize=4)
def listed_on(on: date) -> tuple[Contract, ...]:
    """Return what the catalogue of a day lists."""
    return tuple(listed_contracts(on))


@lru_cache(maxsize=KEPT_MAX)
def contract_named(symbol: str) -> Contract | None:
    """Return the contract of a symbol, None for one of another grammar."""
    try:
        return parse_symbol(symbol)
    except SymbolError:
        return None


class CalendarQuery(Query):
    """Which contracts: one symbol, a series, a tenor; with something to happen in some days.

    `from` and `to` are days, both included; `event` one kind of moment.
    """

    symbol: str | None = None
    series: str | None = None
    tenor: str | None = None
    event: str | None = None
    first: str | None = None
    last: str | None = None


def day_of(text: str, name: str) -> date:
    """Return the day of a parameter."""
    try:
        if not _DATE.fullmatch(text):
            raise ValueError(text)
        ns_of(found := date.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise Problem("query_invalid", "a day as in 2026-11-22", field=name) from error
    return found


class Kept(NamedTuple):
    """A contract's calendar, as it was worked out once: it never changes."""

    days: ContractCalendar
    moments: tuple[Moment, ...]
    row: dict[str, Any]


@lru_cache(maxsize=KEPT_MAX)
def kept(contract: Contract) -> Kept:
    """Return a contract's calendar (0.3 ms the first time)."""
    days = calendar_of(contract)
    return Kept(days, tuple(days.moments()), row(days))


async def all_kept(contracts: Iterable[Contract]) -> list[Kept]:
    """Return the calendars of contracts by symbol; who trades is not kept waiting meanwhile."""
    found = []
    for count, contract in enumerate(contracts):
        misses = kept.cache_info().misses
        found.append(kept(contract))
        if kept.cache_info().misses != misses and count % TOGETHER == 0:
            await asyncio.sleep(0)
    return sorted(found, key=lambda one: str(one.row["symbol"]))


def contracts_of(services: Services, query: CalendarQuery) -> list[Contract]:
    """Return the contracts asked for: one by its symbol, else all that are listed or to be."""
    if query.symbol is not None:
        try:
            return [parse_symbol(query.symbol)]
        except SymbolError as error:
            raise Problem("query_invalid", str(error), field="symbol") from error
    now_ns = services.now_ns()
    known = dict.fromkeys(listed_on(date_of(now_ns)))
    for listed in services.gateway.mirror.contracts:
        contract = None if listed.legs else contract_named(listed.symbol)
        if contract is not None:  # else it was listed by hand: it has no calendar
            known.setdefault(contract)
    if query.series is not None:
        try:
            series = parse_series(query.series)
        except SymbolError as error:
            raise Problem("query_invalid", str(error), field="series") from error
        known = dict.fromkeys(one for one in known if one.series == series)
    if query.tenor is not None:
        if query.tenor not in _TENORS:
            raise Problem("query_invalid", f"one of {', '.join(_TENORS)}", field="tenor")
        known = dict.fromkeys(one for one in known if one.period.tenor is _TENORS[query.tenor])
    return list(known)


async def chosen(
    services: Services, query: CalendarQuery
) -> AsyncIterator[tuple[Kept, list[Moment]]]:
    """Yield the contracts asked for, each with its moments that were asked for."""
    if query.event is not None and query.event not in EVENTS:
        raise Problem("query_invalid", f"one of {', '.join(sorted(EVENTS))}", field="event")
    first_ns = ns_of(day_of(query.first, "first")) if query.first else None
    last_ns = ns_of(day_of(query.last, "last")) + NS_PER_DAY if query.last else None
    now_ns = services.now_ns()
    for each in await all_kept(contracts_of(services, query)):
        if query.symbol is None and first_ns is None and each.days.archived_ns <= now_ns:
            continue
        moments = [
            one
            for one in each.moments
            if (first_ns is None or one.at_ns >= first_ns)
            and (last_ns is None or one.at_ns < last_ns)
            and query.event in (None, one.name)
        ]
        if moments:
            yield each, moments


def row(days: ContractCalendar) -> dict[str, Any]:
    """Return a contract's calendar as it is answered."""

    def text(ts_ns: int) -> str | None:
        return iso_text(ts_ns) if ts_ns else None

    period = days.contract.period
    return {
        "symbol": days.contract.symbol,
        "tenor": period.tenor.value,
        "listed": text(days.listed_ns),
        "last_trade": text(days.last_trade_ns),
        "ending": days.ending,
        "into": list(days.into),
        "delivery_start": text(days.delivery_start_ns),
        "delivery_end": text(days.delivery_end_ns),
        "accrual_first": text(days.accrual_first_ns),
        "accrual_last": text(days.accrual_last_ns),
        "accrual_days": 0 if days.into else (period.end - period.start) // DAY,
        "provisional": text(days.provisional_ns),
        "final": text(days.final_ns),
        "expires": text(days.expires_ns),
        "archived": text(days.archived_ns),
    }


Asked = Annotated[CalendarQuery, Depends(QueryOf(CalendarQuery))]


@public.get("/calendar", summary="When what happens to each contract")
async def get_calendar(services: ServicesDep, query: Asked) -> Response:
    """Return the calendar of contracts, by symbol; archived ones when they are asked for."""
    content = {
        "settlement_utc": f"{SETTLEMENT_HOUR:02d}:00",
        "accrual_utc": f"{ACCRUAL_HOUR:02d}:00",
        "holidays": [day.isoformat() for day in sorted(HOLIDAYS)],
        "contracts": [each.row async for each, _ in chosen(services, query)],
    }
    return json_response(stamped(services, content))


@public.get("/calendar.ics", include_in_schema=False)  # text, not JSON
async def get_calendar_file(services: ServicesDep, query: Asked) -> Response:
    """Return moments of contracts as iCalendar text (RFC 5545)."""
    entries = [
        Entry(
            f"{each.row['symbol']}-{one.name}@wellhead", one.at_ns,
            f"{each.row['symbol']}: {one.text}", one.name,
        )
        async for each, moments in chosen(services, query)
        for one in moments
    ]  # fmt: skip
    text = ical("Wellhead contracts", entries, services.now_ns())
    return Response(text, 200, media_type=ICAL)
