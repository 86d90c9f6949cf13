"""Add-ons in the core: the rule's numbers, and no lot that adds more than its unit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.addons import (
    Addon,
    concentration_usd_micros,
    liquidity_usd_micros,
    root_ceil,
)
from matching._jit import entry_kernel
from matching._memory import handle_of
from matching.addons import addon_usd_micros, root_up, take_slope, times_root
from matching.codes import Code, Kind, Side
from matching.limits import POSITION_LOTS_MAX, ROOT_BITS, ROOT_LOTS_MAX, SHOCK_TICKS_MAX
from matching.state import new_state, view_state
from tests.unit.matching.small import SIZES, TICK_VALUE_USD_MICROS, Market, codes

MOST = TICK_VALUE_USD_MICROS * SHOCK_TICKS_MAX
WORDS = ("price_ticks", "qty_lots", "amount_usd_micros", "expires_ns", "client_a", "client_b")
amounts = st.one_of(st.just(0), st.integers(0, MOST))
lots = st.one_of(st.integers(1, 300), st.integers(1, ROOT_LOTS_MAX + 5), st.just(1 << 31))


@entry_kernel
def root(held_lots, unit_lots):
    """Return a root, as kernels take it."""
    return root_up(held_lots, unit_lots)


@entry_kernel
def product(amount_usd_micros, root_of):
    """Return an amount times a root, as kernels take it."""
    return times_root(amount_usd_micros, root_of)


@entry_kernel
def slope(state, contract_idx):
    """Take a contract's slope from its add-on."""
    take_slope(view_state(state), contract_idx)


@entry_kernel
def addon(state, contract_idx, lots):
    """Return what a contract's add-on takes of lots."""
    return addon_usd_micros(view_state(state), contract_idx, lots)


@given(st.integers(1, ROOT_LOTS_MAX - 1), lots)
def test_a_root_is_the_rules(held, unit):
    assert int(root(np.int64(held), np.int64(unit))) == root_ceil(held, unit)


@given(st.integers(0, 3 * MOST << 18), st.integers(0, (1 << 31) + 1))
def test_a_product_with_a_root_rounds_up_and_does_not_overflow(amount, root_of):
    found = int(product(np.int64(amount), np.int64(root_of)))
    assert found == -(-amount * root_of >> ROOT_BITS)


def state_with(staged_addon: Addon, unit: int):
    """Return a state whose first contract has an add-on with its slope, and how kernels know it."""
    state = new_state(SIZES)
    state.contracts[0]["tick_value_usd_micros"] = TICK_VALUE_USD_MICROS
    for name in Addon._fields:
        state.addons[0][name] = getattr(staged_addon, name)
    state.addons[0]["unit_usd_micros"] = unit
    handle = handle_of(state)
    slope(handle.value, np.int64(0))
    return state, handle


addons = st.builds(Addon, amounts, amounts, st.just(0), lots, st.one_of(st.just(0), lots), lots)


@given(addons, amounts, st.lists(lots, min_size=1, max_size=5))
def test_the_core_takes_the_rules_numbers(one, unit, held):
    _, handle = state_with(one, unit)
    for count in held:
        rule = liquidity_usd_micros(one, count, TICK_VALUE_USD_MICROS)
        rule += concentration_usd_micros(one, count, unit, TICK_VALUE_USD_MICROS)
        assert int(addon(handle.value, np.int64(0), np.int64(count))) == rule
        assert rule <= count * MOST


@given(addons, amounts, st.data())
def test_no_lot_within_plain_lots_adds_more_than_the_slope(one, unit, data):
    state, handle = state_with(one, unit)
    plain, steepest = (
        int(state.contracts[0]["plain_lots"]),
        int(state.addons[0]["slope_usd_micros"]),
    )
    assert 0 <= plain <= POSITION_LOTS_MAX and 0 <= steepest <= MOST
    if plain == 0:
        return
    top = min(plain, 1 << 31)
    before = data.draw(st.integers(0, top - 1))
    after = data.draw(st.integers(before + 1, top))
    for low, high in ((before, after), (top - 1, top), (0, 1)):
        more = int(addon(handle.value, np.int64(0), np.int64(high)))
        more -= int(addon(handle.value, np.int64(0), np.int64(low)))
        assert 0 <= more <= (high - low) * steepest


