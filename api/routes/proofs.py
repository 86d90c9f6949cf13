"""Final settlements under signed roots, and how far those in delivery are; for everybody."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from api.accruals import STATES, in_delivery
from api.delivering import root_out
from api.deps import Page, QueryOf, Services, ServicesDep, count_public
from api.edge import json_response
from api.errors import Problem
from api.orders import contract_of
from api.routes import corrections, settlements
from api.routes.calendar import contract_named
from api.routes.public import stamped
from exchange.io.delivery_proofs import DAY_MAX
from exchange.io.settlement_roots import FinalProof, SettlementRoots
from exchange.rules.contract_calendar import calendar_of
from exchange.rules.settlement_tree import leaf_out
from exchange.rules.tenors import iso_text

SYMBOL_LENGTH_MAX: Final = 32

public = APIRouter(tags=["market data"], dependencies=[Depends(count_public)])


class FinalsQuery(Page):
    """Which contracts in delivery: those of one state, or all."""

    state: str | None = None


def roots_of(services: Services) -> SettlementRoots:
    """Return the door to roots over final settlements."""
    if services.settlement_roots is None:
        raise Problem("unavailable", "this process does not serve it")
    return services.settlement_roots


def proof_out(found: FinalProof) -> dict[str, Any]:
    """Return a proof as it is published; root is null while the day is open."""
    return {
        "settlement": leaf_out(found.final),
        "path": [one.hex() for one in found.path],
        "root": root_out(found.root) if found.root else None,
    }


@public.get("/settlements/final", summary="Contracts in delivery, and how far they are settled")
async def list_final_settlements(
    services: ServicesDep, query: Annotated[FinalsQuery, Depends(QueryOf(FinalsQuery))]
) -> Response:
    """Return contracts in delivery or settled finally, the newest listed first."""
    if query.state is not None and query.state not in STATES:
        raise Problem("query_invalid", f"one of {', '.join(STATES)}", field="state")
    first, size = query.place() or 0, query.size()
    await services.gateway.barrier()
    rows = in_delivery(services.gateway.mirror, query.state)
    more = len(rows) > first + size
    content = {
        "accruals": rows[first : first + size],
        "next_cursor": str(first + size) if more else None,
    }
    return json_response(stamped(services, content))


@public.get("/proofs/settlements", summary="Signed roots over final settlements, one a closed day")
async def list_settlement_roots(
    services: ServicesDep, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return roots, newest first."""
    before, size = query.place(), query.size()
    rows = await roots_of(services).roots(DAY_MAX if before is None else before, size + 1)
    content = {
        "roots": [root_out(row) for row in rows[:size]],
        "next_cursor": str(rows[size - 1].root.day) if len(rows) > size else None,
    }
    return json_response(stamped(services, content))


def not_final(symbol: str) -> str:
    """Return why a contract has no final settlement, and when it will have one."""
    contract = contract_named(symbol)
    final_ns = 0 if contract is None else calendar_of(contract).final_ns
    if not final_ns:
        return "it has no final settlement of its own: only others of its legs or periods do"
    return f"it is not settled finally yet: that is due on {iso_text(final_ns)}"


@public.get("/proofs/settlements/{symbol}", summary="That a final settlement is under its root")
async def prove_settlement(services: ServicesDep, symbol: str) -> Response:
    """Return a contract's final settlement as it is hashed, with the way to its signed root."""
    found = None
    if symbol.isascii() and symbol.isprintable() and len(symbol) <= SYMBOL_LENGTH_MAX:
        found = await roots_of(services).proof(symbol)
    if found is None:
        listed = contract_of(services.gateway.mirror, symbol)
        raise Problem("settlement_not_final", not_final(listed.symbol))
    return json_response(stamped(services, {"proof": proof_out(found)}))


router = APIRouter()  # all about settlements
router.include_router(settlements.public)
router.include_router(public)
router.include_router(corrections.admin)
