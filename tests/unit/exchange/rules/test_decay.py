"""MRGN_112: in the delivery period the days that are over no longer move, in every matrix."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.io.price_data import load_price_data
from exchange.rules.contracts import parse_symbol
from exchange.rules.requirement import decayed_usd_micros
from exchange.rules.scenario_rows import shocks_of
from exchange.rules.scenarios import MarginModel
from tests.support.scenario_sets import DAY, built

MARCH = parse_symbol("H100-USE-2027M03")  # 31 days
FIRST = date(2027, 3, 1)
PRICE_TICKS = 2_431


@pytest.mark.parametrize(
    ("on", "over"),
    [(date(2026, 11, 22), 0), (FIRST, 0), (date(2027, 3, 2), 1), (date(2027, 3, 11), 10),
     (date(2027, 3, 31), 30), (date(2027, 4, 1), 31), (date(2028, 1, 1), 31)],
)  # fmt: skip
def test_the_days_before_a_day_are_over(on: date, over: int) -> None:
    assert MARCH.period.days_over(on) == over


@given(st.integers(0, 40))
def test_every_shock_counts_by_the_days_that_are_left(day: int) -> None:
    on, moves = FIRST + timedelta(day - 5), built().moves_ppm(MARCH)
    whole = shocks_of(MARCH, PRICE_TICKS, moves, DAY).tolist()
    over = MARCH.period.days_over(on)
    found = shocks_of(MARCH, PRICE_TICKS, moves, on).tolist()
    assert found == [decayed_usd_micros(shock, over, 31) for shock in whole]
    assert all(
        abs(now) * 31 >= abs(before) * (31 - over) for now, before in zip(found, whole, strict=True)
    )


def test_the_named_stories_alone_decay_alike() -> None:
    model = MarginModel(load_price_data().steps)
    assert not any(model.shocks(MARCH, PRICE_TICKS, date(2027, 4, 1)))
    later = model.shocks(MARCH, PRICE_TICKS, date(2027, 3, 16))  # fifteen days are over
    moves = model.moves_bps(MARCH, date(2027, 3, 16))
    value = MARCH.tick_value_usd_micros * PRICE_TICKS
    for shock, move in zip(later, moves, strict=True):
        assert abs(shock) == pytest.approx(abs(value * move) * 16 / 31 / 10_000, abs=2)


def test_a_set_counts_from_its_own_day() -> None:
    assert built().shocks(MARCH, PRICE_TICKS, date(2027, 3, 20)) == built().shocks(
        MARCH, PRICE_TICKS, DAY
    )
