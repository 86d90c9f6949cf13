"""Leadership: one process at a time may write the journal."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import asyncpg
import structlog

from exchange.io.db import LOST, queries
from exchange.io.errors import DatabaseUnavailable, EpochLost

BEAT_S: Final = 0.5
LEASE_S: Final = 3.0  # a leader silent for so long may be replaced; fencing makes that safe

_SQL: Final = queries("leader")
_log = structlog.get_logger(__name__)


class Leadership:
    """The row that says who leads."""

    def __init__(self, pool: asyncpg.Pool, holder: str) -> None:
        self._pool = pool
        self._holder = holder
        self.epoch = 0  # ours, 0 while we do not lead

    async def take(self) -> int:
        """Raise the epoch: from now on no other process can write the journal; return it."""
        self.epoch = int(await self._value(_SQL["take"], self._holder))
        await self._value(_SQL["beat"], self.epoch)
        return self.epoch

    async def is_vacant(self) -> bool:
        """Say whether the last leader resigned, or has been silent for too long."""
        silent_for_s: float | None = await self._value(_SQL["silent_for_s"])
        return silent_for_s is None or silent_for_s > LEASE_S

    async def keep(self, lost: Callable[[EpochLost], None]) -> None:
        """Show that we are alive until cancelled; calls `lost` once if another leads."""
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                if await self._value(_SQL["beat"], self.epoch) is None:
                    lost(EpochLost(f"epoch {self.epoch} has ended: another process leads"))
                    return
            except DatabaseUnavailable as error:
                _log.warning("beat_failed", error=str(error))

    async def resign(self) -> None:
        """Let a standby lead at once."""
        await self._value(_SQL["resign"], self.epoch)

    async def _value(self, query: str, *args: object) -> Any:
        try:
            return await self._pool.fetchval(query, *args)
        except LOST as error:
            raise DatabaseUnavailable(f"cannot reach the leader's row: {error!r}") from error
