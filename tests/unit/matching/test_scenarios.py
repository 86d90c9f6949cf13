"""Shocks count from the swap on, for everybody at once."""

import pytest

from matching.codes import Code, Kind, Side
from matching.limits import BOUND_UNKNOWN_USD_MICROS, SHOCK_TICKS_MAX
from tests.unit.matching.small import (
    SHOCK_FIELDS,
    SHOCKS_USD_MICROS,
    TICK_VALUE_USD_MICROS,
    Market,
    codes,
)


def worst(market: Market, account_idx: int) -> list[int]:
    """Return W of an account, taken anew if it is of an older matrix."""
    market.engine.requirement(account_idx)
    row: list[int] = market.engine.state.worst[8 * account_idx : 8 * account_idx + 8].tolist()
    return row


def test_a_swap_takes_worst_losses_and_bounds_anew():
    market = Market()
    market.swap()
    market.rested(1, Side.SELL, 2, 2000)
    market.order(0, Side.BUY, 3, 2000)  # 2 held, 1 rests
    before = worst(market, 0)
    assert before == [-2 * shock + max(0, -shock) for shock in SHOCKS_USD_MICROS]
    doubled = tuple(2 * shock for shock in SHOCKS_USD_MICROS)
    fields = dict(zip(SHOCK_FIELDS, doubled, strict=True))
    market.do(Kind.STAGE_SHOCKS, **fields)
    assert worst(market, 0) == before
    market.do(Kind.SWAP_SCENARIOS, qty_lots=8, order_id=1)
    assert worst(market, 0) == [2 * loss for loss in before]
    assert worst(market, 1) == [4 * shock for shock in SHOCKS_USD_MICROS]
    assert market.engine.account_row(0)["im_bound_usd_micros"] == BOUND_UNKNOWN_USD_MICROS
    assert market.engine.requirement(0) == 300
    market.rested(0, Side.BUY, 1, 1999)  # judged by the exact requirement, which bounds it
    assert market.engine.account_row(0)["im_bound_usd_micros"] == market.engine.requirement(0)
    market.engine.check()


def test_scenarios_beyond_the_count_do_not_count():
    market = Market()
    market.swap()
    market.rested(0, Side.SELL, 1, 2010)
    assert market.engine.requirement(0) == 50  # of 60 and 40
    market.do(Kind.SWAP_SCENARIOS, qty_lots=6, order_id=2)
    assert market.engine.requirement(0) == 20  # of 30 and 10
    market.engine.check()


@pytest.mark.parametrize(("count", "n_worst"), [(0, 1), (9, 1), (8, 0), (8, 5), (1, 2), (-1, -1)])
def test_a_swap_that_makes_no_sense_is_refused(count: int, n_worst: int):
    events = Market().do(Kind.SWAP_SCENARIOS, qty_lots=count, order_id=n_worst)
    assert codes(events) == [Code.SCENARIO_INVALID]


@pytest.mark.parametrize(("more", "code"), [(0, Code.OK), (1, Code.SHOCK_TOO_LARGE)])
def test_a_shock_beyond_its_limit_is_refused(more: int, code: Code):
    shock = -(TICK_VALUE_USD_MICROS * SHOCK_TICKS_MAX + more)
    assert codes(Market().do(Kind.STAGE_SHOCKS, client_d=shock)) == [code]
