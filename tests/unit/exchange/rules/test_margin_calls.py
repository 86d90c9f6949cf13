"""Margin calls: every way through the states ends, and time is the core's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.margin_calls import (
    CALL_NS,
    ENDS,
    FOLLOWING,
    GRACE_NS,
    MINUTE_NS,
    CallState,
    acknowledge,
    amount_to_call_usd_micros,
    issue,
    pass_time,
    pay,
    relieve,
    reminders_due,
)
from exchange.rules.settlement_curve import (
    SpreadTraded,
    from_spreads_ticks,
    from_what_is_left_ticks,
)

NOW = 10**18
LATE = NOW + CALL_NS


def test_below_maintenance_the_call_is_back_to_initial():
    assert amount_to_call_usd_micros(79, 100, 80) == 21
    assert amount_to_call_usd_micros(80, 100, 80) == 0


def test_a_call_that_is_met_in_parts():
    call = acknowledge(issue(1, 7, 100, NOW))
    assert call.state == CallState.ACKNOWLEDGED
    call = pay(call, 60)
    assert (call.state, call.missing_usd_micros) == (CallState.PART_MET, 40)
    call = pay(call, 40)
    assert call.state == CallState.MET
    assert pass_time(call, LATE) == call == pay(call, 5) == relieve(call)


def test_a_call_that_is_late_is_breached_then_cured_or_escalated():
    call = issue(1, 7, 100, NOW)
    assert pass_time(call, LATE - 1) == call
    breached = pass_time(call, LATE)
    assert breached.state == CallState.BREACHED
    assert pay(breached, 10).state == CallState.BREACHED
    assert relieve(breached).state == CallState.CURED
    assert pass_time(breached, LATE + GRACE_NS - 1) == breached
    assert pass_time(call, LATE + GRACE_NS).state == CallState.ESCALATED
    assert acknowledge(breached) == breached


def test_reminders_are_counted_once():
    call = issue(1, 7, 100, NOW)
    minutes = (0, 29, 30, 49, 50, 59)
    assert [reminders_due(call, NOW + n * MINUTE_NS) for n in minutes] == [0, 0, 1, 1, 2, 2]
    assert reminders_due(relieve(call), LATE) == 0


STEP = st.one_of(
    st.just(("acknowledge", 0)),
    st.tuples(st.just("pay"), st.integers(1, 120)),
    st.tuples(st.just("time"), st.integers(0, CALL_NS)),
)


@given(st.lists(STEP, max_size=12))
def test_every_call_reaches_one_end_and_stays_there(steps):
    call, now = issue(1, 7, 100, NOW), NOW
    for word, number in steps:
        before = call.state
        if word == "acknowledge":
            call = acknowledge(call)
        elif word == "pay":
            call = pay(call, number)
        else:
            now += number
            call = pass_time(call, now)
        if before in ENDS:
            assert call.state == before
    end = pass_time(call, now + CALL_NS + GRACE_NS)
    assert end.state in ENDS
    assert FOLLOWING[end.state] == frozenset()


def test_a_far_month_settles_by_spreads_weighted_by_volume_over_months():
    spreads = [SpreadTraded(100, 10, 30, 1), SpreadTraded(120, 10, 30, 3)]
    assert from_spreads_ticks(spreads) == 95  # 90 with weight 30, 110 with weight 10
    assert from_spreads_ticks([]) is None
    assert from_spreads_ticks([SpreadTraded(100, 10, 0, 1)]) is None


@pytest.mark.parametrize(
    ("last", "prior", "bid", "ask", "expected"),
    [(105, 90, 100, 110, 105), (95, 90, 100, 110, 100), (None, 90, 100, 110, 100),
     (None, None, 100, 110, None), (None, 90, None, None, 93), (115, None, None, 110, 110)],
)  # fmt: skip
def test_without_spreads_the_last_trade_or_the_move_of_the_month_before(
    last, prior, bid, ask, expected
):
    found = from_what_is_left_ticks(
        last_ticks=last, prior_ticks=prior, preceding_change_ticks=3, bid_ticks=bid, ask_ticks=ask
    )
    assert found == expected