def staged(market: Market, **words: int) -> list[int]:
    fields = {"expires_ns": 4, "client_a": 2, "client_b": 3} | words
    return codes(market.do(Kind.STAGE_ADDONS, contract_idx=0, **fields))


def test_words_that_make_no_sense_are_refused():
    market = Market()
    assert staged(market, price_ticks=1, qty_lots=1, amount_usd_micros=1) == [0]
    for words in (
        {"price_ticks": -1}, {"price_ticks": MOST + 1}, {"qty_lots": MOST + 1},
        {"qty_lots": -1}, {"amount_usd_micros": (TICK_VALUE_USD_MICROS << 10) + 1},
        {"client_a": -1}, {"client_b": (1 << 31) + 1}, {"expires_ns": -1},
        {"qty_lots": 1, "expires_ns": 0},
    ):  # fmt: skip
        assert staged(market, **words) == [Code.ADDON_INVALID], words
    assert codes(market.do(Kind.STAGE_ADDONS, contract_idx=9)) == [Code.CONTRACT_UNKNOWN]


def test_an_add_on_counts_from_the_next_matrix_on_and_beyond_plain_lots_exactly():
    market = Market()
    market.swap((-100, 0, 0, 0, 0, 0, 0, 100), worst=1)
    market.rested(0, Side.BUY, 3, 1990)
    staged(market, price_ticks=7, amount_usd_micros=2)
    assert market.engine.requirement(0) == 300
    market.swap((-100, 0, 0, 0, 0, 0, 0, 100), worst=1)
    # 3 lots against 2 that close and a crowd of 3: 100 x (sqrt(3/2) - 1), rounded up, a lot.
    assert market.engine.requirement(0) == 300 + 3 * 7 + 3 * 23 + 3 * 2
    assert market.engine.contract_row(0)["plain_lots"] == 2
    market.rested(0, Side.BUY, 1, 1989)
    # 4 lots are a crowd: half as much again of 100 x (sqrt(2) - 1).
    assert market.engine.requirement(0) == 400 + 4 * 7 + 4 * 63 + 4 * 2
    assert market.engine.account_row(0)["im_bound_usd_micros"] == market.engine.requirement(0)
    market.engine.check()


def test_a_level_counts_at_once_and_raises_every_unit():
    market = Market()
    market.swap((-100, 0, 0, 0, 0, 0, 0, 100), worst=1)
    market.rested(0, Side.BUY, 3, 1990)
    for level, code in ((9_999, Code.LEVEL_INVALID), (15_001, Code.LEVEL_INVALID), (11_000, 0)):
        assert codes(market.do(Kind.SET_LEVEL, account_idx=0, order_id=level)) == [code]
    assert codes(market.do(Kind.SET_LEVEL, account_idx=77, order_id=10_000)) == [
        Code.ACCOUNT_UNKNOWN
    ]
    assert market.engine.requirement(0) == 330
    assert int(market.engine.state.books[0]["es_unit_usd_micros"]) == 110
    market.rested(0, Side.BUY, 1, 1989)
    assert market.engine.account_row(0)["im_bound_usd_micros"] == 440
    market.engine.check()


def test_stress_rows_count_a_quarter_and_the_floor_holds():
    market = Market()
    shocks = (-100, 0, 0, 0, -500, -600, -150, -160)
    market.swap(shocks, worst=1)
    market.rested(0, Side.BUY, 1, 1990)
    assert market.engine.requirement(0) == 600
    fields = {"qty_lots": 8, "order_id": 1, "price_ticks": 2, "amount_usd_micros": 2}
    assert codes(market.do(Kind.SWAP_SCENARIOS, **fields)) == [0]
    assert market.engine.requirement(0) == (3 * 100 + 600) // 4
    fields["amount_usd_micros"] = 5
    assert codes(market.do(Kind.SWAP_SCENARIOS, **fields)) == [0]
    assert market.engine.requirement(0) == 600  # the floor's
    fields["amount_usd_micros"] = 6
    assert codes(market.do(Kind.SWAP_SCENARIOS, **fields)) == [Code.SCENARIO_INVALID]
    fields |= {"amount_usd_micros": 0, "ref_id": 10_001}
    assert codes(market.do(Kind.SWAP_SCENARIOS, **fields)) == [Code.SCENARIO_INVALID]
