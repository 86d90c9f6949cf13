"""Keeps the status true: how far clearing is, and what follows for the mode."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from exchange.io.bus import Bus
from exchange.io.errors import Unavailable
from exchange.io.status import Mode, Status
from exchange.io.views import Views

LOOK_S: Final = 0.5
SILENT_S: Final = 3.0  # a leader silent for so long does not lead
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
