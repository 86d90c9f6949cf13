"""A leader in one task: sequencer on a memory bus and a Postgres journal, and its outbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from exchange.io.bus_memory import MemoryBus
from exchange.io.clock import SystemClock
from exchange.io.custody_postgres import PostgresCustody
from exchange.io.db import Database
from exchange.io.follow import follow
from exchange.io.journal_postgres import PostgresJournal
from exchange.io.leader import Leadership
from exchange.io.outbox_rows import OutboxRows
from exchange.io.snapshots import Snapshots
from exchange.io.status import Status
from exchange.io.tasks import end_tasks
from exchange.rules.mirror import Mirror
from exchange.rules.mirror_saved import mirror_from_saved
from exchange.services.custody import CustodyDesk
from exchange.services.outbox import Outbox
from exchange.services.recovery import Recovery
from exchange.services.sequencer import Cadence, Sequencer
from matching.saved import unpack
from tests.support.market import restore_small
from tests.support.waiting import PATIENCE_S


class Leader:
    """What a test may look at."""

    def __init__(self, database: Database, pool: asyncpg.Pool, cadence: Cadence) -> None:
        self.database, self.pool, self.cadence = database, pool, cadence
        self.bus = MemoryBus()
        self.status = Status()
        self.snapshots = Snapshots(pool)

    async def start(self) -> None:
        """Recover and begin to sequence."""
        epoch = await Leadership(self.pool, "test").take()
        self.journal = PostgresJournal(self.pool, self.database, epoch)
        await self.journal.open()
        self.recovery = Recovery(self.journal, self.snapshots, restore_small)
        self.core = await self.recovery.run()
        self.sequencer = Sequencer(
            core=self.core,
            journal=self.journal,
            bus=self.bus,
            clock=SystemClock(),
            status=self.status,
            snapshots=self.snapshots,
            cadence=self.cadence,
        )
        self.outbox = Outbox(OutboxRows(self.pool), self.sequencer.submit)
        self.mirror: Mirror = mirror_from_saved(unpack(self.core.save()))
        self.custody = CustodyDesk(
            PostgresCustody(self.pool), self.mirror, self.sequencer.submit, SystemClock()
        )
        self.run_task = asyncio.create_task(self.sequencer.run())
        self.tasks = [
            asyncio.create_task(self._observe(self.core.last_seq)),
            asyncio.create_task(self.outbox.run()),
            asyncio.create_task(self.custody.run()),
        ]

    async def stop(self, *, save: bool = True) -> None:
        """Stop cleanly."""
        for task in self.tasks:
            task.cancel()
        self.sequencer.stop()
        await asyncio.wait_for(self.run_task, PATIENCE_S)
        if save:
            await self.sequencer.save()
        await self.journal.close()

    async def sleep(self) -> None:
        """Let time pass; fail when the sequencer has."""
        await asyncio.sleep(0.002)
        if self.run_task.done():
            self.run_task.result()

    async def quiet(self) -> None:
        """Wait until all that was sent so far is committed, and known to the mirror."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                waits = self.sequencer._own.count or self.sequencer._pending.count
                seqs = {self.mirror.seq, self.core.last_seq, self.status.journal_seq}
                if not waits and len(seqs) == 1:
                    return
                await self.sleep()

    async def crash(self) -> None:
        """Stop without anything that a clean stop does."""
        await end_tasks([*self.tasks, self.run_task])
        await self.journal.close()

    async def _observe(self, after_seq: int) -> None:
        async for batch in follow(self.journal, after_seq, self.bus):
            self.mirror.apply(batch.commands, batch.events)
            self.outbox.observe(batch.commands, batch.events)
            self.custody.observe(batch.commands, batch.events)


@asynccontextmanager
async def leader(
    database: Database, pool: asyncpg.Pool, cadence: Cadence | None = None
) -> AsyncIterator[Leader]:
    """Start a leader and stop it at the end."""
    one = Leader(database, pool, cadence or Cadence())
    await one.start()
    try:
        yield one
    finally:
        await one.stop()
