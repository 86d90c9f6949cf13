"""What the exchange answers: live objects of the mirror and rows of the views, as JSON."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from api import codec
from api.answers_stops import ended_stop, ties, trigger
from api.errors import core_name
from api.replies import Reply
from exchange.rules.clearing_rows import OrderRow
from exchange.rules.combinations import parse_combination
from exchange.rules.contracts import SymbolError, parse_symbol
from exchange.rules.fees import fee_row, fee_usd_micros
from exchange.rules.money import div_half_even, usd_text
from exchange.rules.public_data import auction
from exchange.rules.records import BLOCK_NAMES, Contract, Order, Trade
from exchange.rules.stops import said_of_stop
from matching.codes import EventKind, Flag, OrderType, Side

NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000
LOT_SIZE: Final = "1"
_UNPRICED: Final = (OrderType.MARKET, OrderType.STOP, OrderType.TAKE_PROFIT)
_TRADES: Final = (
    EventKind.TRADE, EventKind.LEG_TRADE, EventKind.IMPLIED_TRADE, EventKind.IMPLIED_LEG,
)  # fmt: skip
_WAITS: Final = (EventKind.STOP_ACCEPTED, EventKind.STOP_AMENDED)


def times(ts_ns: int) -> dict[str, Any]:
    """Return a moment as `ts` and `ts_ns`."""
    return {"ts": ts_ns // NS_PER_MS, "ts_ns": str(ts_ns)}


def millis(ts_ns: int) -> int | None:
    """Return a moment in ms, None for never."""
    return ts_ns // NS_PER_MS if ts_ns else None


# Orders


class Outcome:
    """How an order stood when a command had been carried out."""

    __slots__ = (
        "code", "filled_lots", "leaves_lots", "price_ticks", "qty_lots", "trades", "trigger_ticks",
        "waits",
    )  # fmt: skip

    def __init__(self, reply: Reply, order_id: int) -> None:
        """Read the reply to PLACE or AMEND; later commands of the batch are not in it."""
        first = reply.events[0]
        self.price_ticks, self.qty_lots, self.leaves_lots = first[9], first[10], first[11]
        self.code = 0
        self.trades: list[tuple[int, Any]] = []  # own ones, with their place among all
        self.waits = first[1] in _WAITS
        self.trigger_ticks = said_of_stop(first)[0] if self.waits else 0
        dropped_lots, leg, combined_id = 0, -1, 0
        for event in reply.events[1:]:
            leg += event[1] in _TRADES
            if event[1] == EventKind.IMPLIED_TRADE:
                combined_id = event[5]
            if event[5] != order_id:
                met = event[1] == EventKind.TRADE
                met |= event[1] == EventKind.IMPLIED_LEG and order_id != combined_id
                if met and event[6] == order_id:
                    self.leaves_lots = event[11]  # what rests met what this command set off
            elif event[1] in _TRADES:
                self.trades.append((leg, event))
                if event[1] == EventKind.IMPLIED_TRADE and event[12] == 1:
                    self.leaves_lots = event[11]
            elif event[1] == EventKind.REPRICED:
                self.price_ticks = event[9]
            elif event[1] == EventKind.STOP_MOVED:
                self.trigger_ticks = said_of_stop(event)[0]
            elif event[1] == EventKind.TRIGGERED:
                self.waits, self.price_ticks, self.leaves_lots = False, event[9], event[11]
            elif event[1] == EventKind.CANCELLED:
                self.waits = False
                dropped_lots += event[10]
                self.leaves_lots, self.code = event[11], event[3]
        self.filled_lots = self.qty_lots - self.leaves_lots - dropped_lots


def order(contract: Contract, one: Order) -> dict[str, Any]:
    """Return an order as it is now."""
    return {
        **_order(contract, one, one.client_order_id, one.filled_lots, one.leaves_lots, one.code),
        **trigger(one.stop),
        "price": _limit(contract, one, one.price_ticks),
        "quantity": str(one.qty_lots),
        "average_price": _average_now(contract, one),
        "created_ts": millis(one.created_ns),
        "updated_ts": millis(one.updated_ns),
        "seq": one.updated_seq,
    }


def order_after(contract: Contract, one: Order, after: Outcome, reply: Reply) -> dict[str, Any]:
    """Return an order as a command left it; later ones of the batch may have changed it since."""
    filled = after.filled_lots
    known = filled == one.filled_lots
    return {
        **_order(contract, one, one.client_order_id, filled, after.leaves_lots, after.code),
        **trigger(one.stop, waits=after.waits, trigger_ticks=after.trigger_ticks),
        "price": _limit(contract, one, after.price_ticks),
        "quantity": str(after.qty_lots),
        "average_price": _average_now(contract, one) if known else None,
        "created_ts": millis(one.created_ns),
        "updated_ts": millis(reply.ts_ns),
        "seq": reply.seq,
    }


def order_row(contract: Contract, row: OrderRow) -> dict[str, Any]:
    """Return an order as the views have it."""
    client_id = row.client_order_id or ""
    return {
        **_order(contract, row, client_id, row.filled_lots, row.open_lots, row.code),
        **trigger(ended_stop(row)),
        "price": _limit(contract, row, row.price_ticks),
        "quantity": str(row.qty_lots),
        "average_price": average_price(
            row.filled_tick_lots - contract.base_ticks * row.filled_lots, row.filled_lots
        ),
        "created_ts": millis(row.placed_ns),
        "updated_ts": millis(row.updated_ns),
        "seq": row.updated_seq,
    }


def _order(
    contract: Contract,
    one: Order | OrderRow,
    client_order_id: str,
    filled_lots: int,
    leaves_lots: int,
    code: int,
) -> dict[str, Any]:
    return {
        "order_id": str(one.order_id),
        "client_order_id": client_order_id or None,
        "symbol": contract.symbol,
        "side": codec.SIDE_NAMES[one.side],
        "type": codec.TYPE_NAMES[one.order_type],
        "tif": codec.TIF_NAMES[one.tif],
        "stp": codec.STP_NAMES[one.stp],
        "post_only": bool(one.flags & Flag.POST_ONLY),
        "reduce_only": bool(one.flags & Flag.REDUCE_ONLY),
        "display_quantity": str(one.display_lots) if one.display_lots else None,
        "peg": codec.PEG_NAMES[one.peg],
        "peg_offset": codec.offset_out(one.offset_ticks) if one.peg else None,
        "filled_quantity": str(filled_lots),
        "remaining_quantity": str(leaves_lots),
        "status": "open" if leaves_lots else "cancelled" if code else "filled",
        "reason": None if leaves_lots else core_name(code),
        "expires_at": millis(one.expires_ns),
        **ties(one),
    }


def _limit(contract: Contract, one: Order | OrderRow, ticks: int) -> str | None:
    """Return the price an order has now; a market order and a stop that becomes one have none."""
    return None if one.order_type in _UNPRICED else codec.price_out(contract.shown(ticks))


def _average_now(contract: Contract, one: Order) -> str | None:
    """Return the average price of a live order, None when its first fills are not known here."""
    if not one.fills_known:
        return None
    lots = one.filled_lots
    return average_price(one.filled_tick_lots - contract.base_ticks * lots, lots)


def average_price(tick_lots: int, lots: int) -> str | None:
    """Return the average price of fills to six decimals, half to even; None without fills."""
    if not lots:
        return None
    return usd_text(div_half_even(tick_lots * codec.USD_MICROS_PER_TICK, lots))


def taker_trades(contract: Contract, after: Outcome, reply: Reply) -> list[dict[str, Any]]:
    """Return the trades a command made, seen by who sent it; legs follow their combination."""
    moment = times(reply.ts_ns)
    named = {one.contract_idx: one for one in (contract, *(leg for leg, _ in contract.legs))}
    return [
        {
            "trade_id": f"{event[0]}-{leg}",
            "order_id": str(event[5]),
            "symbol": named[event[7]].symbol,
            "side": codec.SIDE_NAMES[event[2]],
            "price": codec.price_out(named[event[7]].shown(event[9])),
            "quantity": str(event[10]),
            "role": "taker",
            "seq": event[0],
            **moment,
        }
        for leg, event in after.trades
    ]


def fill(contract: Contract, one: Trade, fee_rates: int, *, maker: bool) -> dict[str, Any]:
    """Return one side's view of a trade; `fee_rates` is what its account pays."""
    side = one.side ^ 1 if maker else one.side
    return {
        "trade_id": one.trade_id,
        "order_id": str(one.maker_order_id if maker else one.order_id),
        "symbol": contract.symbol,
        "side": codec.SIDE_NAMES[side],
        "price": codec.price_out(contract.shown(one.price_ticks)),
        "quantity": str(one.qty_lots),
        "role": "maker" if maker else "taker",
        "fee": usd_text(fee_usd_micros(contract, one, fee_rates, maker=maker)),
        "block": BLOCK_NAMES[one.block],
        "seq": one.seq,
        **times(one.ts_ns),
    }


