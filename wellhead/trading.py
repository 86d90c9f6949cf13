"""Trading and live books over the websocket: the stream with a market's verbs."""

from collections.abc import AsyncIterator, Iterable
from typing import Any, TypeVar, Unpack

from wellhead import calls, order_fields, protect_calls
from wellhead import protect_types as pt
from wellhead import types as wt
from wellhead.calls import Json
from wellhead.live_book import LiveBook, follow_book
from wellhead.order_fields import Number, OrderOptions
from wellhead.stream import AsyncStream

T = TypeVar("T")


class AsyncTradingStream(AsyncStream):
    """Orders, fills and books on one connection; the verbs are those of `AsyncClient`."""

    async def _ask(self, op: str, kind: type[T], fields: Json) -> T:
        reply = await self.reply(op, **fields)
        result = reply.value()
        if isinstance(result, dict):
            result.setdefault("seq", reply.seq)
        return calls.convert(result, kind)

    async def place(
        self,
        symbol: str,
        side: str,
        quantity: Number,
        price: Number | None = None,
        **options: Unpack[OrderOptions],
    ) -> wt.Placed:
        """Place an order: limit with a price, market with `type="market"` and none."""
        fields = order_fields.new_order(symbol, side, quantity, price, options)
        return await self._ask("order.new", wt.Placed, fields)

    async def amend(
        self,
        order_id: str | None = None,
        *,
        client_order_id: str | None = None,
        price: Number | None = None,
        quantity: Number | None = None,
        open_quantity: Number | None = None,
        **options: Unpack[order_fields.AmendOptions],
    ) -> wt.Placed:
        """Change an open order: `quantity` counts filled lots, `open_quantity` does not."""
        fields = calls.order_key(order_id, client_order_id)
        fields |= order_fields.amendment(price, quantity, open_quantity, options)
        return await self._ask("order.amend", wt.Placed, fields)

    async def cancel(
        self, order_id: str | None = None, *, client_order_id: str | None = None
    ) -> wt.Order:
        """Cancel an open order, by either id."""
        fields = calls.order_key(order_id, client_order_id)
        return calls.convert((await self.request("order.cancel", **fields))["order"], wt.Order)

    async def cancel_all(
        self, *, symbol: str | None = None, side: str | None = None
    ) -> wt.Cancelled:
        """Cancel all orders, of one symbol or one side where given."""
        return await self._ask("order.cancel_all", wt.Cancelled, {"symbol": symbol, "side": side})

    async def batch(self, requests: Iterable[Json]) -> list[Json]:
        """Send several `{"op": "new" | "amend" | "cancel", ...}`; each has its own answer."""
        result = await self.request("order.batch", requests=list(requests))
        return calls.convert(result["results"], list)

    async def quote_mass(
        self, quotes: Iterable[Json], *, group: int = 0, post_only: bool = True
    ) -> list[Json]:
        """Replace quotes of up to 64 contracts, made by `protect_calls.quote_of`."""
        fields = protect_calls.mass(quotes, group, post_only=post_only)
        return calls.convert((await self.request("quote.mass", **fields))["results"], list)

    async def cancel_all_after(self, timeout_ms: int) -> pt.CancelTimer:
        """Cancel everything after so long unless this is called again; 0 disarms."""
        return await self._ask("cancel_all_after", pt.CancelTimer, {"timeout_ms": timeout_ms})

    async def ping(self) -> None:
        """Ask for a sign of life."""
        await self.request("ping")

    async def book(self, symbol: str, speed: str = "raw") -> LiveBook:
        """Return a book that follows the market and heals its own gaps; `speed` raw or 100ms."""
        return await follow_book(self, symbol, speed)

    async def auction(self, symbol: str) -> AsyncIterator[wt.AuctionState]:
        """Yield a contract's call auction as it is, then whenever it changes."""
        async for item in self._items(f"auction.{symbol}"):
            yield calls.convert(item, wt.AuctionState)

    async def trades(self, symbol: str) -> AsyncIterator[wt.PublicTrade]:
        """Yield public trades as they happen."""
        async for item in self._items(f"trades.{symbol}"):
            yield calls.convert(item, wt.PublicTrade)

    async def orders(self) -> AsyncIterator[wt.Order]:
        """Yield the open orders, then every change of one."""
        async for item in self._items("orders"):
            yield calls.convert(item, wt.Order)

    async def fills(self) -> AsyncIterator[wt.Fill]:
        """Yield own trades as they happen."""
        async for item in self._items("fills"):
            yield calls.convert(item, wt.Fill)

    async def _items(self, channel: str) -> AsyncIterator[Any]:
        """Yield what the messages of a channel hold, one at a time."""
        subscription = await self.subscribe(channel)
        try:
            async for push in subscription:
                for item in push.data if isinstance(push.data, list) else (push.data,):
                    yield item
        finally:
            await subscription.close()
