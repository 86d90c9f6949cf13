"""Is the ledger what the core says, at the same command? Asked while clearing runs."""

import time
from typing import Final

import asyncpg
import structlog

from exchange.io.ledger import Ledger, LedgerMismatch

AUDIT_EVERY_S: Final = 10.0

_log = structlog.get_logger(__name__)


class Audit:
    """Looks for violations of the tables now and then, between transactions."""

    def __init__(self, ledger: Ledger, pool: asyncpg.Pool) -> None:
        self._ledger = ledger
        self._pool = pool
        self._next_s = 0.0
        self._seen_seq = -1

    async def run_due(self, seq: int) -> None:
        """Look if it is time, and if anything was posted since.

        Errors:
            LedgerMismatch: something must not be as it is.
        """
        now_s = time.monotonic()
        if now_s < self._next_s or seq == self._seen_seq:
            return
        await self.check_now()
        self._seen_seq = seq
        self._next_s = now_s + AUDIT_EVERY_S

    async def check_now(self) -> None:
        """Look at balances and positions as they are.

        Errors:
            LedgerMismatch: something must not be as it is.
        """
        violations = await self._ledger.violations(history=False)
        if violations:
            raise LedgerMismatch("; ".join(map(str, violations[:10])))
