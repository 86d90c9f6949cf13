"""Combinations: their limits, the ends of the domain, what is saved, and planted damage."""

import numpy as np
import pytest

from matching.codes import Code, EventKind, Kind, Side, TradingState
from matching.engine import Engine
from matching.limits import (
    BOUND_UNKNOWN_USD_MICROS,
    COMBINATION_LOTS_MAX,
    COMBINATIONS_PER_LEG_MAX,
    LEGS_MAX,
)
from matching.risk import JUDGED_EXACTLY
from matching.state import Sizes, State
from matching.wire import pack_legs, spread_base_ticks, unpack_legs
from tests.unit.matching.small import MARK_TICKS, SIZES, Market

BASE_TICKS = spread_base_ticks(SIZES.price_bits)
TOP_TICKS = (1 << SIZES.price_bits) - 1
SPREAD, STRIP = 3, 4
MANY = Sizes(
    price_bits=12, accounts=4, contracts=64, positions=256, orders=64, client_ids=8, scenarios=8
)


def listed(market: Market, contract_idx: int, *legs: tuple[int, int]) -> int:
    """List a combination and return the code of the answer."""
    events = market.do(
        Kind.LIST_COMBINATION, symbol=f"K{contract_idx}", contract_idx=contract_idx,
        qty_lots=1000, state=TradingState.CONTINUOUS, **pack_legs(list(legs)),
    )  # fmt: skip
    return int(events[0]["code"])


def combined(sizes: Sizes = MANY) -> Market:
    """Return a market with three contracts, a spread of two and the strip of all."""
    market = Market(sizes, contracts=3)
    market.swap()
    assert listed(market, SPREAD, (0, 1), (1, -1)) == Code.OK
    assert listed(market, STRIP, (0, 1), (1, 1), (2, 1)) == Code.OK
    return market


def legs_traded(events: np.ndarray) -> list[tuple[int, int, int]]:
    """Return contract, side and price of each leg's trade."""
    legs = events[events["kind"] == EventKind.LEG_TRADE]
    return [(int(e["contract_idx"]), int(e["side"]), int(e["price_ticks"])) for e in legs]


def test_legs_come_back_as_they_were_packed():
    legs = [(idx, 1) for idx in range(LEGS_MAX)]
    assert unpack_legs(tuple(pack_legs(legs).values())) == legs
    assert unpack_legs(tuple(pack_legs([(16_383, 1), (7, -1)]).values())) == [(16_383, 1), (7, -1)]


@pytest.mark.parametrize("legs", [[(0, 1)] * 13, [(0, 2)], [(16_384, 1)], [(-1, 1)]])
def test_legs_that_cannot_be_named_are_refused(legs):
    with pytest.raises(ValueError):
        pack_legs(legs)


def test_a_strip_of_twelve_trades_every_leg():
    market = Market(MANY, contracts=12)
    assert listed(market, 12, *((idx, 1) for idx in range(12))) == Code.OK
    market.rested(0, Side.SELL, 2, MARK_TICKS + 1, contract_idx=12)
    events = market.order(1, Side.BUY, 2, MARK_TICKS + 1, contract_idx=12)
    assert legs_traded(events) == [(idx, Side.BUY, MARK_TICKS + 1) for idx in range(12)]
    assert [market.engine.position(1, idx)[0] for idx in range(13)] == [2] * 12 + [0]
    market.engine.check()


def test_a_leg_has_room_for_so_many_combinations():
    market = Market(MANY, contracts=2)
    for idx in range(2, 2 + COMBINATIONS_PER_LEG_MAX):
        assert listed(market, idx, (0, 1), (1, -1)) == Code.OK
    assert listed(market, 40, (0, 1), (1, -1)) == Code.CONTRACT_UNKNOWN
    last = 2 + COMBINATIONS_PER_LEG_MAX
    assert listed(market, last, (0, 1), (1, -1)) == Code.LEG_COMBINATIONS_FULL
    market.engine.check()


