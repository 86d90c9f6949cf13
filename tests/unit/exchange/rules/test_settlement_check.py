"""Variation margin a second time: agreement passes, every way to disagree is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.settlement_check import (
    ClearingMismatch,
    Holding,
    SettlementCheck,
    variation_usd_micros,
)

TICK_VALUE = 10
# Two lots bought at 100 from account 1, then settled at 105: 100 to account 0.
HOLDINGS = {0: Holding(2, 2000), 1: Holding(-2, -2000), 2: Holding(0, 0)}


def check(paid: int = 100) -> SettlementCheck:
    return SettlementCheck(9, 105, paid, TICK_VALUE, HOLDINGS)


def test_the_same_amounts_pass_in_any_order():
    found = check()
    found.take(1, -2, 105, -100)
    found.take(0, 2, 105, 100)
    found.finish()


@pytest.mark.parametrize(
    ("events", "complaint"),
    [
        ([(0, 2, 105, 99)], "amount of account 0: clearing computed 100, the core said 99"),
        ([(0, 3, 105, 100)], "lots of account 0: clearing computed 2, the core said 3"),
        ([(0, 2, 104, 100)], "price of account 0: clearing computed 105, the core said 104"),
        ([(2, 0, 105, 5)], "amount of account 2: clearing computed 0, the core said 5"),
        ([(7, 0, 105, 5)], "amount of account 7: clearing computed 0, the core said 5"),
        ([(0, 2, 105, 100)] * 2, "amount of account 0: clearing computed 0, the core said 100"),
        ([(0, 2, 105, 100)], "amount of account 1: clearing computed -100, the core said 0"),
    ],
)
def test_a_disagreement_is_named(events, complaint):
    found = check()
    with pytest.raises(ClearingMismatch, match=f"at seq 9: {complaint}"):
        for event in events:
            found.take(*event)
        found.finish()


def test_the_sum_the_core_says_it_paid_must_be_ours():
    with pytest.raises(ClearingMismatch, match="sum paid: clearing computed 100, the core said 90"):
        check(paid=90)


def test_positions_that_do_not_sum_to_zero_are_found_before_any_event():
    with pytest.raises(ClearingMismatch, match="sum over accounts"):
        SettlementCheck(9, 105, 100, TICK_VALUE, {0: Holding(2, 2000)})


FILLS = st.lists(st.tuples(st.integers(-50, 50), st.integers(1, 999)), max_size=30)


@given(FILLS, st.lists(st.integers(1, 999), min_size=1, max_size=5))
def test_over_a_life_it_pays_quantity_times_price_less_cost(fills, prices):
    """However often it is settled: the sum is lots x last price - what the lots cost."""
    qty_lots = carry = paid = cost = 0
    for price_ticks in prices:
        for lots, fill_ticks in fills:
            qty_lots += lots
            carry += TICK_VALUE * lots * fill_ticks
            cost += TICK_VALUE * lots * fill_ticks
        paid += variation_usd_micros(Holding(qty_lots, carry), TICK_VALUE, price_ticks)
        carry = TICK_VALUE * qty_lots * price_ticks
    assert paid == TICK_VALUE * qty_lots * prices[-1] - cost
