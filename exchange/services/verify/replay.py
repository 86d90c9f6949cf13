"""Replay: the core from its first command, event by event and state by state."""

from collections.abc import Iterator

import numpy as np

from exchange.io.batch import Batch
from exchange.io.core import Core, hash_of_saved
from exchange.io.errors import SnapshotDamaged
from exchange.io.stored import Stored, StoredSnapshot
from exchange.rules.findings import Finding
from exchange.services.verify.links import TABLE, Doubt, Unreadable, place_of
from matching.wire import EVENT


class Replay:
    """Applies batches to a fresh core and compares what it says with what is stored."""

    def __init__(
        self, core: Core, state_hashes: dict[int, bytes], snapshots: list[StoredSnapshot]
    ) -> None:
        self.core = core
        self.state_hashes = dict(state_hashes)  # not compared yet
        self.snapshots = {snapshot.seq: snapshot for snapshot in snapshots}  # not compared yet

    def apply(self, batch: Batch) -> np.ndarray:
        """Return the events that the commands of a batch cause now.

        Errors:
            Unreadable: the core cannot apply them.
        """
        try:
            return self.core.apply(batch.commands.copy())
        except Exception as error:
            finding = Finding(
                TABLE, f"command {self.core.last_seq + 1}", "commands", "a command", repr(error)
            )
            raise Unreadable(finding) from error

    def state_difference(self, seq: int) -> Iterator[Finding]:
        """Yield whether the state after a command is not the one that was recorded."""
        recorded = self.state_hashes.pop(seq, None)
        if recorded is not None and recorded != self.core.state_hash():
            yield _hash_finding("state_hash", seq, "hash", self.core.state_hash(), recorded)

    async def snapshot_differences(
        self, stored: Stored, seq: int, checksums: tuple[bytes, bytes]
    ) -> list[Finding]:
        """Return how the snapshot after a command differs from the core; nothing without one."""
        beside = self.snapshots.pop(seq, None)
        if beside is None:
            return []
        now = self.core.state_hash()
        found = []
        if beside.state_hash != now:
            found.append(_hash_finding("snapshot", seq, "state_hash", now, beside.state_hash))
        if beside.journal_checksum not in checksums:
            was = beside.journal_checksum
            found.append(_hash_finding("snapshot", seq, "journal_checksum", checksums[0], was))
        try:
            state = await stored.saved_state(seq)
        except SnapshotDamaged as error:
            place = f"snapshot at command {seq}"
            return [
                *found,
                Finding("snapshot_part", place, "bytes", "what was written", f"{error}"),
            ]
        if hash_of_saved(state.blob) != now:
            was = hash_of_saved(state.blob)
            found.append(_hash_finding("snapshot_part", seq, "bytes", now, was))
        return found

    def left_over(self) -> Iterator[Finding]:
        """Yield hashes and snapshots at commands where no batch ends."""
        for table, seqs in (("state_hash", self.state_hashes), ("snapshot", self.snapshots)):
            for seq in seqs:
                yield Finding(table, f"command {seq}", "seq", "where a batch ends", str(seq))


def event_differences(batch: Batch, events: np.ndarray) -> Iterator[Finding]:
    """Yield the fields of the first event that is not what the replay gives."""
    size = min(len(events), len(batch.events))
    differ = np.flatnonzero(events[:size] != batch.events[:size])
    if not len(differ):
        if len(events) != len(batch.events):
            counts = (str(len(events)), str(len(batch.events)))
            yield Finding(TABLE, place_of(batch), "events", *(f"{c} events" for c in counts))
        return
    at = int(differ[0])
    now, was = events[at], batch.events[at]
    first = int(np.searchsorted(events["seq"], now["seq"]))
    place = f"command {int(now['seq'])}, its event {at - first}"
    for name in EVENT.names or ():
        if now[name] != was[name]:
            yield Finding(TABLE, place, f"events.{name}", str(now[name]), str(was[name]))


def changed_part(
    doubt: Doubt, events: np.ndarray | None, goes_on_from_stored: bool | None
) -> Finding:
    """Return which part of a row was changed, where that can be known.

    Args:
        doubt: the row whose checksum does not match.
        events: what a replay of its commands gives; None: it was not replayed.
        goes_on_from_stored: see `Links`; of the row after this one.
    """
    rows = "commands, events" if events is None else "commands"
    if only_events_changed(doubt, events):
        field = "events"
    elif goes_on_from_stored is None:
        field = f"{rows}, epoch or checksum"
    else:
        field = f"{rows} or epoch" if goes_on_from_stored else "checksum"
    return _row_finding(doubt, field)


def only_events_changed(doubt: Doubt, events: np.ndarray | None) -> bool:
    """Say whether the row was written with the events that the replay gives."""
    return events is not None and doubt.with_events(events) == doubt.stored.checksum


def _row_finding(doubt: Doubt, field: str) -> Finding:
    content, stored = f"{doubt.computed.hex()[:16]}..", f"{doubt.stored.checksum.hex()[:16]}.."
    if field == "checksum":
        return Finding(TABLE, place_of(doubt.batch), field, content, stored)
    sums = (f"content of checksum {stored}", f"content of checksum {content}")
    return Finding(TABLE, place_of(doubt.batch), field, *sums)


def _hash_finding(table: str, seq: int, field: str, now: bytes, was: bytes) -> Finding:
    return Finding(table, f"command {seq}", field, now.hex(), was.hex())
