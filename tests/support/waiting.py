"""Waiting in tests: for the event itself, however slow the machine, and never for a while."""

import asyncio
from collections.abc import Callable

import asyncpg

PATIENCE_S = 60.0  # it only ends what hangs


async def until(holds: Callable[[], object], pause_s: float = 0.005) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(pause_s)


async def until_locked_out(pool: asyncpg.Pool) -> int:
    """Wait until a connection to this database waits for a lock; return its process id."""
    query = (
        "SELECT pid FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with asyncio.timeout(PATIENCE_S):
        while not (pid := await pool.fetchval(query)):
            await asyncio.sleep(0.005)
    return int(pid)
