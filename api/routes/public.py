"""What anyone may read."""

from importlib.metadata import version
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from api import answers
from api.deps import Page, Query, QueryOf, Services, ServicesDep, count_public, whole
from api.edge import json_response
from api.instruments import instrument_out
from api.orders import contract_of
from exchange.rules.records import Contract
from matching.limits import CONTRACTS_MAX

VERSION: Final = version("wellhead-exchange")
router = APIRouter(tags=["market data"], dependencies=[Depends(count_public)])

DEPTH_DEFAULT = 100
DEPTH_MAX = 10_000


class InstrumentsQuery(Page):
    """Which instruments: in a trading state, of a SKU, at a hub."""

    state: str | None = None
    sku: str | None = None
    hub: str | None = None


class SymbolQuery(Query):
    """One symbol, or all."""

    symbol: str | None = None


class DepthQuery(Query):
    """How many levels of each side."""

    depth: str | None = None


def stamped(services: Services, content: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with the seq and the moment it is true at."""
    state = services.gateway.mirror
    return {"seq": state.seq, **answers.times(services.now_ns()), **content}


@router.get("/time", summary="The exchange's clock")
async def get_time(services: ServicesDep) -> Response:
    """Return the time that timestamps of signatures are compared with."""
    return json_response(stamped(services, {}))


@router.get("/status", summary="What the exchange takes now")
async def get_status(services: ServicesDep) -> Response:
    """Return the mode and how far journal and clearing are."""
    return json_response(stamped(services, status_out(services)))


def status_out(services: Services) -> dict[str, Any]:
    """Return the status as JSON."""
    status = services.gateway.status
    return {
        "mode": status.mode.value,
        "reason": status.reason,
        "journal_seq": status.journal_seq,
        "clearing_seq": status.clearing_seq,
        "epoch": status.epoch,
        "contracts": len(services.gateway.mirror.contracts),
        "contracts_max": CONTRACTS_MAX,
        "trading_halted": services.gateway.mirror.halted,
        "version": VERSION,
    }


@router.get("/instruments", summary="All listed contracts")
async def list_instruments(
    services: ServicesDep, query: Annotated[InstrumentsQuery, Depends(QueryOf(InstrumentsQuery))]
) -> Response:
    """Return contracts in order of their listing."""
    await services.gateway.barrier()
    start, size = query.place() or 0, query.size()
    page: list[dict[str, Any]] = []
    cursor = None
    contracts = services.gateway.mirror.contracts
    for place in range(start, len(contracts)):
        if len(page) == size:
            cursor = str(place)
            break
        instrument = instrument_out(services, contracts[place])
        wanted = ((query.state, "state"), (query.sku, "sku"), (query.hub, "hub"))
        if all(value is None or instrument[name] == value for value, name in wanted):
            page.append(instrument)
    return json_response(stamped(services, {"instruments": page, "next_cursor": cursor}))


@router.get("/instruments/{symbol:path}", summary="One contract")
async def get_instrument(services: ServicesDep, symbol: str) -> Response:
    """Return everything one must know to trade a contract."""
    await services.gateway.barrier()
    contract = contract_of(services.gateway.mirror, symbol)
    return json_response(stamped(services, {"instrument": instrument_out(services, contract)}))


@router.get("/tickers", summary="Prices of all contracts, or of one")
async def list_tickers(
    services: ServicesDep, query: Annotated[SymbolQuery, Depends(QueryOf(SymbolQuery))]
) -> Response:
    """Return best prices, marks and the last 24 hours."""
    await services.gateway.barrier()
    state = services.gateway.mirror
    contracts: list[Contract] = state.contracts
    if query.symbol is not None:
        contracts = [contract_of(state, query.symbol)]
    tickers = [services.feed.ticker(contract) for contract in contracts]
    return json_response(stamped(services, {"tickers": tickers}))


@router.get("/orderbook/{symbol:path}", summary="The book of a contract")
async def get_orderbook(
    services: ServicesDep,
    symbol: str,
    query: Annotated[DepthQuery, Depends(QueryOf(DepthQuery))],
) -> Response:
    """Return the book; its `seq` is that of its last change, as on the book channels."""
    levels = whole(query.depth, "depth", DEPTH_DEFAULT, 1, DEPTH_MAX)
    await services.gateway.barrier()
    contract = contract_of(services.gateway.mirror, symbol)
    return json_response(stamped(services, services.feed.book(contract, levels)))
