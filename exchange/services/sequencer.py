"""The sequencer: orders commands, applies them, commits them, and only then lets anyone know.

While one batch commits, what arrives is applied into the next. There is one commit at a time, so
whatever waits shares the next one.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import structlog

from exchange.io.awake import FEW_COMMANDS, Awake
from exchange.io.batch import Batch, joined
from exchange.io.bus import Bus, Inbox
from exchange.io.clock import Clock
from exchange.io.core import Core, hash_of_saved
from exchange.io.errors import JournalUnavailable, Unavailable
from exchange.io.journal import Journal
from exchange.io.snapshots import Snapshot, Snapshots
from exchange.io.status import Mode, Status
from matching.codes import Kind
from matching.limits import BATCH_COMMANDS_MAX
from matching.wire import new_commands

NO_COMMANDS: Final = new_commands(0)

RETRY_FIRST_S: Final = 0.05
RETRY_MAX_S: Final = 1.0
EXIT_BUG: Final = 70  # the core contradicts itself: nothing of that batch may leave

_KNOWN: Final = frozenset(int(kind) for kind in Kind)  # as the bytes of a column of kinds
_log = structlog.get_logger(__name__)


NotesAt = Callable[[int], Awaitable[bytes]]  # what readers note after that command


async def no_notes(seq: int) -> bytes:
    """Note nothing."""
    return b""


def die() -> None:
    """End the process at once: what it holds in memory is not to be trusted."""
    os._exit(EXIT_BUG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often the state is recorded, in commands."""

    snapshot_commands: int = 200_000
    hash_commands: int = 200_000


@dataclass(slots=True)
class _Pending:
    """What was applied since the last commit began."""

    commands: list[np.ndarray]
    events: list[np.ndarray]
    count: int = 0
    taken_count: int = 0  # of them came through the bus

    def batch(self) -> Batch:
        """Return all of it as one batch."""
        one = len(self.commands) == 1
        commands = self.commands[0] if one else joined(self.commands)
        events = self.events[0] if one else joined(self.events)
        return Batch(int(commands["seq"][0]), commands, events)


@dataclass(frozen=True, slots=True)
class _Saved:
    """A state to be recorded once its batch is committed."""

    seq: int
    blob: bytes
    notes: Awaitable[bytes] | None  # for a snapshot; None when only the hash is recorded


