"""The queues at both ends of a bus."""

import asyncio

import numpy as np
import pytest

from exchange.io.batch import Batch
from exchange.io.bus import UNREAD_BATCHES_MAX, WAITING_COMMANDS_MAX, Inbox, Outlet
from exchange.io.bus_memory import MemoryBus
from exchange.io.errors import BusUnavailable
from matching.wire import new_commands
from tests.support.batches import batch


def rows(*request_ids: int) -> np.ndarray:
    commands = new_commands(len(request_ids))
    commands["request_id"] = request_ids
    return commands


def test_what_is_taken_keeps_its_order_over_pieces_of_any_size():
    inbox = Inbox()
    inbox.put(rows(1, 2, 3))
    inbox.put(rows(4).tobytes())
    inbox.put(rows(5, 6))
    taken = [inbox.take(count)["request_id"].tolist() for count in (2, 0, 3, 9, 9)]
    assert taken == [[1, 2], [], [3, 4, 5], [6], []]
    assert inbox.count == 0


def test_an_inbox_wakes_at_each_arrival_and_for_what_was_there_before():
    inbox, woken = Inbox(), []
    inbox.put(rows(1))
    inbox.on_arrival(lambda: woken.append(1))
    inbox.put(rows(2))
    assert woken == [1, 1]


def test_a_full_inbox_refuses_and_keeps_what_it_has():
    inbox = Inbox()
    inbox.put(new_commands(WAITING_COMMANDS_MAX - 1))
    with pytest.raises(BusUnavailable):
        inbox.put(new_commands(2))
    inbox.put(new_commands(1))
    assert inbox.count == WAITING_COMMANDS_MAX


def test_half_a_command_is_a_bug_of_ours():
    with pytest.raises(AssertionError):
        Inbox().put(b"x" * 127)


def test_a_command_is_sent_at_once_unless_too_many_wait():
    bus = MemoryBus()
    assert bus.try_send(rows(1).tobytes())
    assert bus.take(9)["request_id"].tolist() == [1]
    for _ in range(WAITING_COMMANDS_MAX):
        assert bus.try_send(rows(2).tobytes())
    assert not bus.try_send(rows(3).tobytes())
    assert set(bus.take(WAITING_COMMANDS_MAX)["request_id"].tolist()) == {2}


async def test_an_outlet_gives_batches_then_silence_then_the_end():
    outlet = Outlet()
    outlet.put(batch(1))
    assert (await outlet.get(1)).first_seq == 1
    assert await outlet.get(0.001) is None
    waiting = asyncio.create_task(outlet.get(10))
    await asyncio.sleep(0)
    outlet.put(batch(2))
    assert (await waiting).first_seq == 2
    outlet.close()
    assert await outlet.get(10) is None
    assert [b async for b in outlet] == []


async def test_a_reader_is_not_told_of_silence_while_batches_come():
    outlet = Outlet()
    waiting = asyncio.create_task(outlet.get(10))
    await asyncio.sleep(0)
    outlet.put(batch(1))
    assert (await waiting).first_seq == 1
    waiting = asyncio.create_task(outlet.get(10))
    await asyncio.sleep(0)
    outlet._look(10)  # the timer of the first look: something came since
    await asyncio.sleep(0)
    assert not waiting.done()
    outlet._look(10)  # and nothing since then
    assert await waiting is None


async def test_an_outlet_that_is_not_read_forgets_the_oldest():
    outlet = Outlet()
    for seq in range(1, UNREAD_BATCHES_MAX + 11):
        outlet.put(batch(seq))
    assert (await outlet.get(1)).first_seq == 11


async def test_a_cancelled_reader_loses_nothing():
    outlet = Outlet()
    reading = asyncio.create_task(outlet.get(10))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait({reading})
    outlet.put(batch(1))
    assert (await outlet.get(1)).first_seq == 1


class Hearing:
    """A listener that notes what it hears, and what subscribers had by then."""

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet
        self.heard: list[tuple[str, int, int]] = []

    def foresee(self, batch: Batch) -> None:
        self.heard.append(("foresee", batch.first_seq, len(self.outlet._batches)))

    def take(self, batch: Batch) -> None:
        self.heard.append(("take", batch.first_seq, len(self.outlet._batches)))


async def test_who_listens_is_told_of_an_announced_batch_at_once_and_of_no_other():
    bus = MemoryBus()
    outlet = bus.subscribe()
    hearing = Hearing(outlet)
    bus.attach(hearing)
    await bus.publish(batch(1))
    bus.announce(second := batch(2))
    assert hearing.heard == []  # whoever announces goes on with its commit first
    await asyncio.sleep(0)
    await bus.publish(second)
    await bus.publish(batch(3))
    assert hearing.heard == [("foresee", 2, 1), ("take", 2, 2)]
    assert [(await outlet.get(1)).first_seq for _ in range(3)] == [1, 2, 3]
