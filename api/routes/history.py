"""History: trades and klines for all; fills and the ledger for the owner."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from api import answers_account, codec, orders
from api.deps import Page, QueryOf, Reader, Services, ServicesDep, count_public, whole
from api.edge import json_response
from api.errors import Problem
from api.routes.public import stamped
from api.views import caught_up
from exchange.io.views import Span
from exchange.rules import public_data
from exchange.rules.candles import candle_of
from exchange.rules.clearing_rows import TradeRow
from exchange.rules.mirror_state import MirrorState
from exchange.rules.records import TRADES_KEPT, Contract, Trade
from matching.limits import ORDERS_MAX

public = APIRouter(tags=["market data"], dependencies=[Depends(count_public)])
private = APIRouter(tags=["account"])

INTERVALS_S: Final = {"1m": 60, "1h": 3600, "1d": 86_400}
NS_PER_MS: Final = 1_000_000
MILLIS_MAX: Final = 1 << 43
SEQ_MAX: Final = 1 << 42


class KlinesQuery(Page):
    """Which klines: those that open in [start, end), in ms."""

    interval: str | None = None
    start: str | None = None
    end: str | None = None


class LedgerQuery(Page):
    """Which rows: with `after_seq` those after a command, oldest first; else the newest first."""

    after_seq: str | None = None


class FillsQuery(LedgerQuery):
    """Which fills: also of one symbol, of one order."""

    symbol: str | None = None
    order_id: str | None = None


def span_of(query: Page, after_seq: str | None = None) -> Span:
    """Return the rows a query asks for."""
    return Span(
        after_seq=whole(after_seq, "after_seq", 0, 0, SEQ_MAX),
        limit=query.size(),
        cursor=query.place(),
    )


def cursor_out(cursor: int | None) -> str | None:
    """Return a cursor as it travels."""
    return None if cursor is None else str(cursor)


def contract_idx_of(state: MirrorState, symbol: str | None) -> int | None:
    """Return a contract's index, None for all."""
    return None if symbol is None else orders.contract_of(state, symbol).contract_idx


# For all


def place_of(trade: Trade | TradeRow) -> int:
    """Return where a trade stands among all: by its command and its leg."""
    return trade.seq * ORDERS_MAX + trade.leg


def trade_of(row: TradeRow) -> Trade:
    """Return a stored trade as the mirror has its own."""
    return Trade(
        seq=row.seq,
        leg=row.leg,
        ts_ns=row.ts_ns,
        contract_idx=row.contract_idx,
        price_ticks=row.price_ticks,
        qty_lots=row.qty_lots,
        side=row.taker_side,
        account_idx=row.taker_account_idx,
        order_id=row.taker_order_id,
        maker_account_idx=row.maker_account_idx,
        maker_order_id=row.maker_order_id,
        maker_leaves_lots=0,
        block=row.block,
        is_implied=row.implied,
    )


async def newest_trades(
    services: Services, contract: Contract, before: int | None, count: int
) -> list[Trade]:
    """Return the newest trades before a place, fewer than asked for only where there are no more.

    Blocks that are not published yet are passed over: neither a short page nor its cursor tells
    of them.

    Errors:
        Problem: `views_behind`.
    """
    began_seq, kept = services.gateway.began_seq, contract.trades
    until_ns = services.feed.blocks_until_ns()
    found = [
        trade
        for trade in reversed(kept)
        if (before is None or place_of(trade) < before)
        and (not trade.block or trade.ts_ns <= until_ns)
    ][:count]
    if len(found) < count and (began_seq or len(kept) == TRADES_KEPT):
        known_seq = kept[0].seq if len(kept) == TRADES_KEPT else began_seq
        await caught_up(services.views, known_seq)
        span = Span(limit=count - len(found), cursor=place_of(found[-1]) if found else before)
        older = await services.views.trades(contract.contract_idx, span, blocks_until_ns=until_ns)
        found += [trade_of(row) for row in older.rows]
    return found


