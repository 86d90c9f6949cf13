"""Settlement prices, and everything that they were reached from."""

import re
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from api import answers_settlements, orders
from api.deps import Page, QueryOf, Services, ServicesDep, count_public
from api.edge import json_response
from api.errors import Problem
from api.routes.history import contract_idx_of, cursor_out, span_of
from api.routes.public import stamped
from api.views import caught_up
from exchange.io.settlements import SettlementInputs
from exchange.rules.calendar import settlement_ns
from exchange.rules.contracts import SymbolError, parse_symbol
from exchange.rules.final_bundle import final_document

public = APIRouter(tags=["market data"], dependencies=[Depends(count_public)])
_RUN: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class SettlementsQuery(Page):
    """Which settlements: of one symbol, or all; of one day, or all."""

    symbol: str | None = None
    date: str | None = None


def due_of(text: str | None) -> int | None:
    """Return the moment of a day's settlement, None for any."""
    if text is None:
        return None
    try:
        if not _DATE.fullmatch(text):
            raise ValueError(text)
        due_ns = settlement_ns(date.fromisoformat(text))
        if not 0 <= due_ns < 1 << 63:
            raise ValueError(text)
    except (ValueError, OverflowError) as error:
        raise Problem("query_invalid", "a day as in 2026-11-22", field="date") from error
    return due_ns


def inputs_of(services: Services) -> SettlementInputs:
    """Return the door to what settlement prices come from."""
    if services.settlements is None:
        raise Problem("unavailable", "this process does not serve it")
    return services.settlements


@public.get("/settlements", summary="Settlement prices")
async def list_settlements(
    services: ServicesDep,
    query: Annotated[SettlementsQuery, Depends(QueryOf(SettlementsQuery))],
) -> Response:
    """Return settlements, newest first, each with its revision and what was seen."""
    due_ns = due_of(query.date)
    await services.gateway.barrier()
    state = services.gateway.mirror
    contract_idx = contract_idx_of(state, query.symbol)
    await caught_up(services.views, state.seq)
    found = await services.views.settlements(
        span_of(query), contract_idx=contract_idx, due_ns=due_ns
    )
    now_ns = services.now_ns()
    rows = [answers_settlements.settlement(state.contracts, row, now_ns) for row in found.rows]
    content = {"settlements": rows, "next_cursor": cursor_out(found.cursor)}
    return json_response(stamped(services, content))


@public.get("/settlements/runs/{run}", summary="What the prices of a moment come from")
async def get_settlement_run(services: ServicesDep, run: str) -> Response:
    """Return all that was seen, as it is hashed; it gives every price of its moment again."""
    rows = inputs_of(services)
    found = await rows.run(run) if _RUN.fullmatch(run) else None
    if found is None:
        raise Problem("settlement_run_unknown", "nothing of this name is kept", status=404)
    return json_response(stamped(services, {"run": answers_settlements.run(found)}))


@public.get("/settlements/final/{symbol}", summary="How a contract in delivery is settled")
async def get_final_settlement(services: ServicesDep, symbol: str) -> Response:
    """Return every settlement of a contract in delivery, and what each was reached from."""
    await services.gateway.barrier()
    state = services.gateway.mirror
    listed = orders.contract_of(state, symbol)
    await caught_up(services.views, state.seq)
    rows = await inputs_of(services).accruals(listed.contract_idx)
    if not rows:
        raise Problem("settlement_not_begun", "it is not in delivery, or others follow it")
    try:
        contract = parse_symbol(symbol)
    except SymbolError as error:  # listed by hand: no index settles it
        raise Problem("settlement_not_begun", str(error)) from error
    content = {"settlement": final_document(contract, rows)}
    return json_response(stamped(services, content))
