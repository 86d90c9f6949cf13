"""Entry value and realised profit of a position."""

from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.entry import after_fill

fills = st.lists(
    st.tuples(st.integers(-20, 20).filter(bool), st.integers(1, 200)), min_size=1, max_size=30
)


def test_adding_to_a_position_adds_what_was_paid():
    assert after_fill(2, 200, 0, 3, 3 * 110) == (5, 530, 0)


def test_closing_a_part_realises_its_share_at_the_average():
    assert after_fill(4, 400, 0, -1, -130) == (3, 300, 30)


def test_closing_all_leaves_no_entry_value():
    assert after_fill(-4, -400, 7, 4, 4 * 90) == (0, 0, 47)


def test_crossing_zero_closes_the_old_lots_and_opens_the_rest():
    assert after_fill(2, 200, 0, -5, -5 * 110) == (-3, -330, 20)


@given(fills)
def test_entry_and_realised_always_add_up_to_the_cash_flow(trades):
    qty = entry = realised = cash = 0
    for lots, price in trades:
        qty, entry, realised = after_fill(qty, entry, realised, lots, lots * price)
        cash -= lots * price
        assert realised - entry == cash
        assert qty or entry == 0
