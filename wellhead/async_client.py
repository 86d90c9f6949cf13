"""The client for asyncio; `client.py`, the one without, is made from this file."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, Self, TypeVar, Unpack

from wellhead import admin_calls, calls, margin_calls, order_fields
from wellhead import margin_types as mt
from wellhead import types as wt
from wellhead.async_dealing import AsyncDealing
from wellhead.async_delivering import AsyncDelivering
from wellhead.async_holding import AsyncHolding
from wellhead.async_hooking import AsyncHooking
from wellhead.async_protecting import AsyncProtecting
from wellhead.async_settling import AsyncSettling
from wellhead.calls import Call, Json
from wellhead.credentials import URL_DEFAULT
from wellhead.http_async import TIMEOUT_S, AsyncHttp
from wellhead.margin_calls import Supposing
from wellhead.order_fields import Number, OrderOptions
from wellhead.signing import RECV_WINDOW_MS_DEFAULT, Credentials, Signer
from wellhead.trading import AsyncTradingStream

T = TypeVar("T")


class AsyncClient(AsyncSettling):
    """The exchange, as one account sees it. Without a key only public data can be read.

    Every method raises `ApiError` with a stable `code` when the exchange refuses, and
    `ConnectionFailed` when no answer came.
    """

    def __init__(
        self,
        url: str = URL_DEFAULT,
        key: str | None = None,
        secret: str | None = None,
        *,
        recv_window_ms: int = RECV_WINDOW_MS_DEFAULT,
        timeout_s: float = TIMEOUT_S,
        retries: int = 2,
    ) -> None:
        if (key is None) != (secret is None):
            raise TypeError("key and secret belong together")
        self.signer = Signer(Credentials(key, secret), recv_window_ms) if key and secret else None
        self._http = AsyncHttp(url, self.signer, timeout_s=timeout_s, retries=retries)
        self.protect = AsyncProtecting(self._http)  # quotes, timers, limits, kills, halts
        self.deals = AsyncDealing(self._http)  # blocks and requests for quotes
        self.collateral = AsyncHolding(self._http)  # assets beside cash
        self.receipts = AsyncDelivering(self._http)  # of GPU-hours
        self.webhooks = AsyncHooking(self._http)  # what happens, told to URLs

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def url(self) -> str:
        """Where the exchange is."""
        return self._http.url

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def run(self, call: Call[T]) -> T:
        """Return the answer of any call of `wellhead.calls`, typed."""
        return await self._http.run(call)

    async def raw(self, call: Call[T]) -> Json:
        """Return the answer of any call as the exchange gave it."""
        return await self._http.raw(call)

    async def iterate(
        self, method: Callable[..., Awaitable[wt.Page[T]]], **arguments: Any
    ) -> AsyncIterator[T]:
        """Yield everything a paged method has: `client.iterate(client.fills, symbol=...)`."""
        cursor: str | None = None
        while True:
            page = await method(**arguments, cursor=cursor)
            for item in page:
                yield item
            if (cursor := page.next_cursor) is None:
                return

    def stream(
        self,
        *,
        cancel_on_disconnect: bool = False,
        on_connection: Callable[[bool], None] = lambda is_back: None,
    ) -> AsyncTradingStream:
        """Return a websocket; `on_connection` hears False when it is lost, True when it is back."""
        return AsyncTradingStream(
            self._http.url,
            self.signer,
            cancel_on_disconnect=cancel_on_disconnect,
            on_connection=on_connection,
        )

    # Public data

    async def time(self) -> wt.ServerTime:
        """Return the clock of the exchange."""
        return await self.run(calls.time())

    async def status(self) -> wt.Status:
        """Return what the exchange takes now."""
        return await self.run(calls.status())

    async def instruments(
        self, *, state: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> wt.Page[wt.Instrument]:
        """Return the contracts."""
        return await self.run(calls.instruments(state, limit, cursor))

    async def instrument(self, symbol: str) -> wt.Instrument:
        """Return one contract."""
        return await self.run(calls.instrument(symbol))

    async def tickers(self, symbol: str | None = None) -> wt.Page[wt.Ticker]:
        """Return contracts at a glance."""
        return await self.run(calls.tickers(symbol))

    async def orderbook(self, symbol: str, *, depth: int | None = None) -> wt.BookSnapshot:
        """Return the levels of a book now; `stream().book(symbol)` follows it."""
        return await self.run(calls.orderbook(symbol, depth))

    async def trades(
        self, symbol: str, *, limit: int | None = None, cursor: str | None = None
    ) -> wt.Page[wt.PublicTrade]:
        """Return public trades, newest first."""
        return await self.run(calls.trades(symbol, limit, cursor))

    async def klines(
        self,
        symbol: str,
        *,
        interval: str = "1m",
        start: int | None = None,
        end: int | None = None,
        limit: int | None = None,
    ) -> wt.Page[wt.Candle]:
        """Return bars of a contract."""
        return await self.run(calls.klines(symbol, interval, start, end, limit))

    # Orders

    async def place(
        self,
        symbol: str,
        side: str,
        quantity: Number,
        price: Number | None = None,
        **options: Unpack[OrderOptions],
    ) -> wt.Placed:
        """Place an order: limit with a price, market with `type="market"` and none.

        Without a client order id it gets one, so a lost answer never places it twice.
        """
        return await self.run(
            calls.place(order_fields.new_order(symbol, side, quantity, price, options))
        )

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
        body = order_fields.amendment(price, quantity, open_quantity, options)
        return await self.run(calls.amend(order_id, client_order_id, body))

    async def cancel(
        self, order_id: str | None = None, *, client_order_id: str | None = None
    ) -> wt.Order:
        """Cancel an open order, by either id."""
        return await self.run(calls.cancel(order_id, client_order_id))

    async def cancel_all(
        self, *, symbol: str | None = None, side: str | None = None
    ) -> wt.Cancelled:
        """Cancel all orders, of one symbol or one side where given."""
        return await self.run(calls.cancel_all(symbol, side))

    async def batch(self, requests: Iterable[Json]) -> list[Json]:
        """Send several `{"op": "new" | "amend" | "cancel", ...}`; each has its own answer."""
        return await self.run(calls.batch(requests))

    async def order(
        self, order_id: str | None = None, *, client_order_id: str | None = None
    ) -> wt.Order:
        """Return one order, by either id."""
        return await self.run(calls.order(order_id, client_order_id))

    async def orders(
        self,
        *,
        symbol: str | None = None,
        status: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> wt.Page[wt.Order]:
        """Return the account's orders."""
        return await self.run(calls.orders(symbol, status, limit, cursor))

    # The account

    async def positions(self, *, symbol: str | None = None) -> wt.Page[wt.Position]:
        """Return lots held."""
        return await self.run(calls.positions(symbol))

    async def balances(self) -> wt.Page[wt.Balance]:
        """Return money held."""
        return await self.run(calls.balances())

    async def margin(self) -> mt.Margin:
        """Return what is required and what is left."""
        return await self.run(margin_calls.margin())

    async def what_if(self, **supposed: Unpack[Supposing]) -> mt.WhatIf:
        """Return what the margin would be; nothing is placed or changed."""
        return await self.run(margin_calls.what_if(**supposed))

    async def fills(
        self,
        *,
        symbol: str | None = None,
        after_seq: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> wt.Page[wt.Fill]:
        """Return the account's trades."""
        return await self.run(calls.fills(symbol, after_seq, limit, cursor))

    async def ledger(
        self,
        *,
        after_seq: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> wt.Page[wt.LedgerEntry]:
        """Return the account's postings."""
        return await self.run(calls.ledger(after_seq, limit, cursor))

    async def keys(self) -> wt.Page[wt.ApiKey]:
        """Return the key this client uses."""
        return await self.run(calls.keys())

    # The operator

    async def accounts(
        self, *, limit: int | None = None, cursor: str | None = None
    ) -> wt.Page[wt.Account]:
        """Return all accounts."""
        return await self.run(admin_calls.accounts(limit, cursor))

    async def account(self, account_id: str) -> wt.Account:
        """Return one account."""
        return await self.run(admin_calls.account(account_id))

    async def create_account(
        self, name: str, *, account_id: str | None = None, kind: str | None = None
    ) -> wt.Account:
        """Open an account."""
        return await self.run(admin_calls.create_account(name, account_id, kind))

    async def set_account_state(self, account_id: str, state: str) -> wt.Account:
        """Make an account active, reduce_only or frozen."""
        return await self.run(admin_calls.set_account_state(account_id, state))

    async def deposit(
        self, account_id: str, amount: Number, *, transfer_id: str | None = None
    ) -> wt.Transfer:
        """Book money in."""
        return await self.run(admin_calls.deposit(account_id, amount, transfer_id))

    async def withdraw(
        self, account_id: str, amount: Number, *, transfer_id: str | None = None
    ) -> wt.Transfer:
        """Book money out."""
        return await self.run(admin_calls.withdraw(account_id, amount, transfer_id))

    async def create_key(
        self,
        account_id: str,
        *,
        scopes: Sequence[str] = ("read",),
        label: str | None = None,
        ip_allow: Sequence[str] = (),
        expires_at: int | None = None,
    ) -> wt.ApiKey:
        """Make a key; the answer holds its secret, once."""
        call = admin_calls.create_key(account_id, scopes, label, ip_allow, expires_at)
        return await self.run(call)

    async def account_keys(self, account_id: str) -> wt.Page[wt.ApiKey]:
        """Return all keys of an account, without secrets."""
        return await self.run(admin_calls.account_keys(account_id))

    async def revoke_key(self, key: str) -> wt.ApiKey:
        """Revoke a key for ever."""
        return await self.run(admin_calls.revoke_key(key))

    async def set_contract(
        self,
        symbol: str,
        *,
        state: str | None = None,
        band_bps: int | None = None,
        protection_bps: int | None = None,
    ) -> wt.Instrument:
        """Change a contract's trading state, price band or protection of market orders."""
        return await self.run(admin_calls.set_contract(symbol, state, band_bps, protection_bps))
