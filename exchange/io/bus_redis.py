"""The bus between processes: two Redis streams.

`wh:commands` holds what gateways sent and the leader has not committed; `wh:batches` the newest
committed batches. Both may vanish at any moment: gateways send again, readers ask the journal.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

import msgspec
import numpy as np
import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from exchange.io.batch import Batch
from exchange.io.bus import WAITING_COMMANDS_MAX, Inbox, Outlet, Rows
from exchange.io.errors import BusUnavailable, Corrupt
from exchange.io.redis_stream import StreamReader
from exchange.io.status import Status
from exchange.io.tasks import end_tasks
from matching.wire import COMMAND

COMMANDS: Final = "wh:commands"
BATCHES: Final = "wh:batches"
STATUS: Final = "wh:status"
STATUS_MS: Final = 3_000  # a leader silent for so long says nothing
ENTRY_BYTES_MAX: Final = 4096 * COMMAND.itemsize  # of commands in one entry
COMMAND_ENTRIES_MAX: Final = 1 << 16  # should no leader take them
BATCH_BYTES_MAX: Final = 16 << 20  # a larger one is left to the journal
BATCHES_BYTES_MAX: Final = 64 << 20
TIMEOUT_S: Final = 2.0
RETRY_S: Final = 0.1
FULL_PAUSE_S: Final = 0.005
LOST: Final = (RedisError, OSError, TimeoutError)

_log = structlog.get_logger(__name__)


class RedisBus:
    """One process's end of the bus. Connections are made when needed, and made again when lost."""

    def __init__(self, url: str) -> None:
        options: dict[str, Any] = {
            "socket_connect_timeout": TIMEOUT_S,
            "retry": Retry(NoBackoff(), 0),  # we know better when to send again
            "protocol": 2,
        }
        self._writer: Any = Redis.from_url(url, socket_timeout=TIMEOUT_S, **options)
        self._commands = StreamReader(url, COMMANDS, from_start=True, **options)
        self._batches = StreamReader(url, BATCHES, from_start=False, **options)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._inbox = Inbox()
        self._outlets: list[Outlet] = []
        self._outgoing: list[tuple[bytes, asyncio.Future[None]]] = []
        self._outgoing_wake = asyncio.Event()
        self._publishing: deque[tuple[Batch, int]] = deque()
        self._publishing_wake = asyncio.Event()
        self._taken: deque[tuple[int, bytes]] = deque()  # commands up to an entry, and its id
        self._arrived_count = self._done_count = 0
        self._kept: deque[tuple[int, bytes]] = deque()  # sizes and ids of published batches
        self._kept_bytes = 0

    # Commands

    async def send(self, rows: Rows) -> None:
        """Send commands to the sequencer, in this order."""
        raw = rows if isinstance(rows, bytes) else rows.tobytes()
        assert len(raw) % COMMAND.itemsize == 0, "not whole command rows"
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._outgoing.append((raw, future))
        self._outgoing_wake.set()
        self._run("send", self._send_forever)
        await future

    def try_send(self, row: bytes) -> bool:
        """Send nothing: Redis takes time."""
        return False

    async def _send_forever(self) -> None:
        """Write what waits, all of it together, one entry after the other."""
        while True:
            await self._outgoing_wake.wait()
            self._outgoing_wake.clear()
            waiting, self._outgoing = self._outgoing, []
            error: Exception | None = None
            try:
                await self._write(b"".join(raw for raw, _ in waiting))
            except LOST as lost:
                error = BusUnavailable(f"redis does not take commands: {lost!r}")
            for _, future in waiting:
                if not future.done():
                    future.set_exception(error) if error else future.set_result(None)

    async def _write(self, raw: bytes) -> None:
        for start in range(0, len(raw), ENTRY_BYTES_MAX):
            await self._writer.xadd(
                COMMANDS,
                {"c": raw[start : start + ENTRY_BYTES_MAX]},
                maxlen=COMMAND_ENTRIES_MAX,
                approximate=True,
            )

    def on_arrival(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever commands have arrived."""
        self._inbox.on_arrival(wake)
        self._run("commands", self._read_commands)

    def take(self, count_max: int) -> np.ndarray:
        """Return the commands that are here, at most `count_max`, maybe none."""
        return self._inbox.take(count_max)

    async def receive(self, count_max: int) -> np.ndarray:
        """Wait for commands and return at most `count_max` of them."""
        self._run("commands", self._read_commands)
        return await self._inbox.receive(count_max)

    async def _read_commands(self) -> None:
        while True:
            for entry_id, fields in await self._commands.read():
                raw = fields.get(b"c", b"")
                if not raw or len(raw) % COMMAND.itemsize:
                    _log.error("entry_skipped", stream=COMMANDS, size=len(raw))
                    continue
                while self._inbox.count > WAITING_COMMANDS_MAX // 2:  # noqa: ASYNC110
                    await asyncio.sleep(FULL_PAUSE_S)  # the sequencer does not tell that it took
                self._arrived_count += len(raw) // COMMAND.itemsize
                self._taken.append((self._arrived_count, entry_id))
                self._inbox.put(raw)

    # Batches

    def announce(self, batch: Batch) -> None:
        """Say nothing: who listens is in another process."""

    async def publish(self, batch: Batch, taken_count: int = 0) -> None:
        """Give a committed batch to all subscribers; never fails, never waits."""
        self._publishing.append((batch, taken_count))
        self._publishing_wake.set()
        self._run("publish", self._publish_forever)

    async def _publish_forever(self) -> None:
        await self._forget_batches()
        while True:
            await self._publishing_wake.wait()
            self._publishing_wake.clear()
            waiting, self._publishing = list(self._publishing), deque()
            try:
                await self._publish(waiting)
            except LOST as error:
                _log.warning("not_published", batches=len(waiting), error=repr(error))

    async def _forget_batches(self) -> None:
        """Begin anew: what an earlier leader published is in the journal."""
        with suppress(*LOST):
            await self._writer.xtrim(BATCHES, maxlen=0, approximate=False)

    async def _publish(self, waiting: list[tuple[Batch, int]]) -> None:
        """Write batches, and trim both streams, in one round trip."""
        pipeline = self._writer.pipeline(transaction=False)
        sizes: list[int] = []
        for batch, taken_count in waiting:
            self._done_count += taken_count
            raw = batch.to_bytes()
            if len(raw) <= BATCH_BYTES_MAX:
                pipeline.xadd(BATCHES, {"b": raw})
                sizes.append(len(raw))
        if done_id := self._done_id():
            pipeline.xtrim(COMMANDS, minid=_next_id(done_id), approximate=True)
        if old_id := self._old_id():
            pipeline.xtrim(BATCHES, minid=_next_id(old_id), approximate=True)
        found = await pipeline.execute()
        for size, entry_id in zip(sizes, found, strict=False):
            self._kept.append((size, entry_id))
            self._kept_bytes += size

    def _done_id(self) -> bytes | None:
        """Return the last entry whose commands are all committed, None if nothing is new."""
        done_id = None
        while self._taken and self._taken[0][0] <= self._done_count:
            done_id = self._taken.popleft()[1]
        return done_id

    def _old_id(self) -> bytes | None:
        """Return the last published batch to forget, None while there is room."""
        old_id = None
        while self._kept_bytes > BATCHES_BYTES_MAX:
            size, old_id = self._kept.popleft()
            self._kept_bytes -= size
        return old_id

    def subscribe(self) -> Outlet:
        """Return the batches published from about now on; some may be missing."""
        outlet = Outlet()
        self._outlets.append(outlet)
        self._run("batches", self._read_batches)
        return outlet

    def unsubscribe(self, outlet: Outlet) -> None:
        """End a subscription."""
        outlet.close()
        if outlet in self._outlets:
            self._outlets.remove(outlet)

    async def _read_batches(self) -> None:
        while True:
            for _, fields in await self._batches.read():
                try:
                    batch = Batch.from_bytes(fields.get(b"b", b""))
                except Corrupt as error:
                    _log.error("entry_skipped", stream=BATCHES, error=str(error))
                    continue
                for outlet in self._outlets:
                    outlet.put(batch)

    # Status

    async def put_status(self, status: Status) -> None:
        """Tell the other processes what the leader is doing."""
        try:
            await self._writer.set(STATUS, status.to_json(), px=STATUS_MS)
        except LOST as error:
            raise BusUnavailable(f"redis does not answer: {error!r}") from error

    async def get_status(self) -> Status | None:
        """Return what the leader said last, or None if it has been silent for seconds."""
        try:
            raw = await self._writer.get(STATUS)
            return Status.from_json(raw) if raw else None
        except (*LOST, msgspec.MsgspecError) as error:
            raise BusUnavailable(f"redis does not answer: {error!r}") from error

    # All

    async def close(self) -> None:
        """Stop all readers; they end as if there were nothing more."""
        await end_tasks(self._tasks.values())
        for _, future in self._outgoing:
            if not future.done():
                future.set_exception(BusUnavailable("the bus was closed"))
        for outlet in self._outlets:
            outlet.close()
        for client in (self._writer, self._commands, self._batches):
            with suppress(*LOST):
                await client.aclose()

    def _run(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have a task run; it never ends by itself."""
        if name not in self._tasks:
            self._tasks[name] = asyncio.create_task(work(), name=f"bus {name}")


def _next_id(entry_id: bytes) -> bytes:
    """Return the lowest id after this one."""
    at_ms, _, number = entry_id.partition(b"-")
    return b"%b-%d" % (at_ms, int(number) + 1)