def test_a_strip_whose_tick_is_worth_too_much_is_refused():
    market = Market(MANY, contracts=0)
    for idx in range(2):
        market.do(
            Kind.LIST, contract_idx=idx, price_ticks=9, amount_usd_micros=1 << 24, qty_lots=1,
            state=TradingState.CONTINUOUS,
        )  # fmt: skip
    assert listed(market, 2, (0, 1), (1, 1)) == Code.TICK_VALUE_INVALID
    assert listed(market, 2, (0, 1), (1, -1)) == Code.OK


def test_lots_that_rest_in_a_combination_have_a_limit():
    market = combined()
    market.engine.state.accounts[0]["cash_usd_micros"] = 1 << 58
    market.engine.state.contracts[SPREAD]["qty_max_lots"] = COMBINATION_LOTS_MAX + 1
    ticks = BASE_TICKS - 1000
    events = market.order(0, Side.BUY, COMBINATION_LOTS_MAX + 1, ticks, contract_idx=SPREAD)
    assert events[0]["code"] == Code.GROSS_LIMIT
    events = market.order(0, Side.BUY, COMBINATION_LOTS_MAX, ticks, contract_idx=SPREAD)
    assert events[0]["code"] == Code.OK


@pytest.mark.parametrize("leg", [0, 1])
def test_a_leg_that_is_full_takes_no_more_of_a_combination(leg: int):
    market = combined()
    market.rested(0, Side.BUY, 1, BASE_TICKS - 9, contract_idx=SPREAD)
    state = market.engine.state
    state.accounts[0]["cash_usd_micros"] = 1 << 58
    held = state.positions["contract_idx"] == leg
    state.positions["qty_lots"][held] = (1 << 30) - 2
    events = market.order(0, Side.BUY, 3, BASE_TICKS - 9, contract_idx=SPREAD)
    assert events[0]["code"] == Code.GROSS_LIMIT
    events = market.order(0, Side.BUY, 2, BASE_TICKS - 9, contract_idx=SPREAD)
    assert events[0]["code"] == Code.OK


@pytest.mark.parametrize(
    ("first_mark", "second_mark", "difference", "prices"),
    [
        (100, 50, 99, (100, 1)),
        (100, 50, 150, (151, 1)),
        (TOP_TICKS, 1, 2047, (TOP_TICKS, TOP_TICKS - 2047)),
        (1, TOP_TICKS, -2047, (1, 2048)),
        (4000, 50, -100, (3995, TOP_TICKS)),
    ],
)
def test_a_spreads_legs_stay_in_the_domain(first_mark, second_mark, difference, prices):
    market = combined()
    market.do(Kind.MARK, contract_idx=0, price_ticks=first_mark)
    market.do(Kind.MARK, contract_idx=1, price_ticks=second_mark)
    ticks = BASE_TICKS + difference
    market.rested(0, Side.SELL, 2, ticks, contract_idx=SPREAD)
    events = market.order(1, Side.BUY, 2, ticks, contract_idx=SPREAD)
    assert legs_traded(events) == [(0, Side.BUY, prices[0]), (1, Side.SELL, prices[1])]
    market.engine.check()


@pytest.mark.parametrize(
    ("ticks", "prices"), [(1, (1, 1, 1)), (2, (1, 1, 4)), (TOP_TICKS, (TOP_TICKS,) * 3)]
)
def test_a_strips_legs_stay_in_the_domain(ticks: int, prices: tuple[int, ...]):
    market = combined()
    for idx, mark_ticks in enumerate((30, 40, 900)):
        market.do(Kind.MARK, contract_idx=idx, price_ticks=mark_ticks)
    market.rested(0, Side.SELL, 2, ticks, contract_idx=STRIP)
    events = market.order(1, Side.BUY, 2, ticks, contract_idx=STRIP)
    assert tuple(price for _, _, price in legs_traded(events)) == prices
    assert sum(prices) == 3 * ticks
    market.engine.check()


