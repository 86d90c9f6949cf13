"""Panels of the index: which offers count, with what weight."""

from dataclasses import replace

import pytest

from exchange.rules.index.method import METHOD
from exchange.rules.index.panel import (
    JUNK,
    LOWER_TIER,
    TRIMMED,
    WHOLE_PPB,
    capped_shares_ppb,
    digest_of,
    junk_numbers,
    middle,
    panel_of,
)
from exchange.rules.index.prints import cutoff_ns
from exchange.rules.index.standing import COUNTED, HELD, Book, Stand
from tests.support.index_offers import FIRST, USD, days, draft, offers_of

BUCKET = ("H100-SXM", "N")


def panel(drafts, method=METHOD):
    stands = [Stand(offer, COUNTED) for offer in offers_of(drafts)]
    return panel_of(stands, junk_numbers(stands, method), method)


def statuses(found):
    return [row[6] for row in found.document["offers"]]


def five(usd_micros=2 * USD, **more):
    return [draft(f"p{at}", usd_micros, **more) for at in range(5)]


def test_INDX_001_every_parameter_is_in_the_name_of_the_method():
    names = {METHOD.name}
    for changed in (
        {"providers_min": 6}, {"provider_cap_bps": 5000}, {"trims": ((9, 1),)},
        {"panel_cap_bps": 201}, {"minority_cap_bps": 1}, {"offer_life_days": 8},
        {"lives": METHOD.lives[1:]}, {"tiers": METHOD.tiers[:1]}, {"version": "2"},
    ):  # fmt: skip
        names.add(replace(METHOD, **changed).name)
    assert len(names) == 10
    assert METHOD.name.startswith("1:")


def test_INDX_002_the_highest_tiers_with_a_quorum_make_the_panel():
    trades = five(2 * USD, kind="trade")
    cards = five(3 * USD, kind="rate_card")
    found = panel(trades + cards)
    assert (found.tier, found.usd_micros) == (1, 2 * USD)
    assert statuses(found).count(LOWER_TIER) == 5

    mixed = panel(trades[:4] + five(3 * USD, kind="offer"))
    assert (mixed.tier, mixed.providers) == (2, 5)
    assert panel(trades[:4] + cards).tier == 3


def test_INDX_003_the_newest_word_of_an_offer_stands_and_an_older_one_never_replaces_it():
    book, today = Book(), FIRST
    new, old = draft("p", 2 * USD, days(3)[2]), draft("p", 3 * USD)
    one, two = offers_of([new])[0], offers_of([old])[0]
    book.take([one, two])
    assert [s.offer for s in book.stands(BUCKET, cutoff_ns(days(3)[2]))] == [one]
    assert today == FIRST


@pytest.mark.parametrize(("age_days", "stands"), [(7, True), (8, False)])
def test_INDX_003_a_stale_offer_leaves(age_days, stands):
    book = Book()
    book.take(offers_of([draft("p", 2 * USD)]))
    at = cutoff_ns(days(age_days + 1)[-1])
    assert bool(list(book.stands(BUCKET, at))) is stands


def test_INDX_003_prices_of_a_source_that_tells_changes_hold_while_it_speaks():
    book = Book()
    source = {"source": "gpurentalprices"}
    book.take(offers_of([draft("a", 2 * USD, **source), draft("b", USD, days(60)[-1], **source)]))
    assert len(list(book.stands(BUCKET, cutoff_ns(days(120)[-1])))) == 2
    assert not list(book.stands(BUCKET, cutoff_ns(days(121)[-1])))


def test_INDX_004_a_price_that_more_than_doubles_is_held_back_for_two_days():
    book = Book()
    book.take(offers_of([draft("p", 2 * USD), draft("p", 5 * USD, days(2)[1])]))
    held = [[s.status for s in book.stands(BUCKET, cutoff_ns(day))] for day in days(5)[1:]]
    assert held == [[HELD], [HELD], [COUNTED], [COUNTED]]


