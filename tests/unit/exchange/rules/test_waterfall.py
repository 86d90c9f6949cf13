"""The waterfall, the fund and shared losses: order, caps, and every micro-dollar accounted for."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.default_fund import (
    Alarm,
    AlarmKind,
    alarm_text,
    alarms,
    contributions_usd_micros,
    cover_loss,
    fund_size_usd_micros,
)
from exchange.rules.shares import pro_rata, pro_rata_capped
from exchange.rules.waterfall import LAYERS, TURN_OF, LayerName, assessments_of, bear, faults
from tests.vectors.loss_sharing import settle_shared

MONEY = st.integers(0, 10**12)
NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
PARTS = st.dictionaries(
    st.sampled_from(list(LayerName)), st.dictionaries(NAMES, MONEY, max_size=5), max_size=8
)


@given(MONEY, st.lists(MONEY, max_size=8))
def test_shares_sum_exactly_and_are_fair(amount, weights):
    shares = pro_rata(amount, weights)
    whole = sum(weights)
    assert sum(shares) == (amount if whole else 0)
    for share, weight in zip(shares, weights, strict=True):
        assert whole == 0 or abs(share * whole - amount * weight) < whole


@given(MONEY, st.lists(MONEY, max_size=8))
def test_nobody_gives_more_than_there_is(amount, caps):
    shares = pro_rata_capped(amount, caps)
    assert sum(shares) == min(amount, sum(caps))
    assert all(share <= cap for share, cap in zip(shares, caps, strict=True))


@given(MONEY, PARTS)
def test_layers_are_used_in_order_and_within_their_caps(loss, parts):
    waterfall = bear(loss, parts)
    assert faults(waterfall, parts) == []
    turns = [TURN_OF[use.layer] for use in waterfall.uses]
    assert turns == sorted(turns)
    held = sum(amount for layer in parts.values() for amount in layer.values())
    assert waterfall.uncovered_usd_micros == max(0, loss - held)
    for turn, layer in enumerate(LAYERS[:-1]):
        later = any(TURN_OF[use.layer] > turn for use in waterfall.uses)
        if later:
            assert waterfall.used_of(layer.name) == sum(parts.get(layer.name, {}).values())


def test_a_planted_fault_is_found():
    parts = {LayerName.HOUSE_FIRST: {"house": 5}, LayerName.FUND_OF_OTHERS: {"a": 50, "b": 50}}
    fair = bear(25, parts)
    first, second, third = fair.uses
    assert (first.used_usd_micros, second.used_usd_micros, third.used_usd_micros) == (5, 10, 10)
    greedy = replace(fair, uses=(first, replace(second, used_usd_micros=60), third))
    assert any("more than it had" in fault for fault in faults(greedy, parts))
    jumped = replace(fair, uses=(second, third))
    assert any("not used up" in fault for fault in faults(jumped, parts))
    unfair = replace(fair, uses=(first, replace(second, used_usd_micros=11), third))
    assert faults(unfair, parts) == ["the shares are not those of the rule"]


def test_nobody_is_assessed_beyond_their_cap():
    assert assessments_of({"a": 1_000_000}) == {"a": 2_750_000}


LOSSES = {"s1": {"a": 90, "b": 80, "c": 10}, "s2": {"a": 50, "b": 200, "c": 70}}


def test_the_fund_covers_the_two_that_lose_most():
    covers = [
        cover_loss(name, losses, {"a": 40, "b": 50, "c": 60}) for name, losses in LOSSES.items()
    ]
    assert [cover.total_usd_micros for cover in covers] == [80, 160]
    assert covers[1].groups == ("b", "a")
    assert fund_size_usd_micros(covers) == 168
    assert fund_size_usd_micros([]) == 0


def test_alarms_say_which_loss_is_near_the_fund():
    covers = [cover_loss("s", {"a": 50, "b": 41}, {})]
    found = [(alarm.kind, alarm.used_bps) for alarm in alarms(covers, 100)]
    assert found == [
        (AlarmKind.TWO_LARGEST, 9_100),
        (AlarmKind.LARGEST, 5_000),
        (AlarmKind.SECOND, 4_100),
    ]
    assert alarms(covers, 1_000) == []
    assert len(alarms(covers, 0)) == 3


@given(MONEY, st.dictionaries(NAMES, MONEY, min_size=1), st.integers(0, 10**6))
def test_contributions_make_up_the_fund(size, margins, least):
    given_in = contributions_usd_micros(size, margins, least)
    assert sum(given_in.values()) == max(size, least * len(margins))
    assert min(given_in.values()) >= least


VARIATIONS = st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=7)


@given(VARIATIONS, st.lists(st.integers(-(10**8), 10**9), min_size=8, max_size=8), MONEY)
def test_shared_losses_keep_all_money_and_touch_nobody_who_gained_nothing(moves, equity, insurance):
    moves = [*moves, -sum(moves)]
    variations = {str(place): move for place, move in enumerate(moves)}
    before = {str(place): amount for place, amount in enumerate(equity)}
    shared = settle_shared(variations, before, insurance)
    total = sum(shared.equity.values()) + shared.insurance_usd_micros
    assert total == sum(before.values()) + insurance
    for name, move in variations.items():
        if move == 0:
            assert shared.equity[name] == before[name]
        if move > 0:
            assert shared.equity[name] >= before[name]
            assert shared.haircut.get(name, 0) <= move
    if shared.haircut:
        assert shared.insurance_usd_micros == 0
    for name in set(before) - set(variations):
        assert shared.equity[name] == before[name]


def test_an_alarm_is_told_in_words_and_an_empty_fund_has_no_share():
    alarm = Alarm(kind=AlarmKind.TWO_LARGEST, scenario="7", used_bps=9_550, limit_bps=9_000)
    what = "the sum of the two largest losses beyond margin in scenario 7"
    assert alarm_text(alarm, 1) == f"{what} is 95.5 % of it; alarm from 90 %"
    assert alarm_text(alarm, 0) == f"it is empty, and there is {what}"
