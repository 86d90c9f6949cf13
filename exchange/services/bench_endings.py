"""Commands at the end of a contract's life, in a market that has had many."""

import numpy as np

from exchange.services.bench_market import MARK_TICKS, Market, Stage, holders, rows_of
from matching.codes import Cycle, Kind, Side, TradingState
from matching.limits import COMBINATIONS_PER_LEG_MAX
from matching.wire import pack_legs, spread_base_ticks

TOGETHER = COMBINATIONS_PER_LEG_MAX
ALIVE = 1 + TOGETHER  # a leg, and the other one of each of its spreads
GAIN_TICKS = 7
ORDERS_EACH = 4
LEG_ORDERS = 2_047  # as many as the command itself may end


def expired(count: int) -> Stage:
    """Return the command that closes the positions of `count` holders of an expired contract."""
    market = holders(count)
    market.do(rows_of(Kind.MARK, 1, price_ticks=MARK_TICKS + GAIN_TICKS))
    market.do(rows_of(Kind.SET_STATE, 1, state=TradingState.EXPIRED))
    return market, rows_of(Kind.CLOSE_OUT, 1), count


def cycle(count: int) -> Stage:
    """Return the variation cycle that pays `count` holders."""
    market = holders(count)
    market.do(rows_of(Kind.MARK, 1, price_ticks=MARK_TICKS + GAIN_TICKS))
    return market, rows_of(Kind.COLLECT, 1, state=Cycle.MIDDAY), count


def spreads_end(count: int) -> Stage:
    """Return the command behind the end of a contract with 32 spreads, each with orders left.

    `count` contracts have ended long before, all of them listed first.
    """
    market = Market(2, count + ALIVE)
    market.do(
        rows_of(
            Kind.SET_STATE, count, contract_idx=np.arange(count), state=TradingState.EXPIRED
        )
    )  # fmt: skip
    spreads = count + ALIVE + np.arange(TOGETHER)
    rows = rows_of(
        Kind.LIST_COMBINATION, TOGETHER, contract_idx=spreads, qty_lots=1000,
        state=TradingState.CONTINUOUS,
    )  # fmt: skip
    for place in range(TOGETHER):
        for name, word in pack_legs([(count, 1), (count + 1 + place, -1)]).items():
            rows[name][place] = word
    market.do(rows)
    price_ticks = spread_base_ticks(market.engine.sizes.price_bits) - 1
    for place in range(ORDERS_EACH):
        market.rest(
            TOGETHER, side=Side.BUY, account_idx=1, contract_idx=spreads,
            price_ticks=price_ticks - place,
        )  # fmt: skip
    market.rest(
        LEG_ORDERS, side=Side.BUY, account_idx=1, contract_idx=count, price_ticks=MARK_TICKS - 1
    )  # fmt: skip
    market.do(rows_of(Kind.SET_STATE, 1, contract_idx=count, state=TradingState.EXPIRED))
    return market, rows_of(Kind.TICK, 1), count
