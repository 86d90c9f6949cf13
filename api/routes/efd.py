"""The exchange for delivery: sessions and results for anybody, sealed entries of members."""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response
from msgspec import UNSET

from api import codec, delivering
from api.answers_efd import entry_out, leg_out, session_out
from api.delivering import delivering_of
from api.deps import (
    Admin,
    JsonBody,
    Page,
    QueryOf,
    Reader,
    Services,
    ServicesDep,
    Transferrer,
    count_public,
)
from api.edge import json_response
from api.errors import Problem
from api.orders import contract_of
from api.routes.public import stamped
from api.schemas_efd import EfdEntryNew, EfdSessionNew
from exchange.io.efd import Listed
from exchange.rules.contracts import SymbolError, parse_symbol
from exchange.rules.delivery.deeds import Refused
from exchange.rules.delivery.exchange import (
    DIFFERENTIAL_TICKS_MAX,
    LOTS_MAX,
    NODE_LOTS,
    Entry,
    Session,
    has_session,
    session_id_of,
)
from exchange.rules.tenors import NS_PER_DAY, NS_PER_SECOND
from matching.codes import Side

public = APIRouter(tags=["delivery"], dependencies=[Depends(count_public)])
private = APIRouter(prefix="/efd", tags=["delivery"])
admin = APIRouter(prefix="/admin/efd", tags=["admin"])
ROUTERS: Final = (public, private, admin)

NS_PER_MS: Final = 1_000_000
SHOWN_NS: Final = 40 * NS_PER_DAY  # after its call a session is shown so long
OFFSET_MAX: Final = 1_000_000
_SESSION: Final = re.compile(r"[A-Z0-9.-]{1,32}_[0-9]{8}T[0-9]{4}", re.ASCII)
_KEY: Final = re.compile(r"[A-Za-z0-9._:-]{1,40}", re.ASCII)
_SIDES: Final = {"buy": int(Side.BUY), "sell": int(Side.SELL)}


class SessionsQuery(Page):
    """A page, perhaps of one contract only."""

    symbol: str | None = None


async def _session(services: Services, session_id: str) -> Session:
    found = None
    if _SESSION.fullmatch(session_id):
        found = await delivering_of(services).exchanges.session(session_id)
    if found is None:
        raise Problem("efd_session_unknown", "GET /efd/sessions has them all")
    return found


@public.get("/efd/sessions", summary="When interest in delivery is taken and called")
async def list_efd_sessions(
    services: ServicesDep, query: Annotated[SessionsQuery, Depends(QueryOf(SessionsQuery))]
) -> Response:
    """Return sessions in the order of their calls, those of the last 40 days and all to come."""
    first, size = query.place() or 0, query.size()
    if query.symbol is not None:
        contract_of(services.gateway.mirror, query.symbol)
    rows = await delivering_of(services).exchanges.sessions(
        symbol=query.symbol, since_ns=services.now_ns() - SHOWN_NS,
        after=min(first, OFFSET_MAX), limit=size + 1,
    )  # fmt: skip
    content = {
        "sessions": [session_out(row, services.now_ns()) for row in rows[:size]],
        "next_cursor": str(first + size) if len(rows) > size else None,
    }
    return json_response(stamped(services, content))


@public.get("/efd/sessions/{session_id}/result", summary="What a call came to, with all inputs")
async def get_efd_result(services: ServicesDep, session_id: str) -> Response:
    """Return the result as it is hashed, and how each leg ended."""
    session, rows = await _session(services, session_id), delivering_of(services).exchanges
    found = await rows.result(session.session_id)
    if found is None:
        raise Problem("efd_not_called", "the session was not called yet")
    (listed,) = [Listed(session, delivering.json_of(found[0]))]
    legs = [leg_out(leg) for leg in await rows.legs(session.session_id)]
    content = {
        "session": session_out(listed, services.now_ns()), "body": found[0],
        "digest": found[1].hex(), "legs": legs,
    }  # fmt: skip
    return json_response(stamped(services, content))


