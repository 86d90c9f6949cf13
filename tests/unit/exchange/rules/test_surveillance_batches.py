"""The alerts of a journal do not depend on how its commands were cut into batches."""

import random
from collections.abc import Iterator

import numpy as np
import pytest

from exchange.rules.surveillance import Alert, Pattern, Watcher
from exchange.rules.surveillance.wash import Wash
from matching.codes import Kind, Side, Stp
from tests.support.rows import SECOND_NS, command
from tests.unit.exchange.rules.test_surveillance import CLOSE_NS, MS, Floor

PAUSES_NS = (0, MS, 200 * MS, 2 * SECOND_NS, 25 * SECOND_NS, 70 * SECOND_NS, 3600 * SECOND_NS)
OWNERS = ("crook", "crook", "crook", "maker", "other", "more", "more")


def busy_floor(seed: int) -> Floor:
    """Return a market of a few owners, most of what they do being suspicious."""
    chance = random.Random(seed)
    floor = Floor(now_ns=CLOSE_NS - 2 * 3600 * SECOND_NS, owners=OWNERS)
    placed: list[tuple[int, int]] = []
    for _ in range(600):
        after_ns = chance.choice(PAUSES_NS[: chance.choice((2, 2, 2, 4, 7))])
        if chance.random() < 0.4:
            floor.do(command(Kind.TICK), after_ns)  # nothing happens, time passes
            continue
        if placed and chance.random() < 0.25:
            floor.cancel(*placed.pop(chance.randrange(len(placed) // 2, len(placed))), after_ns)
            continue
        who, side = chance.randrange(len(OWNERS)), chance.choice((Side.BUY, Side.SELL))
        price = 2_000 + chance.randint(-3, 3) * chance.choice((1, 10, 30))
        lots = chance.choice((1, 2, 5, 200))
        placed.append((who, floor.place(who, side, price, lots, after_ns, stp=Stp.NONE)))
    return floor


def cut(floor: Floor, chance: random.Random, most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the journal of a market again, in other batches."""
    first = 0
    while first < len(floor.rows):
        last = first + chance.randint(1, most)
        yield np.concatenate(floor.rows[first:last]), np.concatenate(floor.events[first:last])
        first = last


def alerts_of(floor: Floor, seed: int, most: int) -> list[Alert]:
    """Return what a watcher of other batches tells."""
    watcher = Watcher(lambda idx: OWNERS[idx])
    batches = cut(floor, random.Random(seed), most)
    return [alert for commands, events in batches for alert in watcher.take(commands, events)]


@pytest.mark.parametrize("seed", range(8))
def test_other_batches_are_the_same_alerts(seed: int) -> None:
    floor = busy_floor(seed)
    assert Pattern.WASH_TRADE in floor.patterns() and len(floor.alerts) > 10
    for most in (3, 40, 1_000):
        assert alerts_of(floor, seed, most) == floor.alerts


def floor_with_a_pause() -> Floor:
    """Return three wash trades; a minute after the first nothing happens, but time passes."""
    floor = Floor(owners=OWNERS)
    for pause in (0, 1, 124):
        if pause == 124:
            floor.do(command(Kind.TICK), 60 * SECOND_NS)
            pause -= 60
        floor.place(0, Side.SELL, 2_000, 5, pause * SECOND_NS)
        floor.place(1, Side.BUY, 2_000, 5)
    return floor


def test_what_was_gathered_counts_as_told_the_minute_it_was_due() -> None:
    floor = floor_with_a_pause()
    assert [one.figures["trades"] for one in floor.alerts] == [1, 1, 1]
    assert alerts_of(floor, 0, 1_000) == floor.alerts


def test_a_minute_counted_from_the_end_of_a_batch_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = Wash.passed

    def late(self: Wash, ts_ns: int) -> Iterator[Alert]:
        for alert in passed(self, ts_ns):
            self._last_ns[alert.subject, alert.contract_idx] = ts_ns
            yield alert

    monkeypatch.setattr(Wash, "passed", late)
    floor = floor_with_a_pause()
    assert any(alerts_of(floor, seed, 1_000) != floor.alerts for seed in range(5))