# Contracts


def instrument(contract: Contract) -> dict[str, Any]:
    """Return everything one must know to trade a contract."""
    fees = fee_row("standard", datetime.now(UTC).date())
    return {
        "symbol": contract.symbol,
        **_named(contract.symbol),
        "kind": _kind(contract),
        "legs": [
            {"symbol": leg.symbol, "side": codec.SIDE_NAMES[Side.BUY if ratio > 0 else Side.SELL]}
            for leg, ratio in contract.legs
        ],
        "implied": contract.implied,
        "state": codec.TRADING_STATE_NAMES[contract.state],
        "auction": auction(contract),
        "tick_size": codec.tick_size(),
        "lot_size": LOT_SIZE,
        "lot_gpu_hours": codec.lot_gpu_hours(contract),
        "tick_value": usd_text(contract.tick_value_usd_micros),
        "max_quantity": str(contract.qty_max_lots),
        "price_band": {
            "bps": contract.band_bps,
            "low": codec.price_out(contract.shown(contract.band_low_ticks)),
            "high": codec.price_out(contract.shown(contract.band_high_ticks)),
        },
        "block_min_quantity": str(contract.block_min_lots),
        "block_range": _block_range(contract),
        "market_protection_bps": contract.protection_bps,
        "mark_price": codec.price_out(contract.shown(contract.mark_ticks)),
        "settlement_price": codec.price_out(contract.shown(contract.settle_ticks)),
        "index_price": codec.price_out(contract.index_ticks) if contract.index_ticks else None,
        "open_interest": str(contract.open_interest_lots),
        "last_trade": millis(contract.last_trade_ns),
        "fees": {
            "currency": "USD",
            "per": "GPU-hour",
            "maker": usd_text(fees.maker_usd_micros_per_gpu_hour),
            "taker": usd_text(fees.taker_usd_micros_per_gpu_hour),
            "clearing": usd_text(fees.clearing_usd_micros_per_gpu_hour),
        },
    }


