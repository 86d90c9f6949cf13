"""The sequencer: order, commit, release; halts and resumes; dies rather than release a bug."""

import asyncio
import itertools
from collections.abc import Iterable

import numpy as np
import pytest

from exchange.io.awake import Awake
from exchange.io.batch import Batch
from exchange.io.bus_memory import MemoryBus
from exchange.io.clock import ManualClock
from exchange.io.core import hash_of_saved
from exchange.io.errors import EpochLost, JournalUnavailable
from exchange.io.journal_memory import MemoryJournal
from exchange.io.snapshots import Snapshot
from exchange.io.status import Mode, Status
from exchange.services.recovery import Recovery
from exchange.services.sequencer import Cadence, Sequencer
from matching.codes import EventKind, Kind, OrderType, Tif
from matching.wire import new_commands
from tests.support.gated import GatedJournal
from tests.support.market import opening, orders, restore_small, small_engine
from tests.support.rows import command
from tests.support.waiting import until

SECOND_NS = 1_000_000_000
LINGER_NS = 300_000


class House:
    """A sequencer in a task, with everything it touches at hand."""

    def __init__(self, journal: MemoryJournal | None = None, **options) -> None:
        self.bus = MemoryBus()
        self.journal = journal or MemoryJournal()
        self.core = options.pop("core", None) or small_engine()
        self.clock = ManualClock(SECOND_NS)
        self.status = Status()
        self.outlet = self.bus.subscribe()
        self.sequencer = Sequencer(
            core=self.core,
            journal=self.journal,
            bus=self.bus,
            clock=self.clock,
            status=self.status,
            **options,
        )
        self.task = asyncio.create_task(self.sequencer.run())

    async def stop(self) -> None:
        self.sequencer.stop()
        await asyncio.wait_for(self.task, 60)

    async def released(self, until_seq: int) -> list[Batch]:
        batches: list[Batch] = []
        while not batches or batches[-1].last_seq < until_seq:
            batch = await self.outlet.get(60)
            assert batch is not None, "nothing was released for a minute"
            batches.append(batch)
        return batches


class SickJournal(MemoryJournal):
    """A journal that is unavailable some times: before, or after it has written."""

    def __init__(self, failures: list[str]) -> None:
        super().__init__()
        self.failures = failures
        self.calls: list[int] = []
        self.may_try_again = asyncio.Event()

    async def append(self, batch: Batch) -> None:
        self.calls.append(batch.first_seq)
        if len(self.calls) > 1:
            await self.may_try_again.wait()
        written = bool(self.batches) and self.batches[-1].last_seq == batch.last_seq
        failure = self.failures.pop(0) if self.failures else ""
        if failure == "before":
            raise JournalUnavailable("planted")
        if not written:
            await super().append(batch)
        if failure == "after":
            raise JournalUnavailable("planted")


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def hashes_of(house: House) -> int:
    return sum(b.state_hash is not None for b in house.journal.batches)


async def one_by_one(house: House, rows: Iterable[np.ndarray]) -> None:
    """Send each row when the one before is released: each is a batch of its own."""
    for row in rows:
        await house.bus.send(row)
        await house.released(house.core.last_seq + 1)


async def test_commands_are_numbered_stamped_committed_and_released_in_order():
    house = House()
    await house.bus.send(opening())
    batches = await house.released(9)
    assert [b.first_seq for b in batches] == [1]
    assert batches[0].commands["seq"].tolist() == list(range(1, 10))
    assert set(batches[0].commands["ts_ns"].tolist()) == {SECOND_NS}
    assert batches[0].events["kind"].tolist()[-1] == EventKind.LISTED
    assert house.status.journal_seq == house.status.seq == 9
    assert house.status.mode == Mode.NORMAL
    await house.stop()


async def test_nothing_is_released_before_its_commit():
    house = House(GatedJournal())
    await house.bus.send(opening())
    await house.journal.begun.wait()
    await turns()
    assert await house.outlet.get(0.02) is None
    assert (house.status.seq, house.status.journal_seq) == (9, 0)
    house.journal.gate.set()
    assert (await house.released(9))[0].first_seq == 1
    await house.stop()


async def test_what_arrives_while_a_batch_commits_is_applied_and_shares_the_next_commit():
    house = House(GatedJournal())
    await house.bus.send(opening())
    await house.journal.begun.wait()
    for row in itertools.islice(orders(1), 5):
        await house.bus.send(row)
        await turns(3)
    await until(lambda: house.status.seq == 14)  # applied, though the first is not committed
    assert house.status.journal_seq == 0
    house.journal.gate.set()
    assert [(b.first_seq, b.count) for b in await house.released(14)] == [(1, 9), (10, 5)]
    await house.stop()


async def test_a_batch_is_never_longer_than_its_limit(monkeypatch):
    monkeypatch.setattr("exchange.services.sequencer.BATCH_COMMANDS_MAX", 4)
    house = House()
    await house.bus.send(opening())
    batches = await house.released(9)
    assert max(b.count for b in batches) <= 4
    await house.stop()


async def test_a_tick_stands_at_the_head_when_an_order_is_due():
    house = House()
    await house.bus.send(opening())
    order = command(
        Kind.PLACE,
        price_ticks=2_000,
        qty_lots=1,
        order_type=OrderType.LIMIT,
        tif=Tif.GTD,
        expires_ns=5 * SECOND_NS,
    )
    await house.bus.send(order)
    await house.released(10)
    house.clock.advance(10 * SECOND_NS)
    await house.bus.send(next(orders(1)))
    batch = (await house.released(12))[-1]
    assert batch.commands["kind"].tolist() == [Kind.TICK, Kind.PLACE]
    assert batch.events["kind"].tolist()[:2] == [EventKind.TICKED, EventKind.CANCELLED]
    await house.stop()