def test_INDX_004_who_goes_back_from_a_jump_counts_at_once_and_who_jumps_on_waits_no_longer():
    back, on = Book(), Book()
    back.take(offers_of([draft("p", 2 * USD, days(3)[0]), draft("p", 200 * USD, days(3)[1]),
                         draft("p", 2 * USD, days(3)[2])]))  # fmt: skip
    on.take(offers_of([draft("p", 2 * USD, days(3)[0]), draft("p", 5 * USD, days(3)[1]),
                       draft("p", 6 * USD, days(3)[2])]))  # fmt: skip
    assert [s.status for s in back.stands(BUCKET, cutoff_ns(days(3)[2]))] == [COUNTED]
    assert [s.status for s in on.stands(BUCKET, cutoff_ns(days(4)[3]))] == [COUNTED]


def test_INDX_004_an_offer_far_from_its_own_providers_median_is_junk():
    own = [draft("p0", 2 * USD, region=f"r{at}") for at in range(4)]
    found = panel([*five(), *own, draft("p0", 9 * USD, region="r9")])
    assert statuses(found).count(JUNK) == 1


def test_INDX_005_an_offer_weighs_by_its_capacity_and_none_more_than_a_campus():
    offers = offers_of(
        [draft("p0", 2 * USD, size_gpus=1), *(draft(f"p{at}", 3 * USD) for at in range(1, 6))]
    )
    weights = middle(offers, METHOD).weights_ppb
    assert weights[offers[0].number] * 8 == pytest.approx(weights[offers[1].number], abs=8)
    campus = [draft("p0", 2 * USD, size_gpus=size) for size in (1_024, 900_000)]
    assert len({panel([one, *five()[1:]]).usd_micros for one in campus}) == 1


@pytest.mark.parametrize(
    ("capacity", "shares"),
    [
        ({"a": 96, "b": 1, "c": 1, "d": 1, "e": 1}, (25, 18.75, 18.75, 18.75, 18.75)),
        ({"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}, (20, 20, 20, 20, 20)),
        ({"a": 90, "b": 90, "c": 90, "d": 5, "e": 5}, (25, 25, 25, 12.5, 12.5)),
        ({"a": 30, "b": 10, "c": 10, "d": 10, "e": 40}, (25, 16.6667, 16.6667, 16.6667, 25)),
        ({"a": 9, "b": 1}, (50, 50)),
    ],
)
def test_INDX_006_no_provider_weighs_more_than_a_quarter(capacity, shares):
    found = capped_shares_ppb(capacity, METHOD.provider_cap_bps)
    assert [found[name] / 10**7 for name in capacity] == pytest.approx(shares, abs=1e-4)
    assert WHOLE_PPB - len(capacity) <= sum(found.values()) <= WHOLE_PPB


@pytest.mark.parametrize(("providers", "trimmed"), [(7, 0), (8, 2), (12, 4), (20, 6)])
def test_INDX_007_larger_panels_lose_more_providers_at_both_ends(providers, trimmed):
    found = panel([draft(f"p{at:02d}", 2 * USD + at) for at in range(providers)])
    status = statuses(found)
    assert status.count(TRIMMED) == trimmed
    half = trimmed // 2
    assert status[:half] == [TRIMMED] * half == status[providers - half :]
    assert providers - trimmed >= METHOD.providers_min


def test_INDX_008_below_five_providers_or_offers_there_is_no_quorum():
    assert panel(five()).has_quorum
    assert not panel(five()[:4]).has_quorum
    many = [draft("p0", 2 * USD, region=f"r{at}") for at in range(9)]
    lacking = panel([*many, *five()[1:4]])
    assert not lacking.has_quorum
    assert lacking.usd_micros == 0


def test_INDX_012_the_inputs_of_a_panel_are_the_hash_of_all_that_stands():
    found = panel(five())
    assert found.inputs == digest_of(found.document)
    assert len(found.document["offers"]) == 5
    assert panel([draft("p0", 2 * USD + 1), *five()[1:]]).inputs != found.inputs