class Sequencer:
    """Runs one core as its leader. `run` ends by `stop`, or by losing the epoch."""

    def __init__(
        self,
        *,
        core: Core,
        journal: Journal,
        bus: Bus,
        clock: Clock,
        status: Status,
        snapshots: Snapshots | None = None,
        notes_at: NotesAt = no_notes,
        snapshot_seq: int | None = None,
        cadence: Cadence = Cadence(),
        awake: Awake | None = None,
        die: Callable[[], None] = die,
    ) -> None:
        self._core = core
        self._journal = journal
        self._bus = bus
        self._clock = clock
        self._status = status
        self._snapshots = snapshots
        self._notes_at = notes_at
        self._cadence = cadence
        self._awake = awake or Awake(linger_ns=0)
        self._die = die
        self._own = Inbox()
        self._pending = _Pending([], [])
        self._turn_due = False
        self._committing = False
        self._work = asyncio.Event()
        self._stopping = False
        # Where they were last recorded. A snapshot counts from the newest there is, so that starts
        # in quick succession do not let the tail of the journal grow without end.
        self._hash_seq = core.last_seq
        self._snapshot_seq = core.last_seq if snapshot_seq is None else snapshot_seq
        self._recording: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Commit batch after batch until stopped.

        Errors:
            EpochLost: another process leads; nothing more may be released.
        """
        self._status.seq = self._status.journal_seq = self._core.last_seq
        self._status.mode, self._status.reason = Mode.NORMAL, ""
        self._own.on_arrival(self._arrived)
        self._bus.on_arrival(self._arrived)
        while True:
            await self._work.wait()
            self._apply_waiting()
            if self._pending.count == 0:
                if self._stopping:
                    return
                self._work.clear()
                continue
            pending, self._pending = self._pending, _Pending([], [])
            self._committing = True
            self._awake.begin(pending.count)
            await self._commit(pending.batch(), pending.taken_count)
            self._committing = False

    async def submit(self, commands: np.ndarray) -> None:
        """Take commands of this very process, before those of the bus.

        They cannot get lost while the process lives, nor be carried out after it has ended.

        Errors:
            BusUnavailable: too many wait already.
        """
        self._own.put(commands)

    def stop(self) -> None:
        """Take no more commands; `run` returns when what was applied is committed."""
        self._stopping = True
        self._work.set()

    async def save(self) -> None:
        """Write a snapshot of now; call it after `run` has returned.

        Errors:
            Unavailable: the database does not answer.
        """
        if self._recording is not None:
            await asyncio.wait({self._recording})
        if self._snapshots is not None and self._core.last_seq > 0:
            await self._record(self._saved(whole=True), self._journal.checksum)

    def _arrived(self) -> None:
        """Have what arrived applied, once in a turn of the event loop."""
        if not self._committing:
            self._work.set()  # `run` has its turn next
        elif not self._turn_due:
            self._turn_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_due = False
        self._apply_waiting()
        self._work.set()

    def _apply_waiting(self) -> None:
        """Apply the commands that are here to the batch that commits next."""
        room = BATCH_COMMANDS_MAX - self._pending.count - 1  # one for a TICK
        if room <= 0 or self._stopping:
            return
        taken = self._bus.take(room - self._own.count) if self._own.count < room else NO_COMMANDS
        own = self._own.take(room) if self._own.count else NO_COMMANDS
        if len(own) + len(taken) == 0:
            return
        commands = self._stamped(joined([own, taken]) if len(own) else taken)
        self._pending.taken_count += len(taken)
        if len(commands):
            self._apply(commands)

    def _stamped(self, taken: np.ndarray) -> np.ndarray:
        """Return the commands with their numbers and time, a TICK first if an order expires."""
        if not _KNOWN.issuperset(taken["kind"].tobytes()):
            known = np.isin(taken["kind"].view(np.uint8), list(_KNOWN))
            _log.error("unknown_commands_dropped", kinds=taken["kind"][~known].tolist())
            taken = taken[known]
        ts_ns = max(self._clock.now_ns(), self._core.now_ns)
        if 0 < self._core.next_expiry_ns <= ts_ns:
            tick = new_commands(1)
            tick["kind"] = Kind.TICK
            taken = joined([tick, taken])
        first_seq = self._core.last_seq + 1
        taken["seq"] = np.arange(first_seq, first_seq + len(taken))
        taken["ts_ns"] = ts_ns
        return taken

    def _apply(self, commands: np.ndarray) -> None:
        try:
            events = self._core.apply(commands)
        except Exception:  # whatever it is: the state is half changed and must not be used
            _log.critical("core_failed", seqs=commands["seq"][[0, -1]].tolist(), exc_info=True)
            self._die()
            raise
        self._pending.commands.append(commands)
        self._pending.events.append(events)
        self._pending.count += len(commands)
        self._status.seq = self._core.last_seq

    async def _commit(self, batch: Batch, taken_count: int) -> None:
        """Make a batch durable, then tell everyone."""
        recording = self._saved_if_due(batch)
        if batch.count <= FEW_COMMANDS:
            self._bus.announce(batch)
        await self._append(batch)
        self._awake.end()
        self._status.journal_seq = batch.last_seq
        await self._bus.publish(batch, taken_count)
        if recording is not None:
            checksum = self._journal.checksum
            self._recording = asyncio.create_task(self._record_calmly(recording, checksum))

    async def _append(self, batch: Batch) -> None:
        """Append until it is certain; while it is not, nothing is acknowledged."""
        retry_s = RETRY_FIRST_S
        while True:
            try:
                await self._journal.append(batch)
            except JournalUnavailable as error:
                _log.error("halted", first_seq=batch.first_seq, error=str(error))
                self._status.mode, self._status.reason = Mode.HALTED, "the journal does not answer"
                await asyncio.sleep(retry_s)
                retry_s = min(RETRY_MAX_S, 2 * retry_s)
            else:
                break
        if self._status.mode == Mode.HALTED:
            _log.info("resumed", seq=batch.last_seq)
            self._status.mode, self._status.reason = Mode.NORMAL, ""

    def _saved_if_due(self, batch: Batch) -> _Saved | None:
        """Return the state after the batch if it is to be recorded; called before any later."""
        assert self._core.last_seq == batch.last_seq, "applied beyond the batch"
        if self._recording is not None and not self._recording.done():
            return None
        if batch.last_seq - self._snapshot_seq >= self._cadence.snapshot_commands:
            return self._saved(whole=True)
        if batch.last_seq - self._hash_seq >= self._cadence.hash_commands:
            return self._saved(whole=False)
        return None

    def _saved(self, *, whole: bool) -> _Saved:
        """Return the state of now; `whole` if it is to be a snapshot, else only its hash counts."""
        self._hash_seq = self._core.last_seq
        if whole:
            self._snapshot_seq = self._hash_seq
        snapshot = whole and self._snapshots is not None
        notes = self._notes_at(self._hash_seq) if snapshot else None
        return _Saved(self._hash_seq, self._core.save(), notes)

    async def _record_calmly(self, saved: _Saved, checksum: bytes) -> None:
        """Record a state; if the database does not answer, the next one will do."""
        try:
            await self._record(saved, checksum)
        except Unavailable as error:
            _log.warning("state_not_recorded", seq=saved.seq, error=str(error))

    async def _record(self, saved: _Saved, checksum: bytes) -> None:
        state_hash = await asyncio.to_thread(hash_of_saved, saved.blob)
        notes = await saved.notes if saved.notes is not None else b""
        await self._journal.record_hash(saved.seq, state_hash)
        if saved.notes is not None and self._snapshots is not None:
            await self._snapshots.write(
                Snapshot(
                    seq=saved.seq,
                    blob=saved.blob,
                    state_hash=state_hash,
                    journal_checksum=checksum,
                    notes=notes,
                )
            )
