"""Sending: one delivery of a hook after the other, some hooks at once, none waited for."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from time import monotonic_ns
from typing import Final

import structlog

from exchange.io.fetching import FetchRefused, tell
from exchange.io.tasks import end_tasks
from exchange.io.webhook_queue import Due, Queue, Tried, Waiting
from exchange.rules.addresses import Address, AddressInvalid, https_address
from exchange.rules.webhooks import backoff_ns, envelope, parks, signature

AT_ONCE: Final = 16  # hooks
AT_ONCE_OF_ACCOUNT: Final = 4  # of them: nobody takes the places of all others
IN_A_ROW: Final = 50  # deliveries of one hook, before others have their turn
TURN_NS: Final = 10_000_000_000  # none is begun later in a turn, however many wait
TIMEOUT_S: Final = 10.0
NS_PER_MS: Final = 1_000_000

# Posts a body and returns the status; `exchange.io.fetching.tell`.
Tell = Callable[[Address, Mapping[str, str], bytes], Awaitable[int]]

_log = structlog.get_logger(__name__)


async def tell_it(address: Address, headers: Mapping[str, str], body: bytes) -> int:
    """Post to a receiver, guarded."""
    return await tell(address, headers, body, timeout_s=TIMEOUT_S)


class Sender:
    """`start` what is due as often as you like; `end` before the queue is closed."""

    def __init__(
        self, queue: Queue, now_ns: Callable[[], int], inside: Collection[str], post: Tell = tell_it
    ) -> None:
        """Send what waits.

        Args:
            inside: `name:port` of hosts that need not be public.
            post: carries a delivery; not returned from in time, it is cancelled.
        """
        self._queue = queue
        self._now_ns = now_ns
        self._inside = inside
        self._post = post
        self._going: dict[str, asyncio.Task[None]] = {}
        self._whose: dict[str, str] = {}  # hook -> account

    async def start(self) -> None:
        """Begin with hooks that are due, as long as there is room."""
        self._reap()
        if len(self._going) >= AT_ONCE:
            return
        places = Counter(self._whose.values())
        for due in await self._queue.due(self._now_ns(), tuple(self._going)):
            if len(self._going) < AT_ONCE and places[due.account_id] < AT_ONCE_OF_ACCOUNT:
                places[due.account_id] += 1
                self._whose[due.webhook_id] = due.account_id
                self._going[due.webhook_id] = asyncio.create_task(self._work(due))

    async def rest(self) -> None:
        """Wait until everything that was begun is over."""
        if self._going:
            await asyncio.wait(self._going.values())
        self._reap()

    async def end(self) -> None:
        """Give up what is going on: it is sent again."""
        await end_tasks(self._going.values())
        self._going.clear()
        self._whose.clear()

    def _reap(self) -> None:
        """Forget what is over; a bug in it is one here.

        Errors:
            Unavailable: the database did not answer one of them.
        """
        for webhook_id, task in list(self._going.items()):
            if task.done():
                del self._going[webhook_id], self._whose[webhook_id]
                task.result()

    async def _work(self, due: Due) -> None:
        """Send what waits of one hook, in order, until one fails or its turn is over."""
        ends_ns = monotonic_ns() + TURN_NS
        for _ in range(IN_A_ROW):
            if monotonic_ns() >= ends_ns:
                return
            waiting = await self._queue.next(due.webhook_id)
            if waiting is None or not await self._send(due, waiting):
                return
            due = due._replace(failures=0)

    async def _send(self, due: Due, waiting: Waiting) -> bool:
        """Send one and write what came of it; return whether it was taken."""
        tried = await self._try(due, waiting)
        if tried.is_good:
            await self._queue.succeeded(due, waiting.delivery_id, tried)
            return True
        failures = due.failures + 1
        is_parked = parks(failures, tried.http_status)
        retry_ns = tried.at_ns + backoff_ns(failures)
        await self._queue.failed(due, waiting.delivery_id, tried, retry_ns, parks=is_parked)
        if is_parked:
            _log.warning("webhook_parked", webhook=due.webhook_id, error=tried.error)
        return False

    async def _try(self, due: Due, waiting: Waiting) -> Tried:
        """Post a delivery, signed at this moment."""
        at_ns, began_ns = self._now_ns(), monotonic_ns()
        body = envelope(
            waiting.delivery_id, waiting.event, waiting.created_ns // NS_PER_MS, due.account_id,
            waiting.data,
        )  # fmt: skip
        at_ms, status, error = at_ns // NS_PER_MS, None, ""
        headers = {
            "WH-WEBHOOK": due.webhook_id,
            "WH-DELIVERY": str(waiting.delivery_id),
            "WH-EVENT": waiting.event,
            "WH-TIMESTAMP": str(at_ms),
            "WH-SIGN": ",".join(signature(one, at_ms, body) for one in due.secrets),
        }
        try:
            async with asyncio.timeout(TIMEOUT_S):
                status = await self._post(https_address(due.url, self._inside), headers, body)
        except TimeoutError:
            error = f"no answer in {TIMEOUT_S:g} s"
        except (FetchRefused, AddressInvalid) as refused:
            error = str(refused)
        except Exception as surprise:  # noqa: BLE001  # one receiver is nobody else's trouble
            _log.exception("webhook_surprise", webhook=due.webhook_id)
            error = f"{type(surprise).__name__}: {surprise}"
        is_good = status is not None and 200 <= status < 300
        if status is not None and not is_good:
            error = f"answered {status}"
        latency_ms = (monotonic_ns() - began_ns) // NS_PER_MS
        return Tried(is_good, status, latency_ms, error, at_ns)
