"""The loop of clearing: read the journal, take whole batches, write them with their place.

It may be killed at any instant: a transaction holds all effects of its batches and how far that
is, so a new start goes on where the last commit ended. It reads back nothing it did not commit.
"""

import asyncio
import gc
from collections.abc import Callable
from typing import Final

import structlog

from exchange.io.db import LOST, Database
from exchange.io.errors import Corrupt, Unavailable
from exchange.io.journal import JournalReader
from exchange.io.journal_postgres import PostgresJournalReader
from exchange.io.ledger import ClearingMoved, Ledger, LedgerMismatch
from exchange.io.tasks import set_within
from exchange.rules.cleared import Effects
from exchange.rules.clearing_house import ClearingHouse
from exchange.rules.settlement_check import ClearingMismatch
from exchange.services.clearing.audit import Audit

GROUP_EVENTS: Final = 100_000  # batches share a transaction up to about so many
GATHER_S: Final = 0.05  # between two transactions, so that a busy market shares them,
GATHER_BUSY_S: Final = 0.25  # and one with so many events even more: an order that is filled soon
BUSY_EVENTS: Final = 1_000  # after it came is written once then, not written and changed
POLL_MIN_S: Final = 0.002  # between two looks at the journal, right after there was something
POLL_MAX_S: Final = 0.02
WOKEN_POLL_S: Final = 0.5  # with someone to wake us, looking by ourselves is a precaution
# Rows hold no cycles, and there are many: looking for some after each 700 took half of the time,
# after each 200,000 still a tenth.
GC_ALLOCATIONS: Final = 2_000_000
RETRY_S: Final = 0.5
LOCK_RETRY_S: Final = 1.0

_log = structlog.get_logger(__name__)


class Clearing:
    """One clearing at a time: a second one waits for the first to end, then goes on."""

    def __init__(
        self,
        database: Database,
        *,
        wake: asyncio.Event | None = None,
        on_posted: Callable[[int], None] = lambda _: None,
        group_events: int = GROUP_EVENTS,
        last_look_s: float = 0.0,
    ) -> None:
        """Clear the journal of a database.

        Args:
            wake: set by whoever knows that the journal grew; None when nobody does.
            on_posted: told of the last command of each transaction.
            last_look_s: so long it may go on when told to stop, with what the journal has by then.
        """
        self._database = database
        self._wake = wake
        self._on_posted = on_posted
        self._group_events = group_events
        self._last_look_s = last_look_s
        self._idle_s = POLL_MIN_S

    async def run(self, stop: asyncio.Event) -> None:
        """Clear until told to stop; waits while the database does not answer.

        Errors:
            JournalGap, JournalDamaged: the journal contradicts itself.
            LedgerMismatch: clearing contradicts the core, or its own tables.
        """
        gc.set_threshold(GC_ALLOCATIONS, 20, 100)
        while not stop.is_set():
            try:
                await self._session(stop)
            except (*LOST, Unavailable, ClearingMoved) as error:
                _log.warning("clearing_waits", error=f"{type(error).__name__}: {error}")
                await set_within(stop, RETRY_S)

    async def _session(self, stop: asyncio.Event) -> None:
        """Clear with one connection, until it is lost or we stop."""
        # The journal is what must be durable. What a crash of Postgres takes from the ledger's end
        # is posted again from there: the place is in the same transaction.
        connection = await self._database.connect(synchronous_commit="off")
        pool = await self._database.pool(size_max=1)
        try:
            ledger = Ledger(connection)
            if not await self._locked(ledger, stop):
                return
            house = await ledger.load()
            gc.freeze()
            audit = Audit(ledger, pool)
            await audit.check_tables()
            _log.info("clearing_starts", after_seq=house.seq)
            self._on_posted(house.seq)
            journal = PostgresJournalReader(pool)
            while not stop.is_set():
                if count := await self._catch_up(house, ledger, journal, stop):
                    self._idle_s = POLL_MIN_S
                    await set_within(stop, GATHER_BUSY_S if count > BUSY_EVENTS else GATHER_S)
                else:
                    await self._wait(stop)
                await audit.run_due(house.seq)
            await self._look_again(house, ledger, journal)
        except ClearingMismatch as error:
            raise LedgerMismatch(str(error)) from error
        finally:
            connection.terminate()
            pool.terminate()

    async def _locked(self, ledger: Ledger, stop: asyncio.Event) -> bool:
        """Wait until no other clearing works; False when told to stop before."""
        waited = False
        while not await ledger.try_lock():
            if not waited:
                _log.info("clearing_waits_for_another")
            waited = True
            await set_within(stop, LOCK_RETRY_S)
            if stop.is_set():
                return False
        return True

    async def _catch_up(
        self, house: ClearingHouse, ledger: Ledger, journal: JournalReader, stop: asyncio.Event
    ) -> int:
        """Post all that the journal has after the house; return how many events that was."""
        count = events = 0
        writer = _Writer(ledger, self._on_posted)
        try:
            async for batch in journal.read(house.seq):
                for _ in house.steps(batch.commands, batch.events):
                    await asyncio.sleep(0)  # the transaction before goes on meanwhile
                events += len(batch.events)
                count += len(batch.events)
                await asyncio.sleep(0)
                if events >= self._group_events:
                    await writer.put(house.take())
                    events = 0
                if stop.is_set():
                    break
            if events:
                await writer.put(house.take())
            await writer.finish()
        except (ClearingMismatch, Corrupt):
            await writer.finish()  # what came before is good
            raise
        finally:
            await writer.abort()
        return count

    async def _look_again(
        self, house: ClearingHouse, ledger: Ledger, journal: JournalReader
    ) -> None:
        """Post what came since the last look, as far as there is time."""
        if not self._last_look_s:
            return
        late = asyncio.Event()
        timer = asyncio.get_running_loop().call_later(self._last_look_s, late.set)
        try:
            await self._catch_up(house, ledger, journal, late)
        finally:
            timer.cancel()

    async def _wait(self, stop: asyncio.Event) -> None:
        """Wait until the journal may have grown."""
        if self._wake is None:
            await set_within(stop, self._idle_s)
            self._idle_s = min(POLL_MAX_S, self._idle_s * 2)
            return
        await set_within(self._wake, WOKEN_POLL_S)
        self._wake.clear()


class _Writer:
    """Writes one transaction while the next batches are read and worked out."""

    def __init__(self, ledger: Ledger, on_posted: Callable[[int], None]) -> None:
        self._ledger = ledger
        self._on_posted = on_posted
        self._task: asyncio.Task[None] | None = None

    async def put(self, effects: Effects) -> None:
        """Begin to write; waits for the transaction before."""
        await self.finish()
        self._task = asyncio.create_task(self._write(effects))
        await asyncio.sleep(0)  # the statements go out before the next batch takes the processor

    async def finish(self) -> None:
        """Wait until everything is committed."""
        task, self._task = self._task, None
        if task is not None:
            await task

    async def abort(self) -> None:
        """Give up what is not committed yet."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))

    async def _write(self, effects: Effects) -> None:
        await self._ledger.write(effects)
        self._on_posted(effects.last_seq)
