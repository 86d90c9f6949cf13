"""A reader's start: a mirror brought to the journal's head, and what it notes in snapshots."""

import asyncio
from typing import Final

import structlog

from exchange.io.batch import Batch
from exchange.io.errors import JournalGap, SnapshotDamaged
from exchange.io.journal import JournalReader
from exchange.io.snapshots import Snapshot, Snapshots
from exchange.rules.mirror import Mirror
from exchange.rules.mirror_notes import notes_from, notes_of
from exchange.rules.mirror_saved import mirror_from_saved
from exchange.services.node.progress import Progress
from matching.saved import Damaged, unpack

_YIELD_BATCHES: Final = 64  # replaying holds up the event loop for no longer than these

_log = structlog.get_logger(__name__)


async def start_mirror(journal: JournalReader, snapshots: Snapshots, progress: Progress) -> Mirror:
    """Return a mirror that shows the whole journal of this moment.

    Errors:
        Unavailable: the database does not answer.
        Corrupt: the journal contradicts itself.
    """
    head = await journal.head()
    mirror = await _newest(journal, snapshots, head)
    first = mirror.seq
    count = 0
    async for batch in journal.read(first):
        mirror.apply(batch.commands, batch.events)
        count += 1
        if count % _YIELD_BATCHES == 0:
            progress("views", batch.last_seq - first, max(head, batch.last_seq) - first)
            await asyncio.sleep(0)
    return mirror


async def _newest(journal: JournalReader, snapshots: Snapshots, head: int) -> Mirror:
    async for found in snapshots.newest(head):
        if isinstance(found, SnapshotDamaged) or not await _belongs(journal, found):
            continue
        try:
            return mirror_from_saved(unpack(found.blob), notes_from(found.notes))
        except (Damaged, ValueError) as error:
            _log.error("snapshot_skipped", seq=found.seq, reason=str(error))
    return Mirror()


async def _belongs(journal: JournalReader, snapshot: Snapshot) -> bool:
    try:
        return await journal.checksum_at(snapshot.seq) == snapshot.journal_checksum
    except JournalGap:
        return False


class Noter:
    """Takes the notes of a mirror at the very command a snapshot is of."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._wanted: dict[int, asyncio.Future[bytes]] = {}

    def at(self, seq: int) -> "asyncio.Future[bytes]":
        """Return the notes after command `seq`, which the mirror may not have seen yet."""
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        if self._mirror.seq == seq:
            future.set_result(notes_of(self._mirror))
        else:
            self._wanted[seq] = future
        return future

    def observe(self, batch: Batch) -> None:
        """Look at the mirror after a batch."""
        future = self._wanted.pop(batch.last_seq, None)
        if future is not None and not future.done():
            future.set_result(notes_of(self._mirror))