def test_a_fill_loses_exactly_what_the_resting_order_would_have_lost():
    market = combined()
    market.do(
        Kind.LIST, contract_idx=5, price_ticks=2000, amount_usd_micros=93, qty_lots=9,
        state=TradingState.CONTINUOUS,
    )  # fmt: skip
    assert listed(market, 6, (0, 1), (5, -1)) == Code.OK
    for taker, side in ((0, Side.BUY), (2, Side.SELL)):
        ticks = BASE_TICKS + (7 if side == Side.BUY else -7)
        before = market.engine.account_row(taker)
        market.rested(taker, side, 3, ticks, contract_idx=6)
        at_stake = market.engine.account_row(taker)["claims_usd_micros"]
        market.order(1, Side(1 - side), 3, ticks, contract_idx=6)
        after = market.engine.account_row(taker)
        lost = before["unsettled_usd_micros"] - after["unsettled_usd_micros"]
        assert (at_stake, lost) == (3 * 7 * 100, 3 * 7 * 100)
    market.engine.check()


def test_a_restored_state_goes_on_alike():
    market = combined()
    market.rested(0, Side.SELL, 5, BASE_TICKS + 3, contract_idx=SPREAD)
    blob = market.engine.save()
    restored = Engine.restore(blob, MANY)
    assert restored.state_hash() == market.engine.state_hash()
    restored.check()
    market.engine, other = restored, market.engine
    events = market.order(1, Side.BUY, 2, BASE_TICKS + 3, contract_idx=SPREAD)
    assert len(legs_traded(events)) == 2
    market.do(Kind.MARK, price_ticks=MARK_TICKS + 1)
    assert market.engine.state_hash() != other.state_hash()
    market.engine.check()


def test_an_account_without_room_for_the_legs_positions_is_refused():
    sizes = Sizes(
        price_bits=12, accounts=4, contracts=8, positions=6, orders=64, client_ids=8, scenarios=8
    )
    market = combined(sizes)
    market.rested(0, Side.SELL, 5, BASE_TICKS, contract_idx=SPREAD)  # three positions
    events = market.order(1, Side.BUY, 5, BASE_TICKS - 1, contract_idx=SPREAD)
    assert events[0]["code"] == Code.POSITIONS_FULL
    market.rested(1, Side.BUY, 5, MARK_TICKS, contract_idx=2)
    market.engine.check()


DAMAGES = {
    "a position in a combination": ("positions", 1, "qty_lots"),
    "a leg": ("legs", SPREAD * LEGS_MAX, "contract_idx"),
    "a ratio": ("legs", SPREAD * LEGS_MAX + 1, "ratio"),
    "a mark of a book": ("books", 2 * STRIP, "mark_key"),
    "a mark": ("contracts", STRIP, "mark_ticks"),
    "a tick value": ("contracts", SPREAD, "tick_value_usd_micros"),
    "a count of combinations": ("contracts", 0, "combinations_count"),
    "what a lot counts": ("books", 2 * SPREAD, "gross_tick_value"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_planted_damage_is_seen(name: str):
    market = combined()
    market.rested(0, Side.SELL, 5, BASE_TICKS, contract_idx=SPREAD)
    state: State = market.engine.state
    array, idx, field = DAMAGES[name]
    getattr(state, array)[idx][field] += 1
    with pytest.raises(AssertionError):
        market.engine.check()


def test_a_planted_shock_is_seen():
    market = combined()
    market.engine.state.shocks[SPREAD * MANY.scenarios] += 1
    with pytest.raises(AssertionError):
        market.engine.check()


def test_behind_a_new_matrix_the_first_look_finds_who_is_judged_exactly():
    market = combined()
    market.rested(0, Side.BUY, 3, BASE_TICKS - 9, contract_idx=SPREAD)
    market.do(Kind.STAGE_ADDONS, contract_idx=0, price_ticks=7, expires_ns=100, client_a=2)
    market.swap()
    assert market.engine.contract_row(SPREAD)["plain_lots"] == 0
    before = market.engine.account_row(0)
    assert before["im_bound_usd_micros"] == BOUND_UNKNOWN_USD_MICROS and before["limited"] == 0
    market.rested(0, Side.BUY, 1, 1990, contract_idx=2)
    market.rested(1, Side.BUY, 1, 1990, contract_idx=2)
    assert market.engine.account_row(0)["limited"] == JUDGED_EXACTLY
    assert market.engine.account_row(1)["limited"] == 0
    market.engine.check()
