"""A leader to be killed: `python -m tests.support.driver OWNER_URL APP_URL FIRST_REQUEST [early]`.

It sends orders of one origin to itself and prints "request seq" for each, once it is released.
With `early` it has a bug: it releases before it commits.
"""

import asyncio
import os
import sys
from collections import deque
from typing import Final

from exchange.io.batch import Batch
from exchange.io.bus_memory import MemoryBus
from exchange.io.clock import SystemClock
from exchange.io.db import Database
from exchange.io.journal_postgres import PostgresJournal
from exchange.io.leader import Leadership
from exchange.io.snapshots import Snapshots
from exchange.io.status import Status
from exchange.services.recovery import Recovery
from exchange.services.sequencer import Cadence, Sequencer
from matching.engine import warm_up
from tests.support.market import opening, orders, restore_small

ORIGIN_ID: Final = 7
IN_FLIGHT_MAX: Final = 50
EARLY_S: Final = 0.2  # so long before the commit: most kills fall into it, on any machine


class EarlySequencer(Sequencer):
    """The bug: whoever waits is told before the commit."""

    async def _commit(self, batch: Batch, taken_count: int) -> None:
        await self._bus.publish(batch, taken_count)
        await asyncio.sleep(EARLY_S)
        await self._append(batch)


async def drive(database: Database, first_request: int, kind: type[Sequencer]) -> None:
    """Recover, lead, and trade until killed."""
    warm_up()
    pool = await database.pool()
    journal = PostgresJournal(pool, database, await Leadership(pool, "driver").take())
    await journal.open()
    snapshots = Snapshots(pool)
    core = await Recovery(journal, snapshots, restore_small).run()
    bus = MemoryBus()
    sequencer = kind(
        core=core,
        journal=journal,
        bus=bus,
        clock=SystemClock(core.now_ns),
        status=Status(),
        snapshots=snapshots,
        cadence=Cadence(snapshot_commands=500, hash_commands=200),
    )
    running = asyncio.create_task(sequencer.run())
    if core.last_seq == 0:
        await sequencer.submit(opening())
    outlet = bus.subscribe()
    trading = asyncio.create_task(trade(bus, outlet, first_request))
    print("ready", flush=True)
    await asyncio.wait({running, trading}, return_when=asyncio.FIRST_COMPLETED)
    for task in (running, trading):
        if task.done():
            task.result()


async def trade(bus: MemoryBus, outlet, first_request: int) -> None:
    """Keep orders in flight, and print each that is released."""
    stream = orders(11, ORIGIN_ID)
    for _ in range(first_request - 1):
        next(stream)
    waiting: deque[int] = deque()
    request_id = first_request
    while True:
        while len(waiting) < IN_FLIGHT_MAX:
            await bus.send(next(stream))
            waiting.append(request_id)
            request_id += 1
        batch = await outlet.get(60)
        assert batch is not None, "nothing was released for a minute"
        lines = []
        for row in batch.commands[batch.commands["origin_id"] == ORIGIN_ID]:
            assert waiting.popleft() == row["request_id"], "out of order"
            lines.append(f"{row['request_id']} {row['seq']}\n")
        os.write(1, "".join(lines).encode())


async def released(database: Database) -> list[tuple[int, int]]:
    """Return what the journal says: (request, seq) of every order of the driver, in order."""
    pool = await database.pool()
    journal = PostgresJournal(pool, database, 0)
    found: list[tuple[int, int]] = []
    async for batch in journal.read():
        for row in batch.commands[batch.commands["origin_id"] == ORIGIN_ID]:
            found.append((int(row["request_id"]), int(row["seq"])))
    pool.terminate()
    return found


if __name__ == "__main__":
    owner, app, first, *rest = sys.argv[1:]
    asyncio.run(
        drive(Database(owner, app, None), int(first), EarlySequencer if rest else Sequencer)
    )
