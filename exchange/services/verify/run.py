"""`wellhead verify`: read everything, replay everything, compare everything.

It goes on after damage as long as the replay is still that of what happened, and names each piece
it finds. Where the replay cannot go on, what comes after is not looked at, and the report says so.
"""

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np

from exchange.io.batch import Batch
from exchange.io.core import Restore
from exchange.io.db import Database
from exchange.io.errors import JournalDamaged
from exchange.io.stored import RowsUnreadable, Stored, stored
from exchange.rules.core_books import CoreBooks, books_differ
from exchange.rules.findings import Finding
from exchange.rules.settlement_check import ClearingMismatch
from exchange.services.verify.guards import (
    delivery_differences,
    guard_differences,
    head_differences,
    index_differences,
    observation_differences,
    request_differences,
    webhook_differences,
)
from exchange.services.verify.links import Doubt, Links, Unreadable, field_differences
from exchange.services.verify.replay import (
    Replay,
    changed_part,
    event_differences,
    only_events_changed,
)
from exchange.services.verify.settlements import settlement_differences
from exchange.services.verify.tables import Tables
from matching.saved import unpack

T = TypeVar("T")
Progress = Callable[[str, int, int], None]  # what is being done, commands done, commands in all

FINDINGS_MAX: Final = 100
PROGRESS_S: Final = 0.1


