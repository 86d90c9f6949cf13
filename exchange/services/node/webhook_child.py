"""Webhooks beside a node: a child process, started when somebody has asked for a webhook.

A process that is clearing alone delivers them by itself, if it was given the key of secrets.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Final

import structlog

from exchange.io.errors import Corrupt, Unavailable
from exchange.io.webhook_queue import Figures, Queue
from exchange.rules.webhooks import NS_PER_S
from exchange.services.node.follower_child import FollowerChild, log_environment
from exchange.services.node.ground import Ground, key_text
from exchange.services.node.metrics import Numbers
from exchange.services.webhooks import Webhooks

LOOK_S: Final = 1.0
FIGURES_S: Final = 5.0

_log = structlog.get_logger(__name__)


class WebhookChild:
    """`watch` until cancelled, then `end`. Without a webhook there is no process."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._queue = Queue(ground.pool, ground.box)
        self._environment = _environment(ground)  # now: later its key may not be readable
        self._child: FollowerChild | None = None
        self._figures = Figures()

    def count(self, numbers: Numbers) -> None:
        """Show how well webhooks are delivered, as `keep_figures` saw it last."""
        for name, meaning in (
            ("active", "Webhooks that are told."),
            ("parked", "Webhooks that are told no more."),
            ("waiting", "Deliveries that wait."),
            ("notes", "Happenings that no delivery was made of yet."),
            ("behind", "Commands posted that nobody was told of yet."),
        ):
            numbers.gauge(f"webhooks_{name}", meaning, partial(self._figure, name))
        numbers.gauge(
            "webhooks_oldest_seconds",
            "How long the first delivery of an active webhook has waited.",
            self._oldest_s,
        )
        numbers.counter(
            "webhooks_dropped", "Deliveries left out for want of room.",
            partial(self._figure, "dropped"),
        )  # fmt: skip

    def _figure(self, name: str) -> float:
        return float(getattr(self._figures, name))

    def _oldest_s(self) -> float:
        since_ns = self._figures.oldest_ns
        return max(0.0, (time.time_ns() - since_ns) / NS_PER_S) if since_ns else 0.0

    async def keep_figures(self) -> None:
        """Look every few seconds, until cancelled."""
        while True:
            try:
                self._figures = await self._queue.figures()
            except (Unavailable, TimeoutError) as error:
                _log.warning("webhooks_not_counted", error=str(error))
            await asyncio.sleep(FIGURES_S)

    async def watch(self) -> None:
        """Wait for the first webhook, then keep the process running."""
        # A webhook is a row of the database, and room of the system's: neither has an event.
        while not await self._is_wanted():  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)
        self._child = FollowerChild(self._ground.database, "webhooks", self._environment)
        while not self._child.try_start():  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)
        await self._child.watch()

    async def _is_wanted(self) -> bool:
        with suppress(Unavailable, TimeoutError):
            return await self._queue.any()
        return False

    async def end(self) -> None:
        """Let it end."""
        if self._child is not None:
            await self._child.end()


def _environment(ground: Ground) -> Mapping[str, str]:
    """Return what it needs beside the database: keys of secrets, hosts that may be inside."""
    settings = ground.settings
    return {
        **log_environment(settings),
        "WELLHEAD_SECRET_KEY": key_text(settings, ground.folder),
        "WELLHEAD_WEBHOOK_HOSTS": ",".join(settings.webhook_hosts),
    }


async def deliver(ground: Ground, stop: asyncio.Event) -> None:
    """Deliver in this process until told to stop; a wrong key ends nothing but this."""
    settings = ground.settings
    if settings.secret_key is None:
        _log.warning("no_webhooks", why="WELLHEAD_SECRET_KEY is not set: secrets cannot be read")
        return
    try:
        await Webhooks(ground.database, ground.box, settings.webhook_hosts).run(stop)
    except Corrupt as error:
        _log.critical("webhooks_stopped", error=str(error))
