"""Every batch comes to everyone once and in order, whichever way it comes first."""

import asyncio

import pytest

from exchange.io.batch import Batch
from exchange.io.bus_memory import MemoryBus
from exchange.io.journal_memory import MemoryJournal
from exchange.rules.mirror import Mirror
from exchange.services.node.following import Following
from tests.support.batches import batch
from tests.support.waiting import until


class Process:
    """A journal, a bus and one who follows; what it heard is noted."""

    def __init__(self) -> None:
        self.journal, self.bus, self.mirror = MemoryJournal(), MemoryBus(), Mirror()
        self.given: list[tuple[str, int]] = []
        self.following = Following(
            self.mirror,
            lambda one: self.note("applied", one),
            lambda one: self.note("foreseen", one),
            [lambda one: self.note("heard", one)],
        )
        self.bus.attach(self.following)

    def note(self, what: str, one: Batch) -> None:
        self.given.append((what, one.first_seq))

    async def commit(self, one: Batch, *, announced: bool = True) -> None:
        """Do as the sequencer does."""
        if announced:
            self.bus.announce(one)
        await asyncio.sleep(0)
        await self.journal.append(one)
        await self.bus.publish(one)

    def applied(self) -> list[int]:
        """Return the first commands of the batches that were given, which all heard of."""
        applied = [seq for what, seq in self.given if what == "applied"]
        assert applied == [seq for what, seq in self.given if what == "heard"]
        return applied


@pytest.fixture
async def process():
    one = Process()
    running = asyncio.create_task(one.following.run(one.journal, one.bus))
    await asyncio.sleep(0.01)
    yield one
    running.cancel()


async def test_an_announced_batch_is_given_before_its_publication_returns(process: Process):
    await process.commit(batch(1))
    assert process.given == [("foreseen", 1), ("applied", 1), ("heard", 1)]
    await asyncio.sleep(0.01)
    assert process.applied() == [1]


async def test_one_that_was_not_announced_is_given_in_a_later_turn(process: Process):
    await process.commit(batch(1), announced=False)
    assert process.given == []
    await until(process.applied)
    assert process.given == [("applied", 1), ("heard", 1)]


async def test_small_batches_wait_for_a_large_one_before_them(process: Process):
    await process.commit(batch(1, 20), announced=False)
    await process.commit(batch(21))  # a turn of the loop is in between, so it is the next
    process.bus.announce(last := batch(24))
    await process.bus.publish(last)  # whose predecessor is not here yet
    assert process.applied() == [1, 21]
    await process.journal.append(batch(22, 2))
    await process.journal.append(last)
    await until(lambda: process.applied() == [1, 21, 22, 24])


async def test_what_the_journal_brought_first_is_not_given_again(process: Process):
    one = batch(1)
    process.bus.announce(one)
    await process.journal.append(one)
    await until(process.applied)  # the bus was silent, so the journal was asked
    await process.bus.publish(one)
    await asyncio.sleep(0.01)
    assert process.applied() == [1]
