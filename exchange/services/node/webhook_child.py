"""Webhooks beside a node: a child process, started when somebody has asked for a webhook.

A process that is clearing alone delivers them by itself, if it was given the key of secrets.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import structlog

from exchange.io.errors import Corrupt, Unavailable
from exchange.io.webhook_queue import Queue
from exchange.services.node.follower_child import FollowerChild, log_environment
from exchange.services.node.ground import Ground, key_text
from exchange.services.webhooks import Webhooks

LOOK_S: Final = 1.0

_log = structlog.get_logger(__name__)


class WebhookChild:
    """`watch` until cancelled, then `end`. Without a webhook there is no process."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._queue = Queue(ground.pool, ground.box)
        self._child: FollowerChild | None = None

    async def watch(self) -> None:
        """Wait for the first webhook, then keep the process running."""
        # a webhook is a row of the database, which has no event to wait for
        while not await self._is_wanted():  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)
        self._child = FollowerChild(self._ground.database, "webhooks", self._environment())
        self._child.start()
        await self._child.watch()

    async def _is_wanted(self) -> bool:
        with suppress(Unavailable, TimeoutError):
            return await self._queue.any()
        return False

    def _environment(self) -> Mapping[str, str]:
        """Return what it needs beside the database: keys of secrets, hosts that may be inside."""
        settings = self._ground.settings
        return {
            **log_environment(settings),
            "WELLHEAD_SECRET_KEY": key_text(settings, self._ground.folder),
            "WELLHEAD_WEBHOOK_HOSTS": ",".join(settings.webhook_hosts),
        }

    async def end(self) -> None:
        """Let it end."""
        if self._child is not None:
            await self._child.end()


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
