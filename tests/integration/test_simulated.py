"""A simulated market stored whole: clearing begins anew again and again, and verify is content.

The simulator draws what the tests of one rule do not: corrections, cascades, days of delivery and
moved lots in any order, between orders that never should have come.
"""

import asyncio
from random import Random
from typing import Any, Final

import numpy as np
import pytest

from exchange.io.batch import Batch
from exchange.io.db import Database
from exchange.io.journal_postgres import PostgresJournal
from exchange.io.leader import Leadership
from exchange.io.ledger import Ledger
from exchange.io.snapshots import Snapshot, Snapshots
from exchange.services.clearing.audit import Audit
from exchange.services.verify import verify
from matching.engine import Engine
from tests.oracle.state import Capacity
from tests.sim.engine import sizes_of
from tests.sim.run import simulate

# A market of each kind; in the last ones stops trade behind a settlement, and lots cascade.
SEEDS: Final = (21, 22, 23, 24, 25, 30, 33)
COMMANDS: Final = 4_500
BATCHES_OF_A_SNAPSHOT: Final = 30
BATCHES_OF_A_CLEARING: Final = 40  # at most, before it begins anew


class Recorder:
    """Keeps the batches of a simulated market."""

    def __init__(self, capacity: Capacity) -> None:
        self.capacity = capacity
        self.batches: list[Batch] = []

    def batch(self, commands: np.ndarray, events: np.ndarray) -> None:
        self.batches.append(Batch(int(commands["seq"][0]), commands, events))

    def compare(self, view: dict[str, Any]) -> None:
        """Nothing to compare yet."""


def recorded(seed: int) -> Recorder:
    made: list[Recorder] = []

    def make(capacity: Capacity) -> list[Recorder]:
        made.append(Recorder(capacity))
        return made

    simulate(seed, COMMANDS, make)
    return made[0]


async def keep(database: Database, engine: Engine, batches: list[Batch]) -> None:
    """Write the journal, and now and then a hash of the state and a snapshot."""
    pool = await database.pool(size_max=2)
    journal = PostgresJournal(pool, database, await Leadership(pool, "test").take())
    await journal.open()
    for number, batch in enumerate(batches):
        assert engine.apply(batch.commands).tobytes() == batch.events.tobytes()
        await journal.append(batch)
        if number % BATCHES_OF_A_SNAPSHOT == 0:
            blob, state_hash = engine.save(), engine.state_hash()
            await journal.record_hash(batch.last_seq, state_hash)
            saved = Snapshot(
                seq=batch.last_seq, blob=blob, state_hash=state_hash,
                journal_checksum=journal.checksum,
            )  # fmt: skip
            await Snapshots(pool).write(saved)
    await journal.close()
    await pool.close()


async def clear(database: Database, batches: list[Batch], chance: Random) -> None:
    """Clear everything, audited, with what was stored alone whenever it begins anew."""
    connection, pool = await database.connect(), await database.pool(size_max=2)
    ledger, place = Ledger(connection), 0
    audit = Audit(ledger, pool)
    while place < len(batches):
        house = await ledger.load()
        end = place + chance.randint(1, BATCHES_OF_A_CLEARING)
        for batch in batches[place:end]:
            house.apply(batch.commands, batch.events)
            await ledger.write(house.take())
        await audit.check_tables()
        await audit.check_core(house.seq)
        place = end
    assert await ledger.violations(history=True) == []
    await pool.close()
    await connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
async def test_what_a_market_leaves_behind_is_sound(database, seed):
    found = await asyncio.to_thread(recorded, seed)
    sizes = sizes_of(found.capacity)

    def restore(blob: bytes | None) -> Engine:
        return Engine.restore(blob, sizes) if blob is not None else Engine(sizes)

    await keep(database, restore(None), found.batches)
    await clear(database, found.batches, Random(seed))
    report = await verify(database, restore)
    assert report.findings == []
    assert report.is_sound and report.cleared_seq == report.journal_seq == COMMANDS
