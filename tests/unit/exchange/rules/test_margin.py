"""The requirement from scratch, against worked numbers and against brute force."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.margin import (
    Exposure,
    margin_of,
    price_loss_usd_micros,
    requirement_usd_micros,
    scenario_losses,
    worst_scenarios,
)
from matching.codes import Side
from tests.unit.exchange.rules.test_mirror import ALICE, BOB, TICK_VALUE, placed, started


def exposure(qty=0, buy=0, sell=0, shocks=(-3, 0, 5), contract_idx=0) -> Exposure:
    return Exposure(
        contract_idx=contract_idx,
        qty_lots=qty,
        buy_lots=buy,
        sell_lots=sell,
        shocks_usd_micros=shocks,
    )


def test_a_position_loses_what_the_matrix_says():
    assert scenario_losses([exposure(qty=2)], 3) == [6, 0, -10]
    assert scenario_losses([exposure(qty=-2)], 3) == [-6, 0, 10]


def test_resting_orders_count_only_where_they_lose():
    assert scenario_losses([exposure(buy=2, sell=1)], 3) == [6, 0, 5]


@given(
    st.integers(-5, 5),
    st.lists(st.integers(1, 3), max_size=3),
    st.lists(st.integers(1, 3), max_size=3),
    st.integers(-9, 9),
)
def test_the_worst_case_bounds_every_subset_of_fills_and_is_reached(qty, buys, sells, shock):
    orders = buys + [-lots for lots in sells]
    subsets = [
        -(qty + sum(lots for lots, fills in zip(orders, chosen, strict=True) if fills)) * shock
        for chosen in product((False, True), repeat=len(orders))
    ]
    held = exposure(qty=qty, buy=sum(buys), sell=sum(sells), shocks=(shock,))
    assert scenario_losses([held], 1) == [max(subsets)]


def test_the_requirement_is_the_mean_of_the_worst_rounded_up_and_never_negative():
    assert requirement_usd_micros([1, 10, 5], 2) == 8
    assert requirement_usd_micros([10, -3, 2], 1) == 10
    assert requirement_usd_micros([-4, -9, -2], 2) == 0
    assert requirement_usd_micros([], 0) == 0
    assert worst_scenarios([5, 9, 9, 1], 3) == (1, 2, 0)


def test_price_loss_is_what_the_mark_would_take_at_once():
    assert price_loss_usd_micros(Side.BUY, 110, 100, 7, 3) == 210
    assert price_loss_usd_micros(Side.SELL, 110, 100, 7, 3) == 0
    assert price_loss_usd_micros(Side.SELL, 95, 100, 7, 3) == 105


def test_an_account_gets_its_breakdown():
    mirror = started()
    mirror.scenario_count, mirror.worst_count = 3, 2
    mirror.shocks = [[-30, 10, 20]]
    placed(mirror, 50, ALICE, Side.BUY, 2_003, 4)
    margin = margin_of(mirror, ALICE)
    assert margin.worst_scenarios == (0, 1)
    assert margin.worst_losses_usd_micros == (120, 0)
    assert margin.initial_usd_micros == 60
    assert margin.price_loss_usd_micros == 4 * 3 * TICK_VALUE
    assert margin.equity_usd_micros == 1_000
    assert margin.free_usd_micros == 1_000 - 60 - 12 * TICK_VALUE
    (part,) = margin.contracts
    assert (part.standalone_usd_micros, part.worst_loss_usd_micros) == (60, 60)
    assert part.price_loss_usd_micros == margin.price_loss_usd_micros
    assert margin_of(mirror, BOB).contracts == ()


# Three contracts, eight scenarios, the mean of the two worst: worked by hand.
SHOCKS = {
    "A": (-200, 200, -120, 120, -300, 300, -50, 50),
    "B": (-190, 190, -140, 140, -220, 220, 60, -60),
    "C": (-240, 240, -20, 20, -350, 350, -40, 40),
}


def worked(**held: tuple[int, int, int]) -> list[int]:
    """Return W of positions, buys and sells by contract."""
    exposures = [
        exposure(qty=qty, buy=buy, sell=sell, shocks=SHOCKS[name])
        for name, (qty, buy, sell) in held.items()
    ]
    return scenario_losses(exposures, 8)


def test_worked_example_of_outright_and_calendar_positions():
    assert worked(A=(10, 0, 0)) == [2000, -2000, 1200, -1200, 3000, -3000, 500, -500]
    assert worked(A=(10, 0, 0), B=(-10, 0, 0)) == [100, -100, -200, 200, 800, -800, 1100, -1100]
    assert requirement_usd_micros(worked(A=(10, 0, 0)), 2) == 2500
    assert requirement_usd_micros(worked(B=(-10, 0, 0)), 2) == 2050
    assert requirement_usd_micros(worked(A=(10, 0, 0), B=(-10, 0, 0)), 2) == 950


def test_worked_example_of_the_worst_case_of_open_orders():
    losses = worked(A=(10, 0, 10), B=(0, 0, 6), C=(0, 4, 0))
    assert losses == [2960, 1140, 1280, 840, 4400, 1320, 1020, 0]
    assert requirement_usd_micros(losses, 2) == 3680


def test_worked_example_of_price_loss():
    orders = [(Side.BUY, 4, 2450), (Side.SELL, 3, 2380), (Side.BUY, 9, 2350)]
    tick_of_a_lot_of_1000_hours = 1
    losses = [
        price_loss_usd_micros(side, limit, 2400, tick_of_a_lot_of_1000_hours, lots)
        for side, lots, limit in orders
    ]
    assert sum(losses) == 260
