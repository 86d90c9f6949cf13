"""The loop of webhooks: fill the queues with what happened, start what is due, look again.

It may be killed at any instant. What was written is told once more then, with the same id and the
same bytes: receivers are told so. Who is slow, gone or hostile takes one of a few places for ten
seconds, later and later, and no more than its own ten thousand rows.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Final

import structlog

from exchange.io.db import LOST, Database, queries
from exchange.io.errors import Conflict, Unavailable
from exchange.io.secret_box import SecretBox
from exchange.io.tasks import set_within
from exchange.io.webhook_queue import Queue
from exchange.services.webhooks.sending import Sender

LOOK_S: Final = 0.5
RETRY_S: Final = 1.0
LOCK_RETRY_S: Final = 2.0
FORGET_EVERY_S: Final = 60.0
KEPT_NS: Final = 7 * 86_400 * 1_000_000_000  # a delivery that was taken stays in the list so long

_log = structlog.get_logger(__name__)


class Webhooks:
    """One at a time: a second one waits for the first to end, then goes on."""

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        inside: Collection[str] = (),
        *,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Deliver for the exchange of a database.

        Args:
            inside: `name:port` of hosts that need not be public.
        """
        self._database = database
        self._box = box
        self._inside = frozenset(inside)
        self._now_ns = now_ns

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until told to stop; waits while the database does not answer.

        Errors:
            Corrupt: a secret was sealed with another key.
        """
        while not stop.is_set():
            try:
                await self._session(stop)
            except (*LOST, Unavailable, Conflict) as error:
                _log.warning("webhooks_wait", error=f"{type(error).__name__}: {error}")
                await set_within(stop, RETRY_S)

    async def _session(self, stop: asyncio.Event) -> None:
        """Deliver while one connection, which holds the lock, lives."""
        connection = await self._database.connect()
        pool = await self._database.pool(size_max=4)
        try:
            lock = queries("webhooks")["lock"]
            while not await connection.fetchval(lock):
                if await set_within(stop, LOCK_RETRY_S):
                    return
            queue = Queue(pool, self._box)
            sender = Sender(queue, self._now_ns, self._inside)
            try:
                await self._deliver(queue, sender, stop, connection.is_closed)
            finally:
                await sender.end()
        finally:
            connection.terminate()
            pool.terminate()

    async def _deliver(
        self, queue: Queue, sender: Sender, stop: asyncio.Event, is_lost: Callable[[], bool]
    ) -> None:
        forgot_s = 0.0
        while not stop.is_set() and not is_lost():
            more = await queue.fill(self._now_ns())
            await sender.start()
            if time.monotonic() - forgot_s > FORGET_EVERY_S:
                forgot_s = time.monotonic()
                await queue.forget(self._now_ns() - KEPT_NS)
            if not more:
                await set_within(stop, LOOK_S)
