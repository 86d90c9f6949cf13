"""Who reads the channels of a stream, and a reader to iterate over."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol

from wellhead.errors import WellheadError
from wellhead.wire import Push

if TYPE_CHECKING:
    from wellhead.stream import AsyncStream

QUEUE_MAX = 10_000


class Sink(Protocol):
    """Who receives a channel's messages."""

    def on_push(self, push: Push) -> None:
        """Take one message; must not wait."""
        ...

    def on_lost(self) -> None:
        """Hear that messages may be missing from here on."""
        ...


class Subscription:
    """Messages of some channels, to iterate over. Too slow a reader loses the oldest."""

    def __init__(self, stream: "AsyncStream", channels: tuple[str, ...]) -> None:
        self.channels = channels
        self.dropped = 0  # messages lost because nobody read them
        self.reconnects = 0
        self._stream = stream
        self._failure: WellheadError | None = None
        self._queue: asyncio.Queue[Push | None] = asyncio.Queue()

    def on_push(self, push: Push) -> None:
        """Keep a message until it is read."""
        if self._queue.qsize() >= QUEUE_MAX:
            self._queue.get_nowait()
            self.dropped += 1
        self._queue.put_nowait(push)

    def on_lost(self) -> None:
        """Count a lost connection."""
        self.reconnects += 1

    def end(self, failure: WellheadError | None = None) -> None:
        """Let the reader finish; with a failure it is raised there."""
        self._failure = failure
        self._queue.put_nowait(None)

    async def close(self) -> None:
        """Unsubscribe; the iteration ends."""
        await self._stream.remove_sink(self, self.channels)
        self.end()

    def __aiter__(self) -> AsyncIterator[Push]:
        return self

    async def __anext__(self) -> Push:
        push = await self._queue.get()
        if push is None:
            raise self._failure or StopAsyncIteration
        return push
