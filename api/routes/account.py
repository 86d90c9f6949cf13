"""What the owner of an account may read of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api import answers_account, orders
from api.deps import QueryOf, Reader, ServicesDep
from api.edge import json_response
from api.keys import key_out
from api.routes.public import SymbolQuery, stamped
from exchange.rules.margin import Margin, margin_of
from exchange.rules.mirror_state import MirrorState

router = APIRouter(tags=["account"])


@router.get("/positions", summary="Positions")
async def list_positions(
    services: ServicesDep,
    who: Reader,
    query: Annotated[SymbolQuery, Depends(QueryOf(SymbolQuery))],
) -> Response:
    """Return positions that are not flat, or that have open orders."""
    await services.gateway.barrier()
    state = services.gateway.mirror
    held = orders.account_of(state, who.account_idx).positions.values()
    if query.symbol is not None:
        contract_idx = orders.contract_of(state, query.symbol).contract_idx
        held = [one for one in held if one.contract_idx == contract_idx]  # type: ignore[assignment]
    found = [
        answers_account.position(state.contracts[one.contract_idx], one)
        for one in held
        if one.qty_lots or one.buy_lots or one.sell_lots or one.unsettled_usd_micros
    ]
    return json_response(stamped(services, {"positions": found}))


def margin_now(state: MirrorState, account_idx: int) -> Margin:
    """Return the requirement of an account that the exchange knows."""
    orders.account_of(state, account_idx)
    return margin_of(state, account_idx)


@router.get("/balances", summary="Balances")
async def list_balances(services: ServicesDep, who: Reader) -> Response:
    """Return cash, equity, what is required of it and what is free."""
    await services.gateway.barrier()
    margin = margin_now(services.gateway.mirror, who.account_idx)
    return json_response(stamped(services, {"balances": [answers_account.balance(margin)]}))


@router.get("/keys", summary="The key that asks")
async def get_own_key(services: ServicesDep, who: Reader) -> Response:
    """Return the key of this request, without its secret."""
    key = await services.keys.find(who.key_id)
    found = [key_out(key)] if key is not None else []
    return json_response(stamped(services, {"keys": found}))
