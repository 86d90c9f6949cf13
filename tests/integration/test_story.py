"""A quarter is hedged, cascades, is delivered and settled, and closes to the micro-dollar."""

from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from exchange.io import delivery
from exchange.rules.delivery.deeds import Deed, Payment
from exchange.rules.delivery.metering import assess
from exchange.rules.tenors import DAY, ns_of
from tests.story.chapters import (
    FIRST,
    JANUARY,
    OPENS,
    Outage,
    Told,
    day_passed,
    delivered,
    opened,
    received,
)
from tests.story.closing import dues, faults
from tests.story.page import PAGE, page
from tests.story.telling import told_of
from tests.story.world import StoryWorld, story_world


class Shown(NamedTuple):
    """What a run came to."""

    wrong: list[str]
    page: str


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_quarter_is_hedged_cascades_is_delivered_and_settled_and_closes(
    database, pool, tmp_path: Path
):
    async with story_world(database, pool, tmp_path, ns_of(OPENS, 9)) as world:
        told = await told_of(world)
        shown = Shown(await faults(world, told), page(told, await dues(world, told)))
        assert set(await left_out(world)) == {"delivery fees are of all lots held"}
    assert shown.wrong == []
    assert shown.page == PAGE.read_text(), "rules have changed: run python -m tests.story"


async def left_out(world: StoryWorld) -> list[str]:
    """Return what is found when somebody who held lots into delivery was left out."""
    owner = await world.database.connect_owner()
    try:
        async with owner.transaction():
            await owner.execute("ALTER TABLE delivery_fee DISABLE TRIGGER append_only")
            await owner.execute("DELETE FROM delivery_fee WHERE qty_lots < 0")
            rows = await owner.fetch("SELECT rule FROM violation_delivery_fee")
            raise Undone
    except Undone:
        return [row["rule"] for row in rows]
    finally:
        await owner.close()


class Undone(Exception):
    """Takes a planted change back."""


async def a_day_delivered(world: StoryWorld) -> Told:
    """Deliver one day, with five hours missing."""
    told = Told(outage=Outage(day=JANUARY))
    await opened(world)
    await day_passed(world, JANUARY - 2 * DAY)
    await day_passed(world, JANUARY - DAY)
    ticks = world.mirror.contracts[world.mirror.symbols[FIRST]].settle_ticks
    await received(world, told, JANUARY + DAY, ticks)
    for day in (JANUARY, JANUARY + DAY):
        await delivered(world, told, day)
    await day_passed(world, JANUARY + 2 * DAY)
    for job in world.parts.night._jobs[1:]:
        await job()
    return told


def twice(receipt, hour) -> Deed:
    """Judge an hour, and pay what is due for it once more."""
    deed = assess(receipt, hour)
    more = (Payment(one.purpose, one.place + 10**7, *one[2:]) for one in deed.payments)
    return Deed(deed.changes, (*deed.payments, *more))


def unpaid(receipt, hour) -> Deed:
    """Judge an hour, and forget to pay what is due for the first that was missed."""
    deed = assess(receipt, hour)
    return deed if receipt.missed_hours else Deed(deed.changes)


@pytest.mark.parametrize(
    ("bug", "named"),
    [
        (None, set()),
        (twice, {"cash of lab", "ledger of lab", "cash of neocloud", "ledger of neocloud"}),
        (unpaid, {"cash of lab", "ledger of lab", "escrow"}),
    ],
)
async def test_a_penalty_that_is_paid_twice_or_not_at_all_does_not_close(
    database, pool, tmp_path: Path, monkeypatch, bug, named
):
    if bug is not None:
        monkeypatch.setattr(delivery, "assess", bug)
    async with story_world(database, pool, tmp_path, ns_of(date(2026, 12, 30), 9)) as world:
        wrong = await faults(world, await a_day_delivered(world))
    assert {one.partition(":")[0] for one in wrong} >= named
    assert bool(wrong) == (bug is not None)
