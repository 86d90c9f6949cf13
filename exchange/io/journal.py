"""The journal: one row per batch, chained by checksum, written by one leader at a time."""

import hashlib
import struct
from collections.abc import AsyncIterator
from typing import Final, Protocol

import numpy as np

from exchange.io.batch import Batch
from exchange.io.errors import JournalDamaged, JournalGap

# The form of a saved state. Hashes and snapshots of another are not looked at: what the same
# commands cause never changes, so that the whole journal can be replayed.
RULES_VERSION: Final = "4"
CHECKSUM_BYTES: Final = 32
GENESIS: Final = bytes(CHECKSUM_BYTES)  # the checksum before the first batch


class JournalReader(Protocol):
    """The only truth: what is in it happened, what is not did not."""

    async def checksum_at(self, seq: int) -> bytes:
        """Return the checksum of the batch that ends with command `seq`.

        Errors:
            JournalUnavailable: the database does not answer.
            JournalGap: no batch ends there.
        """
        ...

    async def head(self) -> int:
        """Return the number of the last committed command, 0 when there is none.

        Errors:
            JournalUnavailable: the database does not answer.
        """
        ...

    def read(self, after_seq: int = 0, until_seq: int | None = None) -> AsyncIterator[Batch]:
        """Return the batches with commands after `after_seq`, in order, each checked.

        Whole batches are given: the first may begin before, the last may end after `until_seq`.
        Ends at the head of that moment.

        Errors:
            JournalUnavailable: the database does not answer.
            JournalGap, JournalDamaged: a row is missing or is not what was written.
        """
        ...


class Journal(JournalReader, Protocol):
    """The journal of a leader."""

    @property
    def checksum(self) -> bytes:
        """Return the checksum of the last batch appended."""
        ...

    async def append(self, batch: Batch) -> None:
        """Write the batch durably; afterwards, and only then, it may be shown to anyone.

        Errors:
            JournalUnavailable: not known whether it is written; append the same batch again.
            EpochLost: another process leads; this one must end.
            JournalGap: the batch does not follow the last one written.
        """
        ...

    async def record_hash(self, seq: int, state_hash: bytes) -> None:
        """Write the engine's hash after command `seq`, for replays to compare.

        Errors:
            JournalUnavailable: the database does not answer.
        """
        ...


def chain(previous: bytes, batch: Batch, epoch: int) -> bytes:
    """Return the checksum of a batch, which covers all before it through `previous`."""
    digest = hashlib.blake2b(previous, digest_size=CHECKSUM_BYTES)
    digest.update(struct.pack("<4q", batch.first_seq, batch.count, batch.ts_ns, epoch))
    digest.update(as_bytes(batch.commands))
    digest.update(as_bytes(batch.events))
    return digest.digest()


def as_bytes(rows: np.ndarray) -> memoryview:
    """Return the bytes of rows without a copy."""
    whole = rows if rows.flags.c_contiguous else np.ascontiguousarray(rows)
    return whole.view(np.uint8).data


def check_link(previous: bytes, last_seq: int, batch: Batch, epoch: int, checksum: bytes) -> None:
    """See that a batch follows command `last_seq` and is what was written.

    Errors:
        JournalGap: batches are missing before it.
        JournalDamaged: it, or the one before, was changed.
    """
    if batch.first_seq != last_seq + 1:
        raise JournalGap(
            f"the journal misses commands {last_seq + 1} to {batch.first_seq - 1}"
            if batch.first_seq > last_seq
            else f"the journal has command {batch.first_seq} twice"
        )
    seqs = batch.commands["seq"]
    if batch.count == 0 or int(seqs[0]) != batch.first_seq or int(seqs[-1]) != batch.last_seq:
        raise JournalDamaged(f"the batch at command {batch.first_seq} numbers its commands wrongly")
    if chain(previous, batch, epoch) != checksum:
        raise JournalDamaged(
            f"the batch of commands {batch.first_seq} to {batch.last_seq} does not match its"
            " checksum: it, or the checksum before it, was changed after it was written"
        )
