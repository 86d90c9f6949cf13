"""Is the ledger what the core says, at the same command? Asked while clearing runs."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

import asyncpg
import structlog

from exchange.io.errors import SnapshotDamaged
from exchange.io.ledger import Ledger, LedgerMismatch
from exchange.io.snapshots import Snapshot, Snapshots
from exchange.rules.core_books import CoreBooks, books_differ
from exchange.rules.margin_audit import margin_differs
from matching.saved import unpack

AUDIT_EVERY_S: Final = 30.0
SAMPLE: Final = 100  # accounts of a saved state whose margin is computed anew
SHOWN_MAX: Final = 10  # differences in one message

_log = structlog.get_logger(__name__)


class Audit:
    """Looks at tables and saved states of the core now and then, between transactions."""

    def __init__(self, ledger: Ledger, pool: asyncpg.Pool) -> None:
        self._ledger = ledger
        self._snapshots = Snapshots(pool)
        self._next_s = 0.0
        self._seen_seq = -1  # of the ledger, when its tables were looked at
        self._next_account = 0  # whose margin is computed next
        self._compared_seq = 0  # of the core's state that was compared last

    async def run_due(self, seq: int) -> None:
        """Look if it is time, and if anything was posted since.

        Errors:
            LedgerMismatch: something must not be as it is.
        """
        now_s = time.monotonic()
        if now_s < self._next_s or seq == self._seen_seq:
            return
        await self.check_tables()
        await self.check_core(seq)
        self._seen_seq = seq
        self._next_s = time.monotonic() + AUDIT_EVERY_S

    async def check_tables(self) -> None:
        """Look at balances and positions as they are.

        Errors:
            LedgerMismatch: something must not be as it is.
        """
        _fail_if([str(violation) for violation in await self._ledger.violations(history=False)])

    async def check_core(self, seq: int) -> None:
        """Compare with the newest saved state of the core that the ledger has reached.

        Errors:
            LedgerMismatch: cash or positions of then are not what the core had.
        """
        snapshot = await self._newest(seq)
        if snapshot is None:
            return
        saved = await asyncio.to_thread(unpack, snapshot.blob)
        core = CoreBooks.of_saved(saved)
        books = await self._ledger.books_at(snapshot.seq)
        found = [str(difference) for difference in books_differ(core, books)]
        found += await asyncio.to_thread(self._check_margins, saved)
        _fail_if([f"at command {snapshot.seq}: {line}" for line in found])
        self._compared_seq = snapshot.seq
        _log.info(
            "clearing_agrees_with_the_core", seq=snapshot.seq, accounts=len(books.cash_usd_micros)
        )

    def _check_margins(self, saved: Mapping[str, Any]) -> list[str]:
        """Compute the margin of the next accounts anew, going on where the last state ended."""
        count = len(saved["accounts"])
        chosen = [(self._next_account + place) % count for place in range(min(count, SAMPLE))]
        self._next_account += len(chosen)
        return list(margin_differs(saved, chosen))

    async def _newest(self, seq: int) -> Snapshot | None:
        """Return the newest whole snapshot up to a command, if it was not compared yet.

        What a month that is archived by now had cannot be told any more.
        """
        after_seq = max(self._compared_seq, await self._ledger.archived_seq() - 1)
        async for found in self._snapshots.newest(seq):
            if isinstance(found, SnapshotDamaged):
                _log.error("snapshot_skipped", reason=str(found))
                continue
            return found if found.seq > after_seq else None
        return None


def _fail_if(differences: list[str]) -> None:
    if differences:
        more = len(differences) - SHOWN_MAX
        rest = f"; and {more} more" if more > 0 else ""
        raise LedgerMismatch("; ".join(differences[:SHOWN_MAX]) + rest)