@dataclass(slots=True)
class Report:
    """What was verified, and what is wrong."""

    journal_seq: int = 0  # last command of the journal
    cleared_seq: int = 0  # last command that clearing has posted
    replayed_seq: int = 0  # last command that was compared
    batches: int = 0
    events: int = 0
    hashes: int = 0  # recorded hashes of the state that were compared
    snapshots: int = 0
    state_hash: bytes = b""  # of the state after replayed_seq
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Say whether everything is as it should be."""
        return not self.findings and self.replayed_seq == self.journal_seq


async def verify(
    database: Database, restore: Restore, progress: Progress = lambda *_: None
) -> Report:
    """Verify what is stored at this moment, while others may go on writing.

    Args:
        database: where it is.
        restore: makes the core; a fresh one is replayed from the first command.
        progress: is told from time to time.

    Errors:
        DatabaseUnavailable: the server does not answer.
    """
    started_s = time.monotonic()
    async with stored(database) as rows:
        verification = await Verification.begin(rows, restore, progress)
        report = await verification.run()
    report.seconds = time.monotonic() - started_s
    return report


class Verification:
    """One run over one snapshot of the database."""

    def __init__(self, rows: Stored, replay: Replay, report: Report, progress: Progress) -> None:
        self._stored = rows
        self._replay = replay
        self._report = report
        self._progress = progress
        self._links = Links()
        self._tables = Tables(rows)
        self._replays = True  # until the replay is not that of what happened any more
        self._pending: tuple[Doubt, np.ndarray | None] | None = None  # until the next row tells
        self._told_s = 0.0

    @staticmethod
    async def begin(rows: Stored, restore: Restore, progress: Progress) -> "Verification":
        """Return a verification of a snapshot of the database."""
        report = Report()
        for name in ("journal_seq", "cleared_seq"):
            setattr(report, name, await _read(report, getattr(rows, name)(), 0))
        hashes = await _read(report, rows.state_hashes(), {})
        snapshots = await _read(report, rows.snapshots(), [])
        report.hashes, report.snapshots = len(hashes), len(snapshots)
        return Verification(rows, Replay(restore(None), hashes, snapshots), report, progress)

    async def run(self) -> Report:
        """Verify everything."""
        report = self._report
        await self._journal()
        self._settle_doubt(None)
        if self._replays:
            self._add(self._replay.left_over())
            if report.cleared_seq > report.journal_seq:
                self._misplaced(report.cleared_seq, report.journal_seq)
        self._progress("tables", report.replayed_seq, report.journal_seq)
        if self._tables.house.seq == report.cleared_seq:
            self._add(await self._tables.finish())
        else:
            self._add(await self._tables.flush())
        self._add(await _read(report, guard_differences(self._stored), []))
        self._add(await _read(report, head_differences(self._stored), []))
        self._add(await _read(report, observation_differences(self._stored), []))
        self._add(await _read(report, index_differences(self._stored), []))
        self._add(await _read(report, settlement_differences(self._stored), []))
        self._add(await _read(report, delivery_differences(self._stored), []))
        self._add(await _read(report, webhook_differences(self._stored), []))
        self._add(await _read(report, request_differences(self._stored, report.cleared_seq), []))
        self._add(await self._violations())
        report.state_hash = self._replay.core.state_hash()
        self._progress("done", report.replayed_seq, report.journal_seq)
        return report

    async def _violations(self) -> list[Finding]:
        rows = await _read(self._report, self._stored.violations(), [])
        return [Finding("violation", f"{row[0]}, {row[1]}", "sum", *row[2:]) for row in rows]

    async def _journal(self) -> None:
        """Go through the journal; where the replay cannot go on, with the checksums alone."""
        try:
            async for row in self._stored.batches():
                batch = self._links.take(row)
                self._settle_doubt(self._links.goes_on_from_stored)
                self._add(field_differences(row, batch))
                events = await self._batch(batch) if self._replays else None
                if self._links.doubt is not None:
                    self._pending = (self._links.doubt, events)
        except Unreadable as error:
            self._replays = False
            self._add([error.finding])
        except JournalDamaged as error:
            self._replays = False
            self._add([Finding("journal_batch", str(error), "row", "a batch", "unreadable")])

    async def _batch(self, batch: Batch) -> np.ndarray | None:
        """Replay and compare one batch; return its events as they are now."""
        try:
            events = self._replay.apply(batch)
        except Unreadable as error:
            self._replays = False
            self._add([error.finding])
            return None
        doubt = self._links.doubt
        differences = list(event_differences(batch, events))
        self._add(differences)
        if differences and (doubt is None or not only_events_changed(doubt, events)):
            self._replays = False
            return events
        report, seq = self._report, batch.last_seq
        report.replayed_seq = seq
        report.batches += 1
        report.events += len(events)
        self._add(self._replay.state_difference(seq))
        checksums = self._links.checksums()
        self._add(await self._replay.snapshot_differences(self._stored, seq, checksums))
        await self._clear(batch, events)
        self._tell()
        return events

    async def _clear(self, batch: Batch, events: np.ndarray) -> None:
        """Work out what the batch did to the ledger, as far as clearing is."""
        cleared_seq = self._report.cleared_seq
        if batch.first_seq > cleared_seq:
            return
        if batch.last_seq > cleared_seq:
            self._misplaced(cleared_seq, batch.last_seq)
            return
        try:
            is_due = self._tables.apply(batch.commands, events)
        except ClearingMismatch as error:
            finding = Finding(
                "journal_batch", f"command {batch.last_seq}", "events", "", str(error)
            )
            raise Unreadable(finding) from error
        if is_due:
            self._add(await self._tables.flush())
        if batch.last_seq == cleared_seq:
            self._add(self._books_differences(cleared_seq))

    def _books_differences(self, seq: int) -> list[Finding]:
        """Return where the core's own books differ from those that clearing worked out."""
        core = CoreBooks.of_saved(unpack(self._replay.core.save()))
        return [
            Finding("core", f"command {seq}", place, str(ours), str(theirs))
            for place, ours, theirs in books_differ(core, self._tables.house.core_books())
        ]

    def _misplaced(self, found_seq: int, expected_seq: int) -> None:
        """Note that clearing's place is not the end of a batch."""
        place = ("name clearing", "last_seq", f"the end of a batch, {expected_seq}")
        self._add([Finding("follower", *place, str(found_seq))])

    def _settle_doubt(self, goes_on_from_stored: bool | None) -> None:
        """Note which part of the row before was changed, now that the next one tells."""
        if self._pending is not None:
            doubt, events = self._pending
            self._pending = None
            self._add([changed_part(doubt, events, goes_on_from_stored)])

    def _add(self, findings: Iterable[Finding]) -> None:
        self._report.findings += list(findings)[: FINDINGS_MAX - len(self._report.findings)]

    def _tell(self) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s >= PROGRESS_S:
            self._told_s = now_s
            self._progress("replay", self._report.replayed_seq, self._report.journal_seq)


async def _read(report: Report, rows: Awaitable[T], otherwise: T) -> T:
    """Return what is read, or note that it cannot be."""
    try:
        return await rows
    except RowsUnreadable as error:
        report.findings.append(Finding(error.table, "some row", "row", "readable", error.reason))
        return otherwise
