"""Clearing in a process that a test may kill: URL GROUP_EVENTS [PLANTED BUG].

Prints a line for each transaction.
"""

import asyncio
import sys

import structlog

from exchange.io import ledger
from exchange.io.db import Database
from exchange.rules.cleared import Effects
from exchange.services.clearing import Clearing

BETWEEN_S = 0.05  # what a planted bug leaves between its two commits: kills find the gap


async def place_before(self: ledger.Ledger, effects: Effects) -> None:
    """Planted: the place is committed before the work, in a transaction of its own."""
    connection = self._connection
    await self.prepare(effects)
    query = ledger.SQL["move_clearing"]
    await connection.fetchval(query, effects.after_seq, effects.last_seq)
    await asyncio.sleep(BETWEEN_S)
    async with connection.transaction():
        await self._fill(effects)


async def place_after(self: ledger.Ledger, effects: Effects) -> None:
    """Planted: the place is committed after the work, in a transaction of its own."""
    connection = self._connection
    await self.prepare(effects)
    async with connection.transaction():
        await self._fill(effects)
    await asyncio.sleep(BETWEEN_S)
    query = ledger.SQL["move_clearing"]
    await connection.fetchval(query, effects.after_seq, effects.last_seq)


PLANTED = {"place_before": place_before, "place_after": place_after}


async def main(url: str, group_events: str, planted: str = "") -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if planted:
        ledger.Ledger.write = PLANTED[planted]
    clearing = Clearing(
        Database(url, url, None),
        group_events=int(group_events),
        on_posted=lambda seq: print(seq, flush=True),
    )
    await clearing.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
