"""What surveillance remembers is bounded: what is over is forgotten, and nobody can fill it."""

from collections import deque

import pytest

from exchange.rules.surveillance import Pattern
from exchange.rules.surveillance.alerts import EVIDENCE_MAX
from matching.codes import Kind, Side, Stp
from tests.support.rows import SECOND_NS, command
from tests.unit.exchange.rules.test_surveillance import CLOSE_NS, Floor


@pytest.fixture
def floor():
    return Floor()


def kept(thing: object) -> int:
    """Return how many things an object holds, all the way down."""
    if isinstance(thing, dict):
        return len(thing) + sum(map(kept, thing.values()))
    if isinstance(thing, list | deque):
        return len(thing) + sum(map(kept, thing))
    return sum(map(kept, vars(thing).values())) if hasattr(thing, "__dict__") else 0


def test_what_is_over_is_forgotten_of_every_owner_but_the_last_price():
    owners = tuple(f"owner {number}" for number in range(60))
    floor = Floor(now_ns=CLOSE_NS - 20 * 60 * SECOND_NS, owners=owners)
    patterns = [getattr(floor.watcher, name) for name in ("_wash", "_pulled", "_pushed")]
    for turn in range(120):
        floor.place(turn % 60, Side.SELL, 2_000, 5, stp=Stp.NONE)
        floor.place((turn + turn // 60) % 60, Side.BUY, 2_000, 5, stp=Stp.NONE)
    assert sum(map(kept, patterns)) > 600
    floor.do(command(Kind.TICK), 12 * 3600 * SECOND_NS)
    assert sum(map(kept, patterns)) == 1  # the tape of the contract


def test_a_walk_of_very_many_takes_keeps_its_ends_and_counts_all(floor: Floor):
    floor.place(3, Side.SELL, 2_000, 1_000)
    floor.place(3, Side.SELL, 2_021, 10)
    floor.now_ns = CLOSE_NS - 20 * 60 * SECOND_NS
    for _ in range(500):
        floor.take(0, Side.BUY, 2_000, 2)
    floor.take(0, Side.BUY, 2_021, 10)
    (alert,) = [one for one in floor.alerts if one.pattern == Pattern.WINDOW_RAMPING]
    assert (alert.figures["trades"], alert.figures["lots"]) == (501, 1_010)
    assert len(alert.seqs) == EVIDENCE_MAX and alert.seqs[-1] == floor.seq
    assert alert.seqs[0] == floor.seq - 500


@pytest.mark.parametrize("change", [{"qty_lots": 1}, {"price_ticks": 1_900}])
def test_who_amends_an_order_away_has_taken_it_away(floor: Floor, change: dict[str, int]):
    floor.place(0, Side.SELL, 2_001, 5)
    order_id = floor.place(0, Side.BUY, 1_999, 200)
    floor.take(2, Side.BUY, 2_001, 5)
    floor.amend(0, order_id, change)
    assert floor.patterns() == [Pattern.SPOOFING]
    assert floor.alerts[0].seqs[-1] == floor.seq and floor.alerts[0].figures["pulled_lots"] >= 199


def test_an_old_order_that_is_made_large_is_shown_from_then_on(floor: Floor):
    floor.place(0, Side.SELL, 2_001, 5)
    order_id = floor.place(0, Side.BUY, 1_999, 1)
    floor.now_ns += 60 * SECOND_NS
    floor.amend(0, order_id, {"qty_lots": 200})
    floor.take(2, Side.BUY, 2_001, 5)
    floor.cancel(0, order_id)
    assert floor.patterns() == [Pattern.SPOOFING]


def test_who_amends_towards_the_market_or_without_a_trade_takes_nothing_away(floor: Floor):
    floor.place(0, Side.SELL, 2_010, 5)
    order_id = floor.place(0, Side.BUY, 1_990, 200)
    floor.amend(0, order_id, {"price_ticks": 1_900})
    floor.amend(0, order_id, {"price_ticks": 1_990})
    floor.now_ns += 16 * SECOND_NS
    floor.take(2, Side.BUY, 2_010, 5)
    floor.amend(0, order_id, {"price_ticks": 1_999})
    assert not floor.alerts
    (desk,) = (d for key, d in floor.watcher._pulled._desks.items() if key[0] == 0)
    assert desk.pulled_lots == [0, 0] and desk.shown_lots == [200, 0]