@private.get("/entries", summary="Own entries")
async def list_efd_entries(services: ServicesDep, who: Reader) -> Response:
    """Return what the account said in sessions of the last 40 days and to come."""
    since_ns = services.now_ns() - SHOWN_NS
    rows = await delivering_of(services).exchanges.own(who.account_idx, since_ns)
    newest = {(row.session_id, row.entry.entry_key): row.entry.number for row in rows}
    content = {
        "entries": [
            entry_out(
                row,
                stands=row.entry.qty_lots > 0
                and newest[row.session_id, row.entry.entry_key] == row.entry.number,
            )
            for row in rows
        ]
    }
    return json_response(stamped(services, content))


@private.post("/sessions/{session_id}/entries", status_code=201, summary="Say an interest, sealed")
async def enter_efd(
    services: ServicesDep,
    who: Transferrer,
    session_id: str,
    body: Annotated[EfdEntryNew, Depends(JsonBody(EfdEntryNew))],
) -> Response:
    """Say how many lots the account would exchange, and at which differential; unseen by others."""
    services.limits.reads.take(who.account_idx)
    session = await _session(services, session_id)
    side = codec.choice(_SIDES, body.side, 0, "side")
    lots = codec.qty_lots(body.quantity) if body.quantity != "0" else 0
    if lots % NODE_LOTS or lots > LOTS_MAX:
        detail = f"whole nodes: a multiple of {NODE_LOTS} lots, at most {LOTS_MAX}"
        raise Problem("field_invalid", detail, field="quantity")
    ticks = codec.difference_ticks(body.differential, "differential")
    if abs(ticks) > DIFFERENTIAL_TICKS_MAX:
        most = codec.price_out(DIFFERENTIAL_TICKS_MAX)
        raise Problem("field_invalid", f"at most {most} either way", field="differential")
    key = "main" if body.entry_id is UNSET else body.entry_id
    if not _KEY.fullmatch(key):
        raise Problem("field_invalid", "1 to 40 of A-Z a-z 0-9 . _ : -", field="entry_id")
    wish = Entry(0, who.account_idx, key, side, lots, ticks, services.now_ns())
    try:
        made = await delivering_of(services).exchanges.enter(session, wish)
    except Refused as error:
        raise delivering.problem_of(error) from error
    content = {"entry": entry_out(made, stands=lots > 0)}
    return json_response(stamped(services, content), 201)


@admin.post("/sessions", status_code=201, summary="Add a session beside those of the calendar")
async def add_efd_session(
    services: ServicesDep,
    who: Admin,
    body: Annotated[EfdSessionNew, Depends(JsonBody(EfdSessionNew))],
) -> Response:
    """Announce another session of a month, called before its trading ends; again is the same."""
    listed = contract_of(services.gateway.mirror, body.symbol)
    try:
        contract = parse_symbol(listed.symbol)
    except SymbolError as error:
        raise Problem("field_invalid", str(error), field="symbol") from error
    if not has_session(contract):
        raise Problem("field_invalid", "a month of a hub other than GLB", field="symbol")
    minute_ns = 60 * NS_PER_SECOND
    opens_ns, call_ns = (ts * NS_PER_MS // minute_ns * minute_ns for ts in
                         (body.opens_ts, body.call_ts))  # fmt: skip
    if not services.now_ns() < call_ns < contract.last_trade_ns or not 0 < opens_ns < call_ns:
        detail = "whole minutes: opened before it is called, ahead of now, before trading ends"
        raise Problem("field_invalid", detail, field="call_ts")
    session = Session(
        session_id=session_id_of(listed.symbol, call_ns), symbol=listed.symbol,
        contract_idx=listed.contract_idx, opens_ns=opens_ns, call_ns=call_ns,
        said_by=who.account_id,
    )  # fmt: skip
    made = await delivering_of(services).exchanges.add(session)
    return json_response(
        stamped(services, {"session": session_out(Listed(made, None), services.now_ns())}), 201
    )
