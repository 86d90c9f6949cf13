"""Public market data as JSON: the shapes of REST answers and of channel messages alike."""

import zlib
from typing import Any, Final

import orjson

from exchange.rules.book_side import BookSide
from exchange.rules.candles import Candle, Day
from exchange.rules.implied import implied_levels
from exchange.rules.money import price_text, usd_text
from exchange.rules.records import BLOCK_NAMES, Contract, Trade
from matching.codes import CallPhase, Side, TradingState

CHECKSUM_LEVELS: Final = 10
NS_PER_MS: Final = 1_000_000
_TEXTS_MAX: Final = 1 << 16
_texts: dict[int, str] = {}

Levels = list[list[str]]


def price(ticks: int) -> str:
    """Return ticks as text, each made once."""
    text = _texts.get(ticks)
    if text is None:
        if len(_texts) >= _TEXTS_MAX:
            _texts.clear()
        text = _texts[ticks] = price_text(ticks)
    return text


def price_or_none(ticks: int, base_ticks: int = 0) -> str | None:
    """Return ticks as text, counted from what is shown as zero; None for no price."""
    return price(ticks - base_ticks) if ticks else None


def depth(side: BookSide, levels: int, base_ticks: int = 0) -> Levels:
    """Return levels as [price, quantity], best first."""
    return [[price(ticks - base_ticks), str(lots)] for ticks, lots, _ in side.depth(levels)]


def checksum(contract: Contract) -> int:
    """Return the CRC32 of the ten best levels: price:size of bid, ask, bid, ask, best first."""
    bids, asks = (side.depth(CHECKSUM_LEVELS) for side in contract.books)
    parts: list[str] = []
    for rank in range(max(len(bids), len(asks))):
        for side in (bids, asks):
            if rank < len(side):
                parts.append(f"{price(contract.shown(side[rank][0]))}:{side[rank][1]}")
    return zlib.crc32(":".join(parts).encode())


def book(contract: Contract, levels: int) -> dict[str, Any]:
    """Return the book of a contract."""
    return {
        "symbol": contract.symbol,
        "bids": depth(contract.books[Side.BUY], levels, contract.base_ticks),
        "asks": depth(contract.books[Side.SELL], levels, contract.base_ticks),
        "checksum": checksum(contract),
        "state": TradingState(contract.state).name.lower(),
        "phase": phase(contract),
    }


def implied(contract: Contract) -> dict[str, Any]:
    """Return the implied prices of a contract: what other books offer in this one."""
    base_ticks = contract.base_ticks
    sides = [
        [[price(ticks - base_ticks), str(lots)] for ticks, lots in implied_levels(contract, side)]
        for side in (Side.BUY, Side.SELL)
    ]
    return {"symbol": contract.symbol, "bids": sides[0], "asks": sides[1]}


def delta(contract: Contract, touched: list[tuple[int, int]]) -> dict[str, Any]:
    """Return what touched levels hold now: absolute sizes, "0" for a level that is gone.

    Args:
        touched: (side, price_ticks).
    """
    sides: tuple[Levels, Levels] = ([], [])
    for side, ticks in touched:
        level = contract.books[side].levels.get(ticks)
        sides[side].append([price(contract.shown(ticks)), str(level[0]) if level else "0"])
    return {
        "symbol": contract.symbol,
        "bids": sides[Side.BUY],
        "asks": sides[Side.SELL],
        "checksum": checksum(contract),
        "state": TradingState(contract.state).name.lower(),
        "phase": phase(contract),
    }


def best(contract: Contract) -> dict[str, Any]:
    """Return the best bid and ask."""
    bids, asks = contract.books
    bid, ask = bids.best_ticks(), asks.best_ticks()
    return {
        "symbol": contract.symbol,
        "bid_price": price_or_none(bid, contract.base_ticks),
        "bid_quantity": str(bids.levels[bid][0]) if bid else "0",
        "ask_price": price_or_none(ask, contract.base_ticks),
        "ask_quantity": str(asks.levels[ask][0]) if ask else "0",
    }


