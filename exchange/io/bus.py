"""The bus: commands to the sequencer, committed batches to everyone else.

The bus may lose anything at any moment: whoever sent a command sends it again until it is
answered (the core takes each once), and whoever reads batches takes what is missing from the
journal (`exchange.io.follow`). It never changes the order of one sender's commands.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

import numpy as np

from exchange.io.batch import Batch
from exchange.io.errors import BusUnavailable
from exchange.io.status import Status
from matching.wire import COMMAND, new_commands

Rows = np.ndarray | bytes  # COMMAND rows, or their bytes

WAITING_COMMANDS_MAX: Final = 1 << 16  # more than that waits nowhere: the sender is refused
UNREAD_BATCHES_MAX: Final = 4096  # a reader that far behind reads the journal instead
_NOTHING: Final = new_commands(0)


class Listener(Protocol):
    """Hears of batches in the sequencer's own process, with no queue between.

    It must not fail: what it raises ends the sequencer, and so the process.
    """

    def foresee(self, batch: Batch) -> None:
        """Get ready for a batch that is being committed; nothing of it may be shown yet."""
        ...

    def take(self, batch: Batch) -> None:
        """Take a committed batch at once; it comes to subscribers too."""
        ...


class Bus(Protocol):
    """What a sequencer, a gateway and a follower need of each other."""

    async def send(self, rows: Rows) -> None:
        """Send commands to the sequencer, in this order.

        Errors:
            BusUnavailable: it is not known whether they arrived; send them again.
        """
        ...

    def try_send(self, row: bytes) -> bool:
        """Send a command if that takes no waiting, and say whether it was sent."""
        ...

    def on_arrival(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever commands have arrived (the sequencer's side)."""
        ...

    def take(self, count_max: int) -> np.ndarray:
        """Return the commands that are here, at most `count_max`, maybe none; writable."""
        ...

    async def receive(self, count_max: int) -> np.ndarray:
        """Wait for commands and return at most `count_max` of them; writable."""
        ...

    def announce(self, batch: Batch) -> None:
        """Say that a small batch is being committed, so that its answers are written meanwhile.

        No other process hears of it before it is durable.
        """
        ...

    async def publish(self, batch: Batch, taken_count: int = 0) -> None:
        """Give a committed batch to all subscribers; never fails, never waits long.

        Args:
            batch: what the journal holds by now.
            taken_count: how many of its commands came through `take`: the bus forgets them.
        """
        ...

    def subscribe(self) -> "Outlet":
        """Return the batches published from about now on; some may be missing."""
        ...

    def unsubscribe(self, outlet: "Outlet") -> None:
        """End a subscription."""
        ...

    async def put_status(self, status: Status) -> None:
        """Tell the other processes what the leader is doing."""
        ...

    async def get_status(self) -> Status | None:
        """Return what the leader said last, or None if it has been silent for seconds."""
        ...

    async def close(self) -> None:
        """Stop all readers; they end as if there were nothing more."""
        ...


class Inbox:
    """Commands that wait for the sequencer, as they came."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self.count = 0  # commands waiting
        self._wake: Callable[[], None] | None = None
        self._arrived = asyncio.Event()

    def on_arrival(self, wake: Callable[[], None]) -> None:
        """Call `wake` at each `put` from now on."""
        self._wake = wake
        if self.count:
            wake()

    def put(self, rows: Rows) -> None:
        """Append commands.

        Errors:
            BusUnavailable: too many wait already.
        """
        raw = rows if isinstance(rows, bytes) else rows.tobytes()
        count = len(raw) // COMMAND.itemsize
        assert count * COMMAND.itemsize == len(raw), "not whole command rows"
        if self.count + count > WAITING_COMMANDS_MAX:
            raise BusUnavailable(f"{self.count} commands wait for the sequencer already")
        self._chunks.append(raw)
        self.count += count
        self._arrived.set()
        if self._wake is not None:
            self._wake()

    def take(self, count_max: int) -> np.ndarray:
        """Return up to `count_max` of the oldest commands, as rows of their own."""
        if not self._chunks:
            return _NOTHING
        room = count_max * COMMAND.itemsize
        parts: list[bytes] = []
        while self._chunks and room > 0:
            raw = self._chunks.popleft()
            if len(raw) > room:
                self._chunks.appendleft(raw[room:])
                raw = raw[:room]
            parts.append(raw)
            room -= len(raw)
        rows = np.frombuffer(bytearray().join(parts), COMMAND)
        self.count -= len(rows)
        if not self._chunks:
            self._arrived.clear()
        return rows

    async def receive(self, count_max: int) -> np.ndarray:
        """Wait until there is a command, then `take`."""
        await self._arrived.wait()
        return self.take(count_max)


class Outlet:
    """The batches one subscriber has not read yet; the oldest fall out when it sleeps."""

    def __init__(self) -> None:
        self._batches: deque[Batch] = deque(maxlen=UNREAD_BATCHES_MAX)
        self._waiter: asyncio.Future[None] | None = None
        self._doubt: asyncio.TimerHandle | None = None  # when silence is looked for next
        self._is_silent = True  # nothing came since it was looked for
        self.closed = False

    def put(self, batch: Batch) -> None:
        """Append a batch."""
        self._is_silent = False
        self._batches.append(batch)
        self._wake()

    def close(self) -> None:
        """End the iteration after what is here."""
        self.closed = True
        self._wake()

    async def get(self, silence_s: float) -> Batch | None:
        """Return the next batch, or None if there is none for so long, or never again.

        Silence may last up to twice as long: it is looked for by one timer, not by one a batch.
        """
        if not self._batches and not self.closed:
            await self._wait(silence_s)
        return self._batches.popleft() if self._batches else None

    def __aiter__(self) -> AsyncIterator[Batch]:
        return self

    async def __anext__(self) -> Batch:
        while not self._batches:
            if self.closed:
                raise StopAsyncIteration
            await self._wait(None)
        return self._batches.popleft()

    async def _wait(self, silence_s: float | None) -> None:
        """Wait for a batch or the end; one reader at a time."""
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        if silence_s is not None and self._doubt is None:
            self._is_silent = True
            self._doubt = loop.call_later(silence_s, self._look, silence_s)
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _look(self, silence_s: float) -> None:
        """Wake the reader if nothing came for so long, else look again later."""
        self._doubt = None
        if self._waiter is None:
            return
        if self._is_silent:
            self._wake()
        else:
            self._is_silent = True
            self._doubt = asyncio.get_running_loop().call_later(silence_s, self._look, silence_s)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
