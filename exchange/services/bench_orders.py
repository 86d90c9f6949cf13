"""Orders that cost most: a taker in a deep book, and what its trades and prices set off."""

from typing import Final

import numpy as np

from exchange.services.bench_market import MARK_TICKS, Market, Stage, rows_of, taker
from matching.codes import Kind, OrderType, Peg, Side, Stp, Tif, TradingState, TriggerBy
from matching.limits import ACCOUNT_STOPS_MAX, LEGS_MAX, QTY_LOTS_MAX
from matching.wire import pack_halves, pack_legs

ICEBERG_LOTS: Final = 500
FALLEN_TICKS: Final = MARK_TICKS - 10
STOPS_OF_EACH: Final = ACCOUNT_STOPS_MAX


def sweep_levels(count: int) -> Stage:
    """Return an order that trades at `count` prices, an order at each."""
    market = Market(1001, 1)
    places = np.arange(count)
    market.rest(
        count, side=Side.SELL, account_idx=1 + places % 1000, price_ticks=MARK_TICKS + places
    )
    return market, taker(count, MARK_TICKS + count), count


def sweep_orders(count: int) -> Stage:
    """Return an order that trades with `count` orders at one price."""
    market = Market(1001, 1)
    market.rest(
        count, side=Side.SELL, account_idx=1 + np.arange(count) % 1000, price_ticks=MARK_TICKS
    )
    return market, taker(count, MARK_TICKS), count


def short_by_one(count: int) -> Stage:
    """Return a fill-or-kill order that lacks one lot, which the last of `count` prices tells."""
    market, row, _ = sweep_levels(count)
    row["tif"], row["qty_lots"] = Tif.FOK, count + 1
    return market, row, count


def own_orders(count: int) -> Stage:
    """Return an order that takes away `count` orders of its own account instead of trading."""
    market = Market(2, 1)
    market.rest(count, side=Side.SELL, account_idx=0, price_ticks=MARK_TICKS)
    row = taker(1, MARK_TICKS)
    row["stp"] = Stp.CANCEL_OLDEST
    return market, row, count


def quote_sweep(count: int) -> Stage:
    """Return a quote whose buy side meets `count` orders."""
    market, row, _ = sweep_orders(count)
    row = rows_of(
        Kind.QUOTE, 1, price_ticks=pack_halves(MARK_TICKS, MARK_TICKS + 1),
        qty_lots=pack_halves(count, 1),
    )  # fmt: skip
    return market, row, count


def quotes_hit(count: int) -> Stage:
    """Return an order that ends a market maker's quotes in `count` contracts, both sides."""
    market = Market(2, count)
    market.do(rows_of(Kind.SET_MMP, 1, account_idx=1, expires_ns=10**9, ref_id=1))
    market.do(
        rows_of(
            Kind.QUOTE, count, account_idx=1, contract_idx=np.arange(count),
            price_ticks=pack_halves(MARK_TICKS - 1, MARK_TICKS + 1), qty_lots=pack_halves(5, 5),
        )
    )  # fmt: skip
    return market, taker(1, MARK_TICKS + 1), count


def sweep_icebergs(count: int) -> Stage:
    """Return an order that takes `count` icebergs, each of a thousand lots that show one by one."""
    market = Market(1001, 1)
    market.rest(
        count, side=Side.SELL, account_idx=1 + np.arange(count) % 1000, price_ticks=MARK_TICKS,
        qty_lots=ICEBERG_LOTS, amount_usd_micros=pack_halves(0, 1),
    )  # fmt: skip
    return market, taker(count * ICEBERG_LOTS, MARK_TICKS), count


def moving_pegs(count: int) -> Stage:
    """Return a best bid that `count` pegged orders follow."""
    market = Market(1001, 1)
    market.rest(1, side=Side.BUY, account_idx=1, price_ticks=MARK_TICKS - 100)
    market.rest(
        count, side=Side.BUY, account_idx=1 + np.arange(count), order_type=OrderType.PEGGED,
        state=Peg.BID,
    )  # fmt: skip
    row = rows_of(Kind.PLACE, 1, side=Side.BUY, qty_lots=1, price_ticks=MARK_TICKS - 50)
    return market, row, count


def sweep_strip(count: int) -> Stage:
    """Return an order that takes `count` orders of a strip of twelve contracts."""
    market = Market(1001, LEGS_MAX)
    legs = pack_legs([(idx, 1) for idx in range(LEGS_MAX)])
    market.do(
        rows_of(
            Kind.LIST_COMBINATION, 1, contract_idx=LEGS_MAX, qty_lots=QTY_LOTS_MAX,
            state=TradingState.CONTINUOUS, **legs,
        )
    )  # fmt: skip
    market.rest(
        count, side=Side.SELL, account_idx=1 + np.arange(count) % 1000, price_ticks=MARK_TICKS,
        contract_idx=LEGS_MAX,
    )  # fmt: skip
    row = taker(count, MARK_TICKS)
    row["contract_idx"] = LEGS_MAX
    return market, row, count


def wide_account(count: int) -> Stage:
    """Return an order of an account that holds `count` contracts already."""
    market = Market(2, count)
    places = np.arange(count)
    market.rest(count, side=Side.SELL, contract_idx=places, price_ticks=MARK_TICKS)
    market.rest(count, side=Side.BUY, contract_idx=places, price_ticks=MARK_TICKS, account_idx=1)
    row = rows_of(
        Kind.PLACE, 1, side=Side.BUY, account_idx=1, price_ticks=MARK_TICKS + 5, qty_lots=1000
    )  # fmt: skip
    return market, row, count


def stop_cascade(count: int) -> Stage:
    """Return a trade at a price that triggers `count` stops, of which those that enter trade."""
    accounts = -(-count // STOPS_OF_EACH)
    market = Market(accounts + 2, 1)
    market.rest(1, side=Side.BUY, account_idx=1, price_ticks=FALLEN_TICKS)
    market.rest(count, side=Side.BUY, account_idx=1, price_ticks=FALLEN_TICKS - 1)
    market.rest(
        count, side=Side.SELL, account_idx=2 + np.arange(count) % accounts,
        order_type=OrderType.STOP, amount_usd_micros=pack_halves(FALLEN_TICKS, 0),
        state=TriggerBy.LAST,
    )  # fmt: skip
    row = taker(1, FALLEN_TICKS)
    row["side"] = Side.SELL
    return market, row, count


def trailing_stops(count: int) -> Stage:
    """Return a trade at a new high that `count` trailing stops follow."""
    market = Market(4, 1)
    for price_ticks in (MARK_TICKS, MARK_TICKS + 50):
        market.rest(1, side=Side.SELL, account_idx=1, price_ticks=price_ticks)
    market.rest(1, side=Side.BUY, account_idx=2, price_ticks=MARK_TICKS)
    market.rest(
        count, side=Side.SELL, account_idx=3, order_type=OrderType.STOP, ref_id=pack_halves(10, 0),
        state=TriggerBy.LAST,
    )  # fmt: skip
    return market, taker(1, MARK_TICKS + 50), count
