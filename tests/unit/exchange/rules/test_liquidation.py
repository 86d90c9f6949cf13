"""Bankruptcy prices, bands, slices, and what the house sells."""

from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.disposal import DISPOSAL, disposal_lots
from exchange.rules.liquidation import (
    BAND_NS,
    Held,
    Slice,
    bankruptcy_price_ticks,
    best_slice,
    is_done,
    is_due,
    least_lots,
    limit_price_ticks,
    maintenance_usd_micros,
    relief_usd_micros,
    slice_lots,
)
from exchange.rules.margin import requirement_usd_micros

MAX = 1 << 16


def held(qty=10, mark=2_000, value=1_000, maintenance=1_000, shocks=(-500_000, 500_000), idx=0):
    return Held(
        contract_idx=idx, qty_lots=qty, mark_ticks=mark, tick_value_usd_micros=value,
        maintenance_usd_micros=maintenance, shocks_usd_micros=shocks,
    )  # fmt: skip


def equity_after(position: Held, equity: int, price: int) -> int:
    return equity + position.qty_lots * (price - position.mark_ticks) * (
        position.tick_value_usd_micros
    )


def test_a_long_dies_below_the_mark_and_a_short_above():
    assert bankruptcy_price_ticks(held(10), 100_000, 1_000, MAX) == 1_990
    assert bankruptcy_price_ticks(held(-10), 100_000, 1_000, MAX) == 2_010
    assert bankruptcy_price_ticks(held(10), -100_000, 1_000, MAX) == 2_010
    assert bankruptcy_price_ticks(held(-10), -100_000, 1_000, MAX) == 1_990


LOTS = st.integers(1, 50) | st.integers(-50, -1)


@given(LOTS, st.integers(1_000, 60_000), st.integers(-(10**7), 10**7))
def test_at_its_bankruptcy_price_an_account_keeps_less_than_a_tick(qty, mark, equity):
    position = held(qty, mark)
    price = bankruptcy_price_ticks(position, equity, 1_000, MAX)
    left = equity_after(position, equity, price)
    if 1 < price < MAX - 1:
        assert 0 <= left < position.tick_usd_micros


@given(
    st.lists(LOTS, min_size=1, max_size=4),
    st.integers(-(10**6), 10**6),
    st.lists(st.integers(1, 10**6), min_size=4, max_size=4),
)
def test_all_positions_together_use_up_the_equity(lots, equity, maintenances):
    positions = [held(qty, maintenance=part) for qty, part in zip(lots, maintenances, strict=False)]
    total = sum(position.maintenance_usd_micros for position in positions)
    left = equity
    for position in positions:
        price = bankruptcy_price_ticks(position, equity, total, MAX)
        left = equity_after(position, left, price)
    assert 0 <= left <= sum(p.tick_usd_micros for p in positions) + len(positions)


@given(LOTS, st.integers(-(10**6), 10**6), st.integers(0, 2 * BAND_NS), st.integers(0, BAND_NS))
def test_the_limit_moves_from_the_mark_to_bankruptcy_with_time(qty, equity, elapsed, more):
    position = held(qty, maintenance=500_000)
    limits = [
        limit_price_ticks(position, equity, 500_000, ns, MAX) for ns in (elapsed, elapsed + more)
    ]
    dead = bankruptcy_price_ticks(position, max(0, equity), 500_000, MAX)
    sign = position.sign
    assert sign * dead <= sign * limits[1] <= sign * limits[0] <= sign * position.mark_ticks
    assert limit_price_ticks(position, equity, 500_000, BAND_NS, MAX) == dead


@given(LOTS, st.integers(0, 500_000), st.integers(0, 500_000))
def test_as_equity_falls_the_band_never_crosses_bankruptcy(qty, equity, less):
    position = held(qty, maintenance=500_000)
    limit = limit_price_ticks(position, max(0, equity - less), 500_000, 0, MAX)
    assert equity_after(position, max(0, equity - less), limit) >= 0


def test_when_it_is_due_and_when_it_is_done():
    assert maintenance_usd_micros(101) == 81
    assert is_due(80, 81) and not is_due(81, 81)
    assert is_done(110, 100) and not is_done(109, 100)


def test_slices_are_parts_until_a_position_is_small():
    assert [slice_lots(lots, 1_000) for lots in (1, 4, 5, 100, -100)] == [1, 4, 2, 25, 25]
    assert slice_lots(100, 3) == 3


def test_the_fewest_lots_that_are_enough():
    position = held(10, shocks=(-100, 100))
    losses = [10 * 100, -10 * 100]
    assert requirement_usd_micros(losses, 1) == 1_000
    assert relief_usd_micros(losses, position, 4, 1) == 400
    # 660 is 1.1 times what six lots require.
    assert least_lots(losses, position, 10, 1, 660) == 4
    assert least_lots(losses, position, 3, 1, 660) == 3


def test_a_hedge_is_not_sold_first():
    long, hedge = held(10, shocks=(-100, 100)), held(-8, shocks=(-100, 100), idx=1)
    losses = [200, -200]
    assert relief_usd_micros(losses, hedge, 2, 1) == -200
    assert relief_usd_micros(losses, long, 2, 1) == 200


def one(idx: int, relief: int, cost: int, lots: int = 1) -> Slice:
    return Slice(
        contract_idx=idx, side_sign=-1, lots=lots, limit_ticks=1, cost_usd_micros=cost,
        relief_usd_micros=relief,
    )  # fmt: skip


def test_the_slice_with_most_relief_for_each_dollar_lost_goes_first():
    slices = [one(0, 100, 10), one(1, 90, 3), one(2, -5, 1), one(3, 60, 2)]
    best = best_slice(slices)
    assert best is not None and best.contract_idx == 1  # 30 to 1 twice; the larger relief
    assert best_slice([one(0, 0, 1), one(1, 9, 1, lots=0)]) is None
    assert best_slice([]) is None


@given(st.integers(-500, 500), st.integers(0, 10_000))
def test_the_house_never_sells_more_than_its_part_of_a_book(position, book):
    lots = disposal_lots(position, book, continuous=True)
    assert 0 <= lots <= abs(position)
    assert lots <= book * DISPOSAL.book_bps // 10_000
    assert disposal_lots(position, book, continuous=False) == 0
