# Made by tools/sync_client.py from async_client.py: change that file.
"""The client without asyncio; made from `async_client.py`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Self, TypeVar, Unpack

from wellhead import admin_calls, calls, margin_calls, order_fields
from wellhead import margin_types as mt
from wellhead import types as wt
from wellhead.calls import Call, Json
from wellhead.credentials import URL_DEFAULT
from wellhead.dealing import Dealing
from wellhead.delivering import Delivering
from wellhead.holding import Holding
from wellhead.hooking import Hooking
from wellhead.http_sync import TIMEOUT_S, Http
from wellhead.margin_calls import Supposing
from wellhead.order_fields import Number, OrderOptions
from wellhead.protecting import Protecting
from wellhead.settling import Settling
from wellhead.signing import RECV_WINDOW_MS_DEFAULT, Credentials, Signer
from wellhead.sync_stream import TradingStream

T = TypeVar("T")


class Client(Settling):
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
        self._http = Http(url, self.signer, timeout_s=timeout_s, retries=retries)
        self.protect = Protecting(self._http)  # quotes, timers, limits, kills, halts
        self.deals = Dealing(self._http)  # blocks and requests for quotes
        self.collateral = Holding(self._http)  # assets beside cash
        self.receipts = Delivering(self._http)  # of GPU-hours
        self.webhooks = Hooking(self._http)  # what happens, told to URLs

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where the exchange is."""
        return self._http.url

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def run(self, call: Call[T]) -> T:
        """Return the answer of any call of `wellhead.calls`, typed."""
        return self._http.run(call)

    def raw(self, call: Call[T]) -> Json:
        """Return the answer of any call as the exchange gave it."""
        return self._http.raw(call)

    def iterate(self, method: Callable[..., wt.Page[T]], **arguments: Any) -> Iterator[T]:
        """Yield everything a paged method has: `client.iterate(client.fills, symbol=...)`."""
        cursor: str | None = None
        while True:
            page = method(**arguments, cursor=cursor)
            yield from page
            if (cursor := page.next_cursor) is None:
                return

    def stream(
        self,
        *,
        cancel_on_disconnect: bool = False,
        on_connection: Callable[[bool], None] = lambda is_back: None,
    ) -> TradingStream:
        """Return a websocket; `on_connection` hears False when it is lost, True when it is back."""
        return TradingStream(
            self._http.url,
            self.signer,
            cancel_on_disconnect=cancel_on_disconnect,
            on_connection=on_connection,
        )

    # Public data

    def time(self) -> wt.ServerTime:
        """Return the clock of the exchange."""
        return self.run(calls.time())

    def status(self) -> wt.Status:
        """Return what the exchange takes now."""
        return self.run(calls.status())

    def instruments(
        self, *, state: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> wt.Page[wt.Instrument]:
        """Return the contracts."""
        return self.run(calls.instruments(state, limit, cursor))

    def instrument(self, symbol: str) -> wt.Instrument:
        """Return one contract."""
        return self.run(calls.instrument(symbol))

    def tickers(self, symbol: str | None = None) -> wt.Page[wt.Ticker]:
        """Return contracts at a glance."""
        return self.run(calls.tickers(symbol))

    def orderbook(self, symbol: str, *, depth: int | None = None) -> wt.BookSnapshot:
        """Return the levels of a book now; `stream().book(symbol)` follows it."""
        return self.run(calls.orderbook(symbol, depth))

    def trades(
        self, symbol: str, *, limit: int | None = None, cursor: str | None = None
    ) -> wt.Page[wt.PublicTrade]:
        """Return public trades, newest first."""
        return self.run(calls.trades(symbol, limit, cursor))

    def klines(
        self,
        symbol: str,
        *,
        interval: str = "1m",
        start: int | None = None,
        end: int | None = None,
        limit: int | None = None,
    ) -> wt.Page[wt.Candle]:
        """Return bars of a contract."""
        return self.run(calls.klines(symbol, interval, start, end, limit))

    # Orders

    def place(
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
        return self.run(calls.place(order_fields.new_order(symbol, side, quantity, price, options)))

    def amend(
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
        return self.run(calls.amend(order_id, client_order_id, body))

    def cancel(
        self, order_id: str | None = None, *, client_order_id: str | None = None
    ) -> wt.Order:
        """Cancel an open order, by either id."""
        return self.run(calls.cancel(order_id, client_order_id))

    def cancel_all(self, *, symbol: str | None = None, side: str | None = None) -> wt.Cancelled:
        """Cancel all orders, of one symbol or one side where given."""
        return self.run(calls.cancel_all(symbol, side))

    def batch(self, requests: Iterable[Json]) -> list[Json]:
        """Send several `{"op": "new" | "amend" | "cancel", ...}`; each has its own answer."""
        return self.run(calls.batch(requests))

    def order(self, order_id: str | None = None, *, client_order_id: str | None = None) -> wt.Order:
        """Return one order, by either id."""
        return self.run(calls.order(order_id, client_order_id))

    def orders(
        self,
        *,
        symbol: str | None = None,
        status: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> wt.Page[wt.Order]:
        """Return the account's orders."""
        return self.run(calls.orders(symbol, status, limit, cursor))

    # The account

    def positions(self, *, symbol: str | None = None) -> wt.Page[wt.Position]:
        """Return lots held."""
        return self.run(calls.positions(symbol))

    def balances(self) -> wt.Page[wt.Balance]:
        """Return money held."""
        return self.run(calls.balances())

    def margin(self) -> mt.Margin:
        """Return what is required and what is left."""
        return self.run(margin_calls.margin())

    def what_if(self, **supposed: Unpack[Supposing]) -> mt.WhatIf:
        """Return what the margin would be; nothing is placed or changed."""
        return self.run(margin_calls.what_if(**supposed))

    def fills(
        self,
        *,
        symbol: str | None = None,
        after_seq: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> wt.Page[wt.Fill]:
        """Return the account's trades."""
        return self.run(calls.fills(symbol, after_seq, limit, cursor))

    def ledger(
        self,
        *,
        after_seq: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> wt.Page[wt.LedgerEntry]:
        """Return the account's postings."""
        return self.run(calls.ledger(after_seq, limit, cursor))

    def keys(self) -> wt.Page[wt.ApiKey]:
        """Return the key this client uses."""
        return self.run(calls.keys())

    # The operator

    def accounts(
        self, *, limit: int | None = None, cursor: str | None = None
    ) -> wt.Page[wt.Account]:
        """Return all accounts."""
        return self.run(admin_calls.accounts(limit, cursor))

    def account(self, account_id: str) -> wt.Account:
        """Return one account."""
        return self.run(admin_calls.account(account_id))

    def create_account(
        self, name: str, *, account_id: str | None = None, kind: str | None = None
    ) -> wt.Account:
        """Open an account."""
        return self.run(admin_calls.create_account(name, account_id, kind))

    def set_account_state(self, account_id: str, state: str) -> wt.Account:
        """Make an account active, reduce_only or frozen."""
        return self.run(admin_calls.set_account_state(account_id, state))

    def deposit(
        self, account_id: str, amount: Number, *, transfer_id: str | None = None
    ) -> wt.Transfer:
        """Book money in."""
        return self.run(admin_calls.deposit(account_id, amount, transfer_id))

    def withdraw(
        self, account_id: str, amount: Number, *, transfer_id: str | None = None
    ) -> wt.Transfer:
        """Book money out."""
        return self.run(admin_calls.withdraw(account_id, amount, transfer_id))

    def create_key(
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
        return self.run(call)

    def account_keys(self, account_id: str) -> wt.Page[wt.ApiKey]:
        """Return all keys of an account, without secrets."""
        return self.run(admin_calls.account_keys(account_id))

    def revoke_key(self, key: str) -> wt.ApiKey:
        """Revoke a key for ever."""
        return self.run(admin_calls.revoke_key(key))

    def set_contract(
        self,
        symbol: str,
        *,
        state: str | None = None,
        band_bps: int | None = None,
        protection_bps: int | None = None,
    ) -> wt.Instrument:
        """Change a contract's trading state, price band or protection of market orders."""
        return self.run(admin_calls.set_contract(symbol, state, band_bps, protection_bps))
