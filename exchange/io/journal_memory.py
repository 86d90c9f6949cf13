"""A journal in memory: for tests and for simulations that lie about commits."""

from collections.abc import AsyncIterator
from dataclasses import replace

from exchange.io.batch import Batch
from exchange.io.errors import JournalGap
from exchange.io.journal import GENESIS, chain


class MemoryJournal:
    """Keeps batches in a list."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.checksum = GENESIS
        self._checksums = {0: GENESIS}

    async def append(self, batch: Batch) -> None:
        """Keep the batch."""
        want = await self.head() + 1
        if batch.first_seq != want:
            raise JournalGap(f"expected command {want}, was {batch.first_seq}")
        self.checksum = chain(self.checksum, batch, 0)
        self._checksums[batch.last_seq] = self.checksum
        self.batches.append(batch)

    async def checksum_at(self, seq: int) -> bytes:
        """Return the checksum of the batch that ends with command `seq`."""
        if seq not in self._checksums:
            raise JournalGap(f"no batch of the journal ends with command {seq}")
        return self._checksums[seq]

    async def record_hash(self, seq: int, state_hash: bytes) -> None:
        """Keep the hash beside the batch that ends with `seq`."""
        self.batches = [
            replace(b, state_hash=state_hash) if b.last_seq == seq else b for b in self.batches
        ]

    async def head(self) -> int:
        """Return the number of the last command, 0 when there is none."""
        return self.batches[-1].last_seq if self.batches else 0

    async def read(self, after_seq: int = 0, until_seq: int | None = None) -> AsyncIterator[Batch]:
        """Return the batches with commands after `after_seq`."""
        for batch in list(self.batches):
            if batch.last_seq > after_seq and (until_seq is None or batch.first_seq <= until_seq):
                yield batch
