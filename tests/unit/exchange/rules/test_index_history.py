"""The history of the index: fallback, attribution, limits, finality, the chain."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.rules.index.history import History
from exchange.rules.index.names import Value
from exchange.rules.index.prints import (
    EMPTY,
    Head,
    Stamp,
    State,
    Step,
    chained,
    digest_of,
    stale_since,
)
from exchange.rules.tenors import DAY
from tests.support.index_offers import FIRST, USD, daily, days, draft, offers_of, run, steady

GLB, USE = "H100-GLB", "H100-USE"


def test_INDX_008_a_day_with_a_quorum_is_printed_from_its_own_panel():
    found = run(daily(steady()), 1)
    assert found[USE, FIRST].step == Step.PANEL
    assert found[USE, FIRST].price_usd_micros == 2_150_000
    assert found[USE, FIRST].explanation["quorum"] is True


def test_INDX_008_without_a_quorum_it_is_the_mean_of_the_last_three_and_says_so():
    prices = steady(5, 4)
    rising = {name: [p + at * 20_000 for at, p in enumerate(said)] for name, said in prices.items()}
    found = run(daily(rising), 20)
    last = days(20)[19]
    assert [found[GLB, day].price_usd_micros for day in days(4)] == [
        2_100_000, 2_120_000, 2_140_000, 2_160_000,
    ]  # fmt: skip
    assert found[GLB, last].step == Step.MEAN
    assert found[GLB, last].price_usd_micros == 2_160_000  # the last three with a quorum
    explained = found[GLB, last].explanation
    assert explained["quorum"] is False
    assert explained["days_without_quorum"] == 9  # it held for a week after the 4th


def test_INDX_008_nothing_is_printed_before_the_first_quorum():
    assert run(daily(steady(4)), 3) == {}


def hubs(count, europe_from=0):
    """Five providers in three hubs; the second hub is dearer by a fifth."""
    rows = []
    for at in range(5):
        for region, hub, factor in (("e", "USE", 10), ("w", "USW", 12), ("n", "EUN", 10)):
            if hub == "USW" and at > 2:
                continue  # three providers there: no quorum
            for day in days(count):
                price = (200 + at) * 1000 * factor
                rows.append(draft(f"p{at}", price, day, region=region, hub=hub))
    return rows


def test_INDX_009_a_hub_without_a_quorum_is_the_world_and_the_middle_of_its_spreads():
    found = run(hubs(12), 12)
    day = days(12)[9]
    assert ("H100-USW", days(12)[8]) not in found  # nine spreads are too few
    west, world = found["H100-USW", day], found[GLB, day]
    assert west.step == Step.SPREAD
    assert west.price_usd_micros - world.price_usd_micros == pytest.approx(400_000, rel=0.02)
    assert west.document["benchmark"] == world.inputs
    assert len(west.document["spreads"]) == 10
    assert found[USE, day].step == Step.PANEL


def test_INDX_009_without_a_worldwide_quorum_a_hub_has_no_spread_to_stand_on():
    found = run(hubs(12), 24)
    assert found["H100-USW", days(24)[23]].step == Step.MEAN


def test_INDX_010_the_parts_of_every_move_add_up_to_it():
    prices = steady(9, 12)
    prices["p3"][6:] = [2_500_000] * 6  # one moves
    prices["p8"][4:] = [0] * 8  # one leaves, a week later
    prices["p9"] = [0] * 5 + [900_000] * 7  # one joins
    found = run(daily(prices) + hubs(12), 20)
    assert len(found) > 40
    for one in found.values():
        before = one.explanation["previous"]
        move = sum(one.explanation["move_usd_micros"].values())
        assert one.price_usd_micros - (before["usd_micros"] if before else move) == move or (
            before is None and move == 0
        )


def test_INDX_010_who_joins_is_no_price_move():
    prices = steady(6, 3)
    prices["new"] = [0, 2_000_000, 2_000_000]
    moves = run(daily(prices), 2)[GLB, days(2)[1]].explanation["move_usd_micros"]
    assert moves["matched"] == moves["exit"] == 0
    assert moves["entry"] < 0


def test_INDX_011_a_panel_that_changes_moves_a_print_two_per_cent_a_day_until_it_is_there():
    prices = steady(5, 12)
    for at in range(5):  # as many again, at half the price
        prices[f"new{at}"] = [0, *[1_100_000 + at] * 11]
    found = [run(daily(prices), 12)[GLB, day] for day in days(12)]
    steps = [
        10_000 * (two.price_usd_micros - one.price_usd_micros) // one.price_usd_micros
        for one, two in pairwise(found)
    ]
    assert steps[0] == -200
    assert min(steps) == -200
    assert found[1].explanation["limits"] == ["panel"]
    assert found[1].explanation["raw_usd_micros"] < 1_600_000


def test_INDX_011_a_move_that_most_providers_make_passes_whole():
    prices = {f"p{at}": [2 * USD + at, (2 * USD + at) * 6 // 10] for at in range(7)}
    found = run(daily(prices), 2)
    assert found[GLB, days(2)[1]].price_usd_micros == found[GLB, FIRST].price_usd_micros * 6 // 10
    assert found[GLB, days(2)[1]].explanation["limits"] == []


def test_INDX_011_a_move_that_a_minority_makes_passes_three_per_cent_a_day():
    prices = {f"p{at}": [2 * USD, 2 * USD] for at in range(4)}
    prices |= {f"q{at}": [2 * USD + 1, 3 * USD] for at in range(4)}
    prices["z"] = [2 * USD + 2, 2 * USD + 2]
    one = run(daily(prices), 2)[GLB, days(2)[1]]
    limit = 2 * USD * 500 // 10_000
    assert 0 < one.price_usd_micros - 2 * USD <= limit + 2


def test_INDX_013_what_is_told_after_a_print_is_final_never_changes_it():
    early = offers_of(daily(steady(6, 3)))
    late = [
        offer._replace(number=offer.number + len(early))
        for offer in offers_of([draft(f"late{at}", USD, FIRST) for at in range(9)])
    ]
    alone, told = History(early), History([*early, *late])
    assert alone.final(FIRST, len(early)) == told.final(FIRST, len(early))
    after = told.final(days(2)[1], len(early) + len(late))
    assert after != alone.final(days(2)[1], len(early))


def test_INDX_013_a_provisional_print_remembers_nothing():
    offers = offers_of(daily(steady(6, 3)))
    one, two = History(offers), History(offers)
    for day in days(3):
        assert one.provisional(day, len(offers)) == one.provisional(day, len(offers))
        assert one.final(day, len(offers)) == two.final(day, len(offers))


def test_INDX_013_an_observation_of_the_next_day_does_not_count():
    told = daily(steady(6, 1)) + [draft("p9", USD, FIRST + timedelta(days=1))]
    assert run(told, 1) == run(daily(steady(6, 1)), 1)


def rows(drafts, count):
    offers = offers_of(drafts)
    history, head, found = History(offers), EMPTY, []
    for day in days(count):
        stamp = Stamp(State.FINAL, 1, len(offers))
        for one in chained(history.final(day, len(offers)), stamp, head):
            found.append(one)
            head = Head(one.position, one.digest)
    return found


def test_INDX_014_each_print_covers_all_before_it():
    found = rows(daily(steady(6, 4)), 4)
    assert [one.position for one in found] == list(range(1, len(found) + 1))
    assert digest_of(found[0].digest, found[1]) == found[1].digest
    others = {"price_usd_micros": 1, "step": 3, "method": "x", "inputs": "y", "observed_to": 2}
    others |= {"explanation": {}, "state": "provisional", "name": "H200-GLB", "revision": 2}
    for name, value in others.items():
        changed = found[1]._replace(**{name: value})
        assert digest_of(found[0].digest, changed) != found[1].digest


def test_INDX_014_one_changed_observation_changes_the_chain():
    prices = steady(6, 4)
    before = rows(daily(prices), 4)
    prices["p0"][2] += 1
    after = rows(daily(prices), 4)
    assert [one.digest for one in before[:4]] == [one.digest for one in after[:4]]
    assert before[-1].digest != after[-1].digest


def test_INDX_016_two_people_publish_a_value_only_where_there_is_no_quorum():
    offers = offers_of(daily(steady(5, 2)))
    day = days(20)[15]
    value = Value(2_222_000, (("alice", "two brokers asked"), ("bob", "the same brokers")))
    history, found = History(offers), {}
    for one in days(20):
        values = {(GLB, one): value} if one in (FIRST, day) else {}
        found[one] = next(f for f in history.final(one, len(offers), values) if f.name == GLB)
    assert found[FIRST].step == Step.PANEL
    assert (found[day].step, found[day].price_usd_micros) == (Step.COMMITTEE, 2_222_000)
    assert found[day].document["committee"][0] == ["alice", "two brokers asked"]
    assert found[days(20)[16]].price_usd_micros == 2_140_667


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_INDX_010_and_011_hold_whatever_providers_say(data):
    price = st.one_of(st.just(0), st.integers(USD, 9 * USD), st.integers(1, 100 * USD))
    prices = {f"p{at}": data.draw(st.lists(price, min_size=6, max_size=6)) for at in range(8)}
    found = run(daily(prices), 16)
    for one in found.values():
        before = one.explanation["previous"]
        if before is None:
            continue
        move = one.explanation["move_usd_micros"]
        assert before["usd_micros"] + sum(move.values()) == one.price_usd_micros > 0
        if one.step == Step.PANEL and move["matched"] == 0:
            assert abs(sum(move.values())) * 10_000 <= before["usd_micros"] * 200


def test_INDX_008_a_print_says_since_when_nobody_stands_for_it():
    found = run(daily(steady(5, 4)), 20)
    stamp = Stamp(State.FINAL, 1, 0)
    prints = list(chained((found[GLB, day] for day in days(20)), stamp, EMPTY))
    gone = next(one for one in prints if one.step == Step.MEAN)
    assert [stale_since(one) for one in prints if one.step != Step.MEAN] == [None] * 11
    assert {stale_since(one) for one in prints if one.step == Step.MEAN} == {gone.day}
    good = prints[0]
    assert stale_since(good, good.day + 2 * DAY) is None
    assert stale_since(good, good.day + 3 * DAY) == good.day + DAY
