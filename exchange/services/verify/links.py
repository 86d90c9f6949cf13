"""The journal's chain: which row was changed, and where the checksums can tell, which part of it.

A checksum covers the one before, so one changed row breaks the chain at that row, or at the next.
The next row tells which: it was chained to the checksum as it was written.
"""

from collections.abc import Iterator

import numpy as np

from exchange.io.batch import Batch
from exchange.io.journal import GENESIS, chain
from exchange.io.stored import StoredBatch
from exchange.rules.findings import Finding
from matching.wire import COMMAND, EVENT

TABLE = "journal_batch"


class Unreadable(Exception):
    """A row cannot be used: what follows it cannot be replayed."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


class Doubt:
    """A row whose checksum is not that of its content, and nobody knows yet which is wrong."""

    def __init__(self, batch: Batch, stored: StoredBatch, computed: bytes, previous: bytes) -> None:
        self.batch = batch
        self.stored = stored
        self.computed = computed
        self.previous = previous  # the checksum before it

    def with_events(self, events: np.ndarray) -> bytes:
        """Return the checksum it would have with other events."""
        batch = Batch(self.batch.first_seq, self.batch.commands, events)
        return chain(self.previous, batch, self.stored.epoch)


class Links:
    """Follows the chain row by row."""

    def __init__(self) -> None:
        self.last_seq = 0
        self.checksum = GENESIS  # of the last row, as the chain goes on from it
        self._other = GENESIS  # what its content gives, where that is not what is stored
        self.doubt: Doubt | None = None  # about the row taken last
        # Is the row taken last chained to the checksum of the one before as it is stored, or to
        # what its content gives? None: neither, or they are the same.
        self.goes_on_from_stored: bool | None = None

    def take(self, stored: StoredBatch) -> Batch:
        """Return the row as a batch, having noted whether its checksum is right.

        Errors:
            Unreadable: commands are missing before it, or its bytes are not rows of its count.
        """
        batch = _batch_of(stored, self.last_seq)
        previous, was_in_doubt = self.checksum, self.doubt is not None
        computed = chain(previous, batch, stored.epoch)
        matches = computed == stored.checksum
        self.goes_on_from_stored = True if was_in_doubt and matches else None
        if was_in_doubt and not matches:
            other = chain(self._other, batch, stored.epoch)
            if other == stored.checksum:
                previous, computed, matches = self._other, other, True
                self.goes_on_from_stored = False
        self.doubt = None if matches else Doubt(batch, stored, computed, previous)
        self.last_seq = batch.last_seq
        self.checksum, self._other = stored.checksum, computed
        return batch

    def checksums(self) -> tuple[bytes, bytes]:
        """Return the checksum of the last row: as stored, and as its content gives."""
        return self.checksum, self._other


def field_differences(stored: StoredBatch, batch: Batch) -> Iterator[Finding]:
    """Yield the columns that no checksum covers and that contradict the commands."""
    place = place_of(batch)
    if stored.ts_ns != batch.ts_ns:
        yield Finding(TABLE, place, "ts_ns", str(batch.ts_ns), str(stored.ts_ns))
    seqs = np.arange(batch.first_seq, batch.last_seq + 1)
    wrong = np.flatnonzero(batch.commands["seq"] != seqs)
    if len(wrong):
        at = int(wrong[0])
        was = str(int(batch.commands["seq"][at]))
        yield Finding(TABLE, f"command {seqs[at]}", "commands.seq", str(int(seqs[at])), was)


def place_of(batch: Batch) -> str:
    """Return how a row of the journal is named."""
    return f"commands {batch.first_seq} to {batch.last_seq}"


def _batch_of(stored: StoredBatch, last_seq: int) -> Batch:
    if stored.first_seq != last_seq + 1:
        missing = f"commands {last_seq + 1} to {stored.first_seq - 1}"
        raise Unreadable(Finding(TABLE, missing, "row", "a batch", "no row"))
    place = f"batch at command {stored.first_seq}"
    sizes = (("commands", stored.commands, COMMAND), ("events", stored.events, EVENT))
    for name, raw, dtype in sizes:
        if len(raw) % dtype.itemsize:
            found = f"{len(raw)} bytes"
            raise Unreadable(Finding(TABLE, place, name, f"rows of {dtype.itemsize} bytes", found))
    commands = np.frombuffer(stored.commands, COMMAND)
    if len(commands) != stored.commands_count or not len(commands):
        raise Unreadable(
            Finding(TABLE, place, "count", str(len(commands)), str(stored.commands_count))
        )
    return Batch(stored.first_seq, commands, np.frombuffer(stored.events, EVENT))
