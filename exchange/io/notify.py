"""Hear what other processes tell each other through Postgres. Only a hint: it may be missed."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import asyncpg
import structlog

from exchange.io.db import LOST, Database, queries
from exchange.io.errors import DatabaseUnavailable

API_KEY: Final = "wellhead_api_key"  # the payload is a key id
OUTBOX: Final = "wellhead_outbox"  # there is a new account or transfer
SCENARIOS: Final = "wellhead_scenarios"  # the payload is the set that was chosen
INDEX: Final = "wellhead_index"  # the payload is the newest day that was published
MARGIN_CALL: Final = "wellhead_margin_call"  # the payload is the account_idx of a call that changed
DEFAULT_AUCTION: Final = "wellhead_default_auction"  # the payload is the liquidation
EFD: Final = "wellhead_efd"  # the payload is a session that was called, or of which a leg ended
NOTICE: Final = "wellhead_notice"  # the payload is the number of a notice

PING_S: Final = 2.0
RETRY_S: Final = 0.2

_SQL: Final = queries("registry")
_log = structlog.get_logger(__name__)


async def listen(database: Database, heard: dict[str, Callable[[str], None]]) -> None:
    """Call back for each message of each channel, until cancelled.

    After every (re)connection each is called with "": anything may have been missed before.
    """
    while True:
        try:
            connection = await database.connect()
        except DatabaseUnavailable:
            await asyncio.sleep(RETRY_S)
            continue
        try:
            await _hear(connection, heard)
        except LOST as error:
            _log.warning("listening_again", error=repr(error))
            await asyncio.sleep(RETRY_S)
        finally:
            connection.terminate()


async def _hear(connection: asyncpg.Connection, heard: dict[str, Callable[[str], None]]) -> None:
    """Call back until the connection is lost."""
    for channel, call in heard.items():
        await connection.add_listener(channel, _adapted(call))
        call("")
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    while not lost.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(PING_S):
                await lost.wait()
            return
        await connection.fetchval(_SQL["ping"])  # a silent network shows itself only so


def _adapted(call: Callable[[str], None]) -> Callable[[object, int, str, object], None]:
    return lambda connection, pid, channel, payload: call(str(payload))
