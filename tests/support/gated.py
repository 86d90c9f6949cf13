"""A journal in memory that commits when it is let."""

import asyncio

from exchange.io.batch import Batch
from exchange.io.journal_memory import MemoryJournal


class GatedJournal(MemoryJournal):
    """Commits once `gate` is set, and never in the turn of the loop that asked for it."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.begun = asyncio.Event()

    async def append(self, batch: Batch) -> None:
        self.begun.set()
        await asyncio.sleep(0)
        await self.gate.wait()
        await super().append(batch)