@public.get("/trades/{symbol:path}", summary="Public trades of a contract")
async def list_trades(
    services: ServicesDep, symbol: str, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return trades, newest first: the latest from memory, older ones from the views."""
    before, size = query.place(), query.size()
    gateway = services.gateway
    await gateway.barrier()
    contract = orders.contract_of(gateway.mirror, symbol)
    page = await newest_trades(services, contract, before, size + 1)
    more, page = len(page) > size, page[:size]
    content = {
        "trades": [public_data.trade(contract, trade) for trade in page],
        "next_cursor": str(place_of(page[-1])) if more else None,
    }
    return json_response(stamped(services, content))


@public.get("/klines/{symbol:path}", summary="Candles of a contract")
async def list_klines(
    services: ServicesDep,
    symbol: str,
    query: Annotated[KlinesQuery, Depends(QueryOf(KlinesQuery))],
) -> Response:
    """Return the latest candles of a span, oldest first; empty intervals are absent."""
    interval = query.interval or "1m"
    if interval not in INTERVALS_S:
        raise Problem("query_invalid", f"one of {', '.join(INTERVALS_S)}", field="interval")
    from_ns = whole(query.start, "start", 0, 0, MILLIS_MAX) * NS_PER_MS
    until_ns = whole(query.end, "end", MILLIS_MAX, 0, MILLIS_MAX) * NS_PER_MS
    size, before_ns = query.size(), query.place()
    await services.gateway.barrier()
    contract = orders.contract_of(services.gateway.mirror, symbol)
    until_ns = until_ns if before_ns is None else min(until_ns, before_ns)
    span = Span(from_ns=from_ns, until_ns=until_ns, limit=size)
    found = await services.views.klines(contract.contract_idx, INTERVALS_S[interval], span)
    candles = {row.open_ns: candle_of(row) for row in found.rows}
    if interval == "1m":  # clearing may be behind: what is in memory is newer
        for candle in services.feed.klines(contract):
            known = candles.get(candle.open_ns)
            inside = from_ns <= candle.open_ns < until_ns
            if inside and (known is None or known.volume_lots < candle.volume_lots):
                candles[candle.open_ns] = candle
    latest = sorted(candles)[-size:]
    more = found.cursor is not None or len(candles) > size
    content = {
        "symbol": symbol,
        "interval": interval,
        "klines": [public_data.candle(contract, candles[open_ns]) for open_ns in latest],
        "next_cursor": str(latest[0]) if more else None,
    }
    return json_response(stamped(services, content))


# For the owner


@private.get("/fills", summary="Fills")
async def list_fills(
    services: ServicesDep,
    who: Reader,
    query: Annotated[FillsQuery, Depends(QueryOf(FillsQuery))],
) -> Response:
    """Return the account's trades."""
    span = span_of(query, query.after_seq)
    order_id = None if query.order_id is None else codec.order_id(query.order_id)
    await services.gateway.barrier()
    state = services.gateway.mirror
    contract_idx = contract_idx_of(state, query.symbol)
    await caught_up(services.views, state.seq)
    found = await services.views.fills(
        who.account_idx,
        span,
        contract_idx=contract_idx,
        order_id=order_id,
        oldest_first=query.after_seq is not None,
    )
    rows = [answers_account.fill_row(state.contracts[row.contract_idx], row) for row in found.rows]
    content: dict[str, Any] = {"fills": rows, "next_cursor": cursor_out(found.cursor)}
    return json_response(stamped(services, content))


@private.get("/ledger", summary="Ledger entries")
async def list_ledger(
    services: ServicesDep,
    who: Reader,
    query: Annotated[LedgerQuery, Depends(QueryOf(LedgerQuery))],
) -> Response:
    """Return what was posted to the account's cash, with the balance after each entry."""
    span = span_of(query, query.after_seq)
    await services.gateway.barrier()
    await caught_up(services.views, services.gateway.mirror.seq)
    found = await services.views.ledger(
        who.account_idx, span, oldest_first=query.after_seq is not None
    )
    rows = [answers_account.ledger_entry(entry) for entry in found.rows]
    content = {"entries": rows, "next_cursor": cursor_out(found.cursor)}
    return json_response(stamped(services, content))
