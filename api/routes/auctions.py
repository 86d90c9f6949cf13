"""What an operator says of a contract: call auctions, guards, the index, its end."""

from typing import Annotated, Final

import numpy as np
from fastapi import APIRouter, Depends, Response
from msgspec import UNSET, UnsetType

from api import codec, orders
from api.deps import Admin, JsonBody, Services, ServicesDep
from api.edge import json_response
from api.instruments import instrument_out
from api.routes.public import stamped
from api.schemas import AuctionNew, GuardsNew, ImpliedSet, IndexNew, LastTradeSet
from exchange.rules.operations import (
    close_out_command,
    end_call_command,
    guard_command,
    implied_command,
    index_command,
    last_trade_command,
    start_call_command,
)
from exchange.rules.public_data import NS_PER_MS
from exchange.rules.records import Contract
from matching.codes import CallPhase

router = APIRouter(prefix="/admin/contracts/{symbol:path}", tags=["admin"])

PHASES: Final = {phase.name.lower(): int(phase) for phase in CallPhase if phase}


def number(value: int | UnsetType) -> int:
    """Return a number of a body, 0 when it is left out."""
    return 0 if value is UNSET else value


async def done(services: Services, contract: Contract, command: np.ndarray) -> Response:
    """Send a command about a contract, and return the contract as it is then."""
    services.gateway.check_open(reduces=True)
    row = command.tobytes()[: codec.ROW.size]
    (await services.gateway.send(row)).raise_refused()
    return json_response(stamped(services, {"instrument": instrument_out(services, contract)}))


@router.post("/auction", summary="Begin a call auction")
async def begin_auction(
    services: ServicesDep,
    who: Admin,
    symbol: str,
    body: Annotated[AuctionNew, Depends(JsonBody(AuctionNew))],
) -> Response:
    """Begin a call: orders gather and may cross, until all trade at one price."""
    contract = orders.contract_of(services.gateway.mirror, symbol)
    phase = codec.choice(PHASES, body.phase, int(CallPhase.MANUAL), "phase")
    lasts_ns = number(body.ends_after_ms) * NS_PER_MS
    ends_after_ns = services.now_ns() + lasts_ns if lasts_ns else 0
    window_ns = number(body.window_ms) * NS_PER_MS
    rows = start_call_command(contract.contract_idx, CallPhase(phase), ends_after_ns, window_ns)
    return await done(services, contract, rows)


@router.delete("/auction", summary="End a call auction")
async def end_auction(services: ServicesDep, who: Admin, symbol: str) -> Response:
    """End a call now: what crosses trades at one price, then trading goes on."""
    contract = orders.contract_of(services.gateway.mirror, symbol)
    return await done(services, contract, end_call_command(contract.contract_idx))


@router.put("/guards", summary="Set the guards of a contract")
async def set_guards(
    services: ServicesDep,
    who: Admin,
    symbol: str,
    body: Annotated[GuardsNew, Depends(JsonBody(GuardsNew))],
) -> Response:
    """Set how far a price may move before a volatility auction begins."""
    contract = orders.contract_of(services.gateway.mirror, symbol)
    rows = guard_command(
        contract.contract_idx,
        velocity_bps=number(body.velocity_bps),
        velocity_ns=number(body.velocity_ms) * NS_PER_MS,
        daily_bps=(number(body.daily_bps), number(body.daily_next_bps)),
        call_ns=number(body.auction_ms) * NS_PER_MS,
        window_ns=number(body.window_ms) * NS_PER_MS,
    )
    return await done(services, contract, rows)


@router.put("/index", summary="Set the index price of a contract")
async def set_index(
    services: ServicesDep,
    who: Admin,
    symbol: str,
    body: Annotated[IndexNew, Depends(JsonBody(IndexNew))],
) -> Response:
    """Say what the underlying costs outside: orders that wait for the index look at it."""
    contract = orders.contract_of(services.gateway.mirror, symbol)
    price_ticks = codec.price_ticks(body.price)
    return await done(services, contract, index_command(contract.contract_idx, price_ticks))


@router.put("/implied", summary="Let a combination trade with its legs, or not")
async def set_implied(
    services: ServicesDep,
    who: Admin,
    symbol: str,
    body: Annotated[ImpliedSet, Depends(JsonBody(ImpliedSet))],
) -> Response:
    """Let a combination's orders trade with those of its legs, or no longer."""
    contract = orders.contract_of(services.gateway.mirror, symbol)
    rows = implied_command(contract.contract_idx, on=body.implied)
    return await done(services, contract, rows)


@router.put("/last-trade", summary="Set when trading of a contract ends")
async def set_last_trade(
    services: ServicesDep,
    who: Admin,
    symbol: str,
    body: Annotated[LastTradeSet, Depends(JsonBody(LastTradeSet))],
) -> Response:
    """Set the last moment of trading: from then on nothing is taken but cancels."""
    contract = orders.contract_of(services.gateway.mirror, symbol)
    ends_ns = body.last_trade * NS_PER_MS
    return await done(services, contract, last_trade_command(contract.contract_idx, ends_ns))


@router.post("/close-out", summary="Close all positions of an expired contract")
async def close_out(services: ServicesDep, who: Admin, symbol: str) -> Response:
    """Close what is still held of an expired contract at its mark, and pay what is unsettled."""
    contract = orders.contract_of(services.gateway.mirror, symbol)
    return await done(services, contract, close_out_command(contract.contract_idx))
