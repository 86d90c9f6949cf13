"""Keeps the status true: how far clearing is, and what follows for the mode."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from exchange.io.bus import Bus
from exchange.io.errors import Unavailable
from exchange.io.status import Mode, Status
from exchange.io.views import Views

LOOK_S: Final = 0.5
SILENT_S: Final = 3.0  # a leader silent for so long does not lead
NS_PER_S: Final = 1_000_000_000
UNTIL_FORMAT: Final = "%Y-%m-%d %H:%M:%S UTC"
SILENT_REASON: Final = "no engine leads"

_log = structlog.get_logger(__name__)


async def keep_leaders_status(
    status: Status,
    bus: Bus,
    views: Views,
    lag_max: int,
    is_corrupt: Callable[[], bool],
) -> None:
    """Look at clearing, choose the mode, tell the other processes; runs until cancelled."""
    while True:
        try:
            status.clearing_seq = await views.seq()
        except Unavailable as error:
            _log.warning("clearing_unknown", error=str(error))
        choose_mode(status, lag_max, is_corrupt())
        status.updated_ns = time.time_ns()
        try:
            await bus.put_status(status)
        except Unavailable as error:
            _log.warning("status_not_told", error=str(error))
        await asyncio.sleep(LOOK_S)


def choose_mode(status: Status, lag_max: int, is_corrupt: bool) -> None:
    """Take only what lowers risk while clearing is far behind, or has stopped for good."""
    if status.mode == Mode.NORMAL and (is_corrupt or status.clearing_lag > lag_max):
        status.mode = Mode.CANCEL_ONLY
        status.reason = "clearing found a contradiction" if is_corrupt else "clearing is far behind"
        _log.error("cancel_only", reason=status.reason, lag=status.clearing_lag)
    elif status.mode == Mode.CANCEL_ONLY and not is_corrupt and status.clearing_lag < lag_max // 2:
        status.mode, status.reason = Mode.NORMAL, ""
        _log.info("normal_again", lag=status.clearing_lag)


async def keep_clock_status(status: Status, behind_until_ns: Callable[[], int]) -> None:
    """Say, while the mode is normal, that nothing signed is accepted as the clock is behind.

    Args:
        behind_until_ns: the time it must reach, 0 while all is well.
    """
    said = ""
    while True:
        until_ns = behind_until_ns()
        if until_ns and not said:
            until = datetime.fromtimestamp(-(-until_ns // NS_PER_S), UTC)
            said = f"the clock is behind: nothing signed is accepted until {until:{UNTIL_FORMAT}}"
            _log.warning("clock_behind", accepts_again=f"{until:{UNTIL_FORMAT}}")
        elif said and not until_ns:
            if status.reason == said:
                status.reason = ""
            said = ""
            _log.info("clock_caught_up")
        if said and status.mode == Mode.NORMAL:
            status.reason = said
        await asyncio.sleep(LOOK_S)


async def keep_followers_status(status: Status, bus: Bus) -> None:
    """Copy what the leader says; after some silence the exchange is halted.

    A single missing word means nothing: the bus may have been wiped a moment ago.
    """
    heard_s = -SILENT_S
    while True:
        said = None
        try:
            said = await bus.get_status()
        except Unavailable as error:
            _log.warning("status_unknown", error=str(error))
        if said is not None and said.updated_ns != status.updated_ns:
            heard_s = time.monotonic()
            for name in Status.__struct_fields__:
                setattr(status, name, getattr(said, name))
        elif time.monotonic() - heard_s > SILENT_S:
            status.mode, status.reason = Mode.HALTED, SILENT_REASON
        await asyncio.sleep(LOOK_S)
