"""The main function of a follower of the journal that is a process of its own.

The database is that of the settings. As a child (`--child`) it reads its standard input: each
byte says that the journal grew, the end says that the parent is gone. With `--embedded` the
database is the parent's own, whose processes give way as well.
"""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

import structlog
import uvloop

from exchange.config import Settings
from exchange.io.db import Database
from exchange.io.errors import Corrupt
from exchange.io.logs import configure
from exchange.io.turns import give_way

EXIT_CORRUPT: Final = 65  # starting again would not help: a person must look

# Runs until `stop` is set; `wake` is set when the journal grew, None when nobody says so.
Work = Callable[[Database, asyncio.Event | None, asyncio.Event], Awaitable[None]]

_log = structlog.get_logger(__name__)


def main(name: str, work: Work, arguments: list[str], *, nice: int) -> int:
    """Work until a signal, or the parent's end; return the exit code.

    Args:
        nice: how far whoever trades comes first when the processors are busy.
    """
    give_way(nice)
    settings = Settings()
    configure(settings.log_level, settings.log_file)
    if settings.database_url is None:
        print("WELLHEAD_DATABASE_URL names no database", file=sys.stderr)  # noqa: T201
        return 2
    database = Database.external(settings.database_url.get_secret_value())
    if "--embedded" in arguments:
        database = replace(database, nice=nice)
    try:
        uvloop.run(_run(work, database, is_child="--child" in arguments))
    except Corrupt as error:
        _log.critical(f"{name}_stopped", error=f"{type(error).__name__}: {error}")
        return EXIT_CORRUPT
    return 0


async def _run(work: Work, database: Database, *, is_child: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    wake = asyncio.Event() if is_child else None
    if wake is not None:
        await loop.connect_read_pipe(lambda: _Parent(wake, stop), sys.stdin)
    await work(database, wake, stop)


class _Parent(asyncio.Protocol):
    """What the parent says over the pipe."""

    def __init__(self, wake: asyncio.Event, stop: asyncio.Event) -> None:
        self._wake = wake
        self._stop = stop

    def data_received(self, data: bytes) -> None:
        self._wake.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop.set()
        self._wake.set()