def trade(contract: Contract, one: Trade) -> dict[str, Any]:
    """Return a public trade; `side` is the taker's, in an auction the buyer's."""
    return {
        "trade_id": one.trade_id,
        "symbol": contract.symbol,
        "price": price(contract.shown(one.price_ticks)),
        "quantity": str(one.qty_lots),
        "side": "sell" if one.side == Side.SELL else "buy",
        "block": BLOCK_NAMES[one.block],
        "auction": one.in_auction,
        "implied": one.is_implied,
        "seq": one.seq,
        **times(one.ts_ns),
    }


def candle(contract: Contract, one: Candle) -> dict[str, Any]:
    """Return a candle; `volume` is in lots."""
    return {
        "start": one.open_ns // NS_PER_MS,
        "open": price(contract.shown(one.open_ticks)),
        "high": price(contract.shown(one.high_ticks)),
        "low": price(contract.shown(one.low_ticks)),
        "close": price(contract.shown(one.close_ticks)),
        "volume": str(one.volume_lots),
        "trades": one.trades,
    }


def auction(contract: Contract) -> dict[str, Any] | None:
    """Return the call auction of a contract and its indicative price, None when there is none.

    What would trade is said once a second at most; `imbalance` is what would be left over.
    """
    call = contract.call
    if call.phase == CallPhase.NONE:
        return None
    side = "sell" if call.imbalance_lots < 0 else "buy"
    return {
        "phase": CallPhase(call.phase).name.lower(),
        "indicative_price": price_or_none(call.indicative_ticks),
        "indicative_quantity": str(call.indicative_lots),
        "imbalance": str(abs(call.imbalance_lots)),
        "imbalance_side": side if call.imbalance_lots else None,
        "ends_after": call.ends_after_ns // NS_PER_MS if call.ends_after_ns else None,
        "ends_before": -(-call.ends_before_ns // NS_PER_MS) if call.ends_before_ns else None,
    }


def auction_now(contract: Contract) -> dict[str, Any]:
    """Return a contract's state, its running call auction, and what the last one ended with."""
    return {
        "symbol": contract.symbol,
        "state": TradingState(contract.state).name.lower(),
        "auction": auction(contract),
        "last_auction": _auction_result(contract),
    }


def _auction_result(contract: Contract) -> dict[str, Any] | None:
    result = contract.call.result
    if result is None:
        return None
    side = "sell" if result.imbalance_lots < 0 else "buy"
    return {
        "phase": CallPhase(result.phase).name.lower(),
        "price": price_or_none(result.price_ticks),
        "quantity": str(result.lots),
        "imbalance": str(abs(result.imbalance_lots)),
        "imbalance_side": side if result.imbalance_lots else None,
        "ended_at": result.ts_ns // NS_PER_MS,
    }


def phase(contract: Contract) -> str | None:
    """Return the phase of a contract's call auction, None when there is none."""
    running = contract.call.phase
    return CallPhase(running).name.lower() if running else None


def ticker(contract: Contract, day: Day) -> dict[str, Any]:
    """Return the ticker of a contract."""
    base_ticks = contract.base_ticks
    return {
        **best(contract),
        "last_price": price_or_none(contract.last_trade_ticks, base_ticks),
        "mark_price": price(contract.shown(contract.mark_ticks)),
        "settlement_price": price(contract.shown(contract.settle_ticks)),
        "open_24h": price_or_none(day.open_ticks, base_ticks),
        "high_24h": price_or_none(day.high_ticks, base_ticks),
        "low_24h": price_or_none(day.low_ticks, base_ticks),
        "volume_24h": str(day.volume_lots),
        "open_interest": str(contract.open_interest_lots),
        "tick_value": usd_text(contract.tick_value_usd_micros),
        "state": TradingState(contract.state).name.lower(),
        "auction": auction(contract),
    }


def times(ts_ns: int) -> dict[str, Any]:
    """Return a moment as `ts` and `ts_ns`."""
    return {"ts": ts_ns // NS_PER_MS, "ts_ns": str(ts_ns)}


def message(
    channel: str, kind: str, seq: int, prev_seq: int | None, ts_ns: int, data: object
) -> bytes:
    """Return a channel's message."""
    return orjson.dumps(
        {
            "channel": channel,
            "type": kind,
            "seq": seq,
            "prev_seq": prev_seq,
            "ts": ts_ns // NS_PER_MS,
            "ts_ns": str(ts_ns),
            "data": data,
        }
    )