async def test_time_never_goes_back():
    house = House()
    await house.bus.send(opening())
    await house.released(9)
    house.clock._now_ns = 5
    await house.bus.send(next(orders(1)))
    assert (await house.released(10))[-1].ts_ns == SECOND_NS
    await house.stop()


@pytest.mark.parametrize("failures", [["before"], ["after"], ["before", "after", "before"]])
async def test_a_lost_commit_halts_then_resumes_and_nothing_is_lost_or_doubled(failures):
    house = House(journal := SickJournal(failures))
    await house.bus.send(opening())
    await until(lambda: len(journal.calls) == 2)
    assert house.status.mode == Mode.HALTED and house.status.reason
    await house.bus.send(np.concatenate(list(itertools.islice(orders(1), 3))))
    journal.may_try_again.set()
    assert [(b.first_seq, b.count) for b in await house.released(12)] == [(1, 9), (10, 3)]
    assert house.status.mode == Mode.NORMAL and not house.status.reason
    assert journal.calls[: len(failures) + 1] == [1] * (len(failures) + 1)
    await house.stop()


async def test_a_lost_epoch_ends_the_run_and_releases_nothing():
    class Lost(MemoryJournal):
        async def append(self, batch: Batch) -> None:
            if self.batches:
                raise EpochLost("planted")
            await super().append(batch)

    clock = ManualClock(SECOND_NS)
    house = House(Lost(), awake=Awake(LINGER_NS, clock.now_ns))
    await house.bus.send(opening())
    await house.released(9)
    outlet = house.bus.subscribe()
    await house.bus.send(command(Kind.TICK))
    with pytest.raises(EpochLost):
        await asyncio.wait_for(house.task, 60)
    assert await outlet.get(0.01) is None
    assert house.status.journal_seq == 9 < house.status.seq
    clock.advance(SECOND_NS)
    await turns()
    assert [task for task in asyncio.all_tasks() if not task.done()] == [asyncio.current_task()]


async def test_staying_awake_changes_nothing_but_how_often_the_loop_turns():
    looks = itertools.count(1)
    asleep, awake = House(), House(awake=Awake(LINGER_NS, lambda: 1_000 * next(looks)))
    for house in (asleep, awake):
        await house.bus.send(opening())
        await house.released(9)
        await one_by_one(house, [command(Kind.TICK) for _ in range(20)])
        await house.stop()
    assert next(looks) > 60  # at the beginning and the end of 21 commits, and in between
    assert [b.to_bytes() for b in asleep.journal.batches] == [
        b.to_bytes() for b in awake.journal.batches
    ]


class Died(Exception):
    """The process would have ended."""


async def test_a_bug_in_the_core_ends_the_process_before_anything_is_released():
    def die() -> None:
        dead.set()
        raise Died

    dead = asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    house = House(GatedJournal(), die=die)
    await house.bus.send(opening())
    await house.journal.begun.wait()
    broken = next(orders(1))
    apply = house.core.apply

    def failing(commands: np.ndarray) -> np.ndarray:
        apply(commands)
        raise AssertionError("planted")

    house.core.apply = failing  # type: ignore[method-assign]
    await house.bus.send(broken)
    await asyncio.wait_for(dead.wait(), 60)
    assert await house.outlet.get(0.01) is None
    assert house.journal.batches == []
    house.task.cancel()


async def test_rows_of_an_unknown_kind_are_dropped():
    house = House()
    rows = np.concatenate([opening()[:1], new_commands(1), opening()[1:2]])
    rows["kind"][1] = 99
    await house.bus.send(rows)
    assert (await house.released(2))[0].commands["kind"].tolist() == [Kind.OPEN_ACCOUNT] * 2
    await house.stop()


async def test_stopping_commits_what_was_applied():
    house = House(GatedJournal())
    await house.bus.send(opening())
    await house.journal.begun.wait()
    await house.bus.send(next(orders(1)))
    await until(lambda: house.status.seq == 10)
    house.sequencer.stop()
    house.journal.gate.set()
    await asyncio.wait_for(house.task, 60)
    assert await house.journal.head() == 10


async def test_the_state_is_hashed_every_so_often_and_replays_to_the_same():
    house = House(cadence=Cadence(hash_commands=20, snapshot_commands=10**9))
    await house.bus.send(opening())
    await house.released(9)
    flow = orders(3)
    await one_by_one(house, itertools.islice(flow, 50))
    await until(lambda: hashes_of(house) >= 1)  # one that is still written puts the next one off
    await one_by_one(house, itertools.islice(flow, 50))
    await until(lambda: hashes_of(house) >= 2)
    await house.stop()
    core = await Recovery(house.journal, None, restore_small).run()
    assert core.state_hash() == house.core.state_hash()


def test_the_hash_of_a_saved_state_is_the_hash_of_the_state():
    core = small_engine()
    assert hash_of_saved(core.save()) == core.state_hash()


async def test_a_snapshot_is_due_from_the_newest_one_not_from_the_start():
    class Kept:
        def __init__(self) -> None:
            self.seqs: list[int] = []

        async def write(self, snapshot: Snapshot) -> None:
            self.seqs.append(snapshot.seq)

    kept, cadence = Kept(), Cadence(snapshot_commands=20, hash_commands=10**9)
    house = House(snapshots=kept, snapshot_seq=0, cadence=cadence)
    await house.bus.send(opening())
    await house.released(9)
    await house.stop()
    house = House(house.journal, core=house.core, snapshots=kept, snapshot_seq=0, cadence=cadence)
    await one_by_one(house, itertools.islice(orders(3), 15))
    await until(lambda: bool(kept.seqs))
    await house.stop()
    assert kept.seqs == [20]
