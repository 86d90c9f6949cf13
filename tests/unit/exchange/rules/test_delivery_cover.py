"""What pledged receipts cover: CDR_017 and COLL_122."""

from dataclasses import replace

import pytest

from exchange.rules.contracts import parse_symbol
from exchange.rules.delivery import deeds
from exchange.rules.delivery.cover import Place, Pledge, Span, contract_for, covers, hours_of
from exchange.rules.delivery.deeds import Refused
from exchange.rules.delivery.receipts import NOBODY, Status
from tests.support.receipts import BUYER, ISSUER, OTHER, receipt

HOUSE = 9
MONTHS = ("2027M01", "2027M02", "2027M03")
NAMES = [f"H100-USE-{code}" for code in ("2027Q1", *MONTHS)]
QUARTER, JANUARY = (hours_of(parse_symbol(name)) for name in NAMES[:2])
NOW = QUARTER[0] - 100


def finder(*over, days=0):
    """Return what finds quarter and months, and as many days of January."""
    names = NAMES + [f"{NAMES[1]}D{day:02d}" for day in range(1, days + 1)]
    places = {name: Place(at, name in over) for at, name in enumerate(names)}
    return places.get


def held(hours=QUARTER, **more):
    return receipt(start_hour=hours[0], end_hour=hours[1], **more)


def pledged(symbol=NAMES[0], hours=QUARTER, **more):
    one = held(hours, **more)
    return deeds.pledge(one, one.holder_idx, HOUSE, symbol).changes[0].receipt


def cover(*pledges, spans=(), find=None, now=NOW):
    rows = [one if isinstance(one, Pledge) else Pledge(one, len(one.nodes)) for one in pledges]
    return covers(rows, spans, find or finder(), now)


def refusal(call, *args):
    with pytest.raises(Refused) as found:
        call(*args)
    return found.value.code


def test_CDR_017_a_cover_is_asked_back_by_its_holder_and_margin_decides():
    one = pledged()
    assert (one.status, one.pledgee_idx, one.covers) == (Status.PLEDGED, HOUSE, NAMES[0])
    assert refusal(deeds.unpledge, one, HOUSE) == "receipt_not_yours"
    asked = deeds.unpledge(one, ISSUER).changes[0].receipt
    assert asked.status == Status.RELEASING
    for call in (deeds.unpledge, deeds.redeem):
        args = (asked, ISSUER) if call is deeds.unpledge else (asked, ISSUER, NOW)
        assert refusal(call, *args) == "receipt_state"
    (kept,) = deeds.released(asked, "cover_needed").changes
    assert (kept.receipt, kept.note) == (one, "cover_needed")
    free = deeds.released(asked, "").changes[0].receipt
    assert free == held() and free.pledgee_idx == NOBODY


def test_CDR_017_a_receipt_is_pledged_for_a_contract_whose_hours_it_has():
    find = finder(days=2)
    assert contract_for(held(), "", NOW, find) == NAMES[0]
    assert contract_for(held(), NAMES[1], NOW, find) == NAMES[1]
    assert contract_for(held(JANUARY), "", NOW, find) == NAMES[1]
    inside = JANUARY[0] + 5  # in delivery: the hours that are left
    assert contract_for(held((inside, JANUARY[1])), NAMES[1], inside - 1, find) == NAMES[1]
    for one, symbol in (
        (held(JANUARY), NAMES[0]), (held(), "H100-USE-2027M04"), (held(), "H100"),
        (held(hub="USW"), NAMES[1]), (held(grade="T"), NAMES[1]), (held((NOW, NOW + 9)), ""),
        (held((inside, JANUARY[1])), NAMES[1]),
    ):  # fmt: skip
        assert refusal(contract_for, one, symbol, NOW, find) == "cover_contract"
    assert refusal(contract_for, held(), NAMES[1], NOW, finder(NAMES[1])) == "cover_contract"


def test_COLL_122_a_pledge_counts_85_percent_rounded_down_for_its_contract_alone():
    assert cover(pledged()) == {(ISSUER, 0): 13}  # 85 % of 16
    assert cover(pledged(), pledged(holder_idx=BUYER)) == {(ISSUER, 0): 13, (BUYER, 0): 13}
    more = pledged(nodes=("n3", "n4", "n5"))
    assert cover(pledged(), more) == {(ISSUER, 0): 34}  # of 40: what is left over is added up


def test_COLL_122_a_pledge_follows_its_contract_and_no_hour_covers_twice():
    one, days = pledged(), finder(NAMES[0], NAMES[1], days=31)
    assert cover(one, find=finder(NAMES[0])) == {(ISSUER, at): 13 for at in (1, 2, 3)}
    followed = cover(one, find=days)
    assert followed == {(ISSUER, at): 13 for at in (2, 3, *range(4, 35))}
    assert cover(one, find=days, now=JANUARY[1]) == {(ISSUER, 2): 13, (ISSUER, 3): 13}
    assert cover(one, find=finder(*NAMES)) == {}
    assert cover(one, now=QUARTER[1]) == {}


def test_COLL_122_what_the_grid_takes_or_is_out_covers_nothing():
    one, hub = pledged(NAMES[1], JANUARY), "USE"
    first = JANUARY[0]
    half = [Span(hub, first, first + 300), Span(hub, first + 200, first + 372)]
    assert cover(one, spans=half) == {(ISSUER, 1): 6}  # half of 16, and 85 % of that
    assert cover(one, spans=[Span("USW", *JANUARY)]) == {(ISSUER, 1): 13}
    assert cover(one, spans=[Span(hub, first - 50, first)]) == {(ISSUER, 1): 13}
    assert cover(one, spans=half, now=first + 372) == {(ISSUER, 1): 13}  # it is over
    assert cover(Pledge(one, 1)) == {(ISSUER, 1): 6}
    assert cover(Pledge(one, 0)) == {(ISSUER, 1): 0}  # said, so that the engine is told


def test_a_pledge_to_another_account_covers_nothing():
    given = deeds.pledge(held(), ISSUER, OTHER).changes[0]
    assert (given.kind, given.receipt.covers) == ("pledged", "")
    assert replace(given.receipt, status=Status.ACTIVE, pledgee_idx=NOBODY) == held()