def _block_range(contract: Contract) -> dict[str, Any]:
    """Return what a block may cost now."""
    low_ticks, high_ticks = contract.block_range()
    return {
        "bps": contract.block_range_bps,
        "low": codec.price_out(contract.shown(low_ticks)),
        "high": codec.price_out(contract.shown(high_ticks)),
    }


def _kind(contract: Contract) -> str:
    if not contract.legs:
        return "future"
    return "spread" if contract.base_ticks else "strip"


def _named(symbol: str) -> dict[str, Any]:
    """Return what a symbol says; a symbol outside the grammar says nothing.

    Of a combination that is what all its legs have in common, and when the first begins to deliver
    and the last has delivered.
    """
    try:
        legs = [parse_symbol(symbol)]
    except SymbolError:
        try:
            legs = [leg for leg, _ in parse_combination(symbol).legs]
        except SymbolError:
            return dict.fromkeys(("sku", "hub", "grade", "tenor", "delivery_start", "delivery_end"))
    return {
        "sku": _common(leg.series.sku.symbol for leg in legs),
        "hub": _common(leg.series.hub.symbol for leg in legs),
        "grade": _common(leg.series.grade.symbol for leg in legs),
        "tenor": _common(leg.period.tenor.value for leg in legs),
        "delivery_start": min(leg.delivery_start_ns for leg in legs) // NS_PER_MS,
        "delivery_end": max(leg.delivery_end_ns for leg in legs) // NS_PER_MS,
    }


def _common(words: Iterable[str]) -> str | None:
    found = set(words)
    return found.pop() if len(found) == 1 else None
