"""Recovery: the newest valid snapshot, then the tail of the journal, compared as it goes."""

import time
from collections.abc import Callable
from typing import Final

import numpy as np
import structlog

from exchange.io.batch import Batch, joined
from exchange.io.core import Core, Restore
from exchange.io.errors import Corrupt, EngineHashMismatch, JournalGap, SnapshotDamaged
from exchange.io.journal import JournalReader
from exchange.io.snapshots import Snapshot, Snapshots

Progress = Callable[[int, int], None]  # commands done, commands in all

GROUP_COMMANDS: Final = 4096  # small batches are replayed together: a call costs more than a row
PROGRESS_S: Final = 0.1

_log = structlog.get_logger(__name__)


class Recovery:
    """Brings a core to the head of the journal, once or again and again."""

    def __init__(
        self,
        journal: JournalReader,
        snapshots: Snapshots | None,
        restore: Restore,
        progress: Progress = lambda done, total: None,
    ) -> None:
        self._journal = journal
        self._snapshots = snapshots
        self._restore = restore
        self._progress = progress
        self._told_at_s = 0.0
        self.core: Core | None = None
        self.snapshot: Snapshot | None = None  # the one it began with

    async def run(self) -> Core:
        """Return a core that has applied the whole journal; called again, it replays what is new.

        Errors:
            EngineHashMismatch: the replay gives other events or another state than recorded.
            JournalGap, JournalDamaged: the journal contradicts itself.
            Corrupt: the core fails at a command of the journal.
            Unavailable: the database does not answer.
        """
        head = await self._journal.head()
        if self.core is None:
            self.core = await self._starting_core(head)
        core, first = self.core, self.core.last_seq
        group: list[Batch] = []
        async for batch in self._journal.read(core.last_seq):
            if not group and batch.first_seq != core.last_seq + 1:
                raise JournalGap(f"a batch at {batch.first_seq} follows state {core.last_seq}")
            group.append(batch)
            if batch.state_hash is not None or _count(group) >= GROUP_COMMANDS:
                _replay(core, group)
                group = []
                self._tell(core.last_seq - first, max(head, core.last_seq) - first)
        if group:
            _replay(core, group)
        self._told_at_s = 0.0
        self._tell(core.last_seq - first, core.last_seq - first)
        return core

    async def _starting_core(self, head: int) -> Core:
        """Return the core of the newest snapshot that is whole and belongs to this journal."""
        if self._snapshots is None:
            return self._restore(None)
        async for found in self._snapshots.newest(head):
            core = await self._core_of(found)
            if core is not None:
                assert isinstance(found, Snapshot)
                self.snapshot = found
                return core
        return self._restore(None)

    async def _core_of(self, found: Snapshot | SnapshotDamaged) -> Core | None:
        """Return the core that a snapshot restores to, None if it must not be used."""
        if isinstance(found, SnapshotDamaged):
            _log.error("snapshot_skipped", reason=str(found))
            return None
        try:
            checksum = await self._journal.checksum_at(found.seq)
        except JournalGap as error:
            _log.error("snapshot_skipped", seq=found.seq, reason=str(error))
            return None
        if checksum != found.journal_checksum:
            _log.error("snapshot_skipped", seq=found.seq, reason="it is of another journal")
            return None
        try:
            core = self._restore(found.blob)
        except ValueError as error:  # of another form, or too large for this process
            _log.error("snapshot_skipped", seq=found.seq, reason=str(error))
            return None
        if core.state_hash() != found.state_hash or core.last_seq != found.seq:
            _log.error("snapshot_skipped", seq=found.seq, reason="it restores to another state")
            return None
        return core

    def _tell(self, done: int, total: int) -> None:
        now_s = time.monotonic()
        if total and now_s - self._told_at_s >= PROGRESS_S:
            self._told_at_s = now_s
            self._progress(done, total)


def _count(group: list[Batch]) -> int:
    return group[-1].last_seq - group[0].first_seq + 1


def _replay(core: Core, group: list[Batch]) -> None:
    """Apply batches together and compare events, and the state where its hash was recorded."""
    first_seq, last_seq = group[0].first_seq, group[-1].last_seq
    commands = joined([batch.commands for batch in group])  # a copy the core may write to
    try:
        events = core.apply(commands)
    except Exception as error:  # the core contradicts itself at a command that was committed
        raise Corrupt(
            f"the core fails on replay between commands {first_seq} and {last_seq}"
            f" (it stopped at {core.last_seq}): {error!r}"
        ) from error
    recorded = joined([batch.events for batch in group])
    if events.tobytes() != recorded.tobytes():
        raise EngineHashMismatch(
            f"command {_first_difference(events, recorded)} gives other events than were recorded"
        )
    state_hash = group[-1].state_hash
    if state_hash is not None and core.state_hash() != state_hash:
        raise EngineHashMismatch(f"the state after command {last_seq} is not the recorded one")


def _first_difference(events: np.ndarray, recorded: np.ndarray) -> int:
    """Return the command at which two lists of events part."""
    size = min(len(events), len(recorded))
    differ = np.flatnonzero(events[:size] != recorded[:size])
    place = int(differ[0]) if len(differ) else size
    rows = events if place < len(events) else recorded
    return int(rows["seq"][place])
