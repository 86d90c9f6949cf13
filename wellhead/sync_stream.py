"""The websocket without asyncio: the same stream, run by a thread of its own."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self, TypeVar, Unpack

from wellhead import protect_types as pt
from wellhead import types as wt
from wellhead.calls import Json
from wellhead.live_book import LiveBook
from wellhead.order_fields import Number, OrderOptions
from wellhead.orderbook import Level
from wellhead.signing import Signer
from wellhead.subscription import Subscription
from wellhead.trading import AsyncTradingStream
from wellhead.wire import Push

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BookState:
    """An order book at one moment."""

    symbol: str
    seq: int
    stale: bool
    bids: list[Level]
    asks: list[Level]
    state: str = ""  # of the contract
    phase: str | None = None  # of its call auction


class FollowedBook:
    """A book that is kept up to date in the background; ask it for its state."""

    def __init__(self, stream: "TradingStream", book: LiveBook) -> None:
        self._stream = stream
        self._book = book

    def now(self) -> BookState:
        """Return the book as it is."""
        return self._stream.call(self._state)

    def changes(self) -> Iterator[BookState]:
        """Yield the book after changes, the newest state each time."""

        async def follow(put: Callable[[BookState], None]) -> None:
            async for _ in self._book.changes():
                put(self._state())

        yield from self._stream.pump(follow, newest_only=True)

    def market(self) -> Iterator[tuple[BookState, wt.AuctionState | None]]:
        """Yield the book and the contract's call auction after changes of either."""
        latest: list[wt.AuctionState | None] = [None]

        async def auctions(put: Callable[[Any], None]) -> None:
            async for now in self._stream.auctions(self._book.symbol):
                latest[0] = now
                if not self._book.stale:
                    put((self._state(), now))

        async def follow(put: Callable[[Any], None]) -> None:
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(auctions(put))
                    async for _ in self._book.changes():
                        put((self._state(), latest[0]))
            except ExceptionGroup as group:
                raise group.exceptions[0] from group

        yield from self._stream.pump(follow, newest_only=True)

    def close(self) -> None:
        """Stop following."""
        self._stream.wait(self._book.close())

    def _state(self) -> BookState:
        book = self._book
        levels = book.bids, book.asks
        return BookState(book.symbol, book.seq, book.stale, *levels, book.state, book.phase)


class TradingStream:
    """Orders, fills and books on one websocket; use it with `with`."""

    def __init__(
        self,
        url: str,
        signer: Signer | None = None,
        *,
        cancel_on_disconnect: bool = False,
        on_connection: Callable[[bool], None] = lambda is_back: None,
    ) -> None:
        """Follow the exchange at an address; `on_connection` is called in the stream's thread."""
        self._stream = AsyncTradingStream(
            url, signer, cancel_on_disconnect=cancel_on_disconnect, on_connection=on_connection
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="wellhead-stream", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.wait(self._stream.start())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection and end the thread."""
        if self._loop.is_closed():
            return
        if self._thread.is_alive():
            self.wait(self._end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        await self._stream.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the stream's thread and return what it returns."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def call(self, function: Callable[[], T]) -> T:
        """Call a function in the stream's thread, where books do not change meanwhile."""

        async def run() -> T:
            return function()

        return self.wait(run())

    def pump(
        self,
        source: Callable[[Callable[[T], None]], Coroutine[Any, Any, None]],
        *,
        newest_only: bool = False,
    ) -> Iterator[T]:
        """Yield here what `source` puts in the stream's thread."""
        items: queue.Queue[T | None] = queue.Queue()

        async def run() -> None:
            try:
                await source(items.put)
            finally:
                items.put(None)

        future = asyncio.run_coroutine_threadsafe(run(), self._loop)
        try:
            while (item := items.get()) is not None:
                while newest_only and not items.empty() and (newer := items.get()) is not None:
                    item = newer
                yield item
            with suppress(CancelledError):  # the stream was closed
                future.result()  # what ended it
        finally:
            future.cancel()

    def request(self, op: str, **fields: Any) -> Any:
        """Send one request and return its result."""
        return self.wait(self._stream.request(op, **fields))

    def subscribe(self, *channels: str) -> Iterator[Push]:
        """Yield the messages of some channels."""
        subscription = self.wait(self._stream.subscribe(*channels))

        async def read(put: Callable[[Push], None]) -> None:
            await _forward(subscription, put)

        return self.pump(read)

    def book(self, symbol: str, speed: str = "raw") -> FollowedBook:
        """Return a book that follows the market and heals its own gaps."""
        return FollowedBook(self, self.wait(self._stream.book(symbol, speed)))

    def auctions(self, symbol: str) -> AsyncIterator[wt.AuctionState]:
        """Return a contract's call auction as the stream's own thread follows it."""
        return self._stream.auction(symbol)

    def auction(self, symbol: str) -> Iterator[wt.AuctionState]:
        """Yield a contract's call auction as it is, then whenever it changes."""

        async def read(put: Callable[[wt.AuctionState], None]) -> None:
            async for one in self.auctions(symbol):
                put(one)

        return self.pump(read)

    def place(
        self,
        symbol: str,
        side: str,
        quantity: Number,
        price: Number | None = None,
        **options: Unpack[OrderOptions],
    ) -> wt.Placed:
        """Place an order: limit with a price, market with `type="market"` and none."""
        return self.wait(self._stream.place(symbol, side, quantity, price, **options))

    def amend(
        self,
        order_id: str | None = None,
        *,
        client_order_id: str | None = None,
        price: Number | None = None,
        quantity: Number | None = None,
        open_quantity: Number | None = None,
    ) -> wt.Placed:
        """Change an open order: `quantity` counts filled lots, `open_quantity` does not."""
        return self.wait(
            self._stream.amend(
                order_id,
                client_order_id=client_order_id,
                price=price,
                quantity=quantity,
                open_quantity=open_quantity,
            )
        )

    def cancel(
        self, order_id: str | None = None, *, client_order_id: str | None = None
    ) -> wt.Order:
        """Cancel an open order, by either id."""
        return self.wait(self._stream.cancel(order_id, client_order_id=client_order_id))

    def cancel_all(self, *, symbol: str | None = None, side: str | None = None) -> wt.Cancelled:
        """Cancel all orders, of one symbol or one side where given."""
        return self.wait(self._stream.cancel_all(symbol=symbol, side=side))

    def batch(self, requests: Iterable[Json]) -> list[Json]:
        """Send several requests at once; each has its own answer."""
        return self.wait(self._stream.batch(requests))

    def quote_mass(
        self, quotes: Iterable[Json], *, group: int = 0, post_only: bool = True
    ) -> list[Json]:
        """Replace quotes of up to 64 contracts, made by `protect_calls.quote_of`."""
        return self.wait(self._stream.quote_mass(quotes, group=group, post_only=post_only))

    def cancel_all_after(self, timeout_ms: int) -> pt.CancelTimer:
        """Cancel everything after so long unless this is called again; 0 disarms."""
        return self.wait(self._stream.cancel_all_after(timeout_ms))


async def _forward(subscription: Subscription, put: Callable[[Push], None]) -> None:
    async for push in subscription:
        put(push)
