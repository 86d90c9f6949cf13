"""An order book that follows its channel and asks for a new snapshot by itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from wellhead.errors import ConnectionFailed, WellheadError
from wellhead.orderbook import OrderBook
from wellhead.stream import AsyncStream
from wellhead.wire import Push, book_message

RESYNC_AGAIN_S = 1.0
FRESH_TIMEOUT_S = 10.0


class LiveBook(OrderBook):
    """An OrderBook that is fed by a stream: read it at any time, look at `stale` first."""

    def __init__(self, stream: AsyncStream, symbol: str, channel: str) -> None:
        super().__init__(symbol)
        self.channel = channel
        self.resyncs = 0  # how often a new snapshot was asked for
        self._stream = stream
        self._changed = asyncio.Event()
        self._version = 0
        self._healer: asyncio.Task[None] | None = None
        self._closed = False

    def on_push(self, push: Push) -> None:
        """Take one message of the channel; if something is missing, ask for a snapshot."""
        if not self.apply(book_message(push)):
            self._heal()
        self._tell()

    def on_lost(self) -> None:
        """Be stale until the stream is back and has sent a snapshot."""
        self.mark_stale()
        self._heal(RESYNC_AGAIN_S)
        self._tell()

    async def fresh(self, timeout_s: float = FRESH_TIMEOUT_S) -> "LiveBook":
        """Return the book as soon as it is fresh.

        Errors:
            ConnectionFailed: not within `timeout_s`.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while self.stale:
                    self._heal(RESYNC_AGAIN_S)
                    await self._changed.wait()
        except TimeoutError as error:
            raise ConnectionFailed(f"no fresh book of {self.symbol}") from error
        return self

    async def changes(self) -> AsyncIterator["LiveBook"]:
        """Yield the book after each change that left it fresh, skipping those nobody saw."""
        seen = -1
        while not self._closed:
            if self._version == seen:
                await self._changed.wait()
            seen = self._version
            if not self.stale and not self._closed:
                yield self

    async def close(self) -> None:
        """Stop following; the levels stay as they are."""
        self._closed = True
        self._tell()
        if self._healer is not None:
            self._healer.cancel()
        await self._stream.remove_sink(self, (self.channel,))

    def _tell(self) -> None:
        """Wake everyone who waits for a change."""
        self._version += 1
        told, self._changed = self._changed, asyncio.Event()
        told.set()

    def _heal(self, delay_s: float = 0) -> None:
        if self._closed or self._stream.closed:
            return
        if self._healer is None or self._healer.done():
            self._healer = asyncio.create_task(self._resync(delay_s), name=f"heal-{self.symbol}")

    async def _resync(self, delay_s: float) -> None:
        """Ask for a snapshot until the book is fresh: an answer may be lost as well."""
        await asyncio.sleep(delay_s)
        while self.stale and not self._closed:
            self.resyncs += 1
            with contextlib.suppress(WellheadError):  # the stream reconnects by itself
                await self._stream.request("resync", channel=self.channel)
            if self.stale:
                await asyncio.sleep(RESYNC_AGAIN_S)


async def follow_book(stream: AsyncStream, symbol: str, speed: str = "raw") -> LiveBook:
    """Return the live book of a symbol, fresh.

    Errors:
        ApiError: no such symbol.
        ConnectionFailed: no snapshot came.
    """
    channel = f"book.{symbol}.{speed}"
    book = LiveBook(stream, symbol, channel)
    await stream.add_sink(book, (channel,))
    return await book.fresh()
