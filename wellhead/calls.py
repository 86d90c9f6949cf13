"""Every request of the REST API as a value: how it is asked, and what its answer means.

`Client` and `AsyncClient` run the same calls; only the waiting differs.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from wellhead import types as wt
from wellhead.errors import ProtocolError

T = TypeVar("T")
Json: TypeAlias = dict[str, Any]
PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, ready to be signed and sent.

    `repeatable` says that sending it again after a lost answer cannot do it twice.
    """

    method: str
    path: str
    parse: Callable[[Json], T]
    body: Json | None = None
    private: bool = True
    repeatable: bool = False

    @property
    def content(self) -> bytes:
        """The body's bytes, empty for none."""
        return b"" if self.body is None else msgspec.json.encode(self.body)


def target(path: str, params: Mapping[str, Any] | None = None) -> str:
    """Return path and query; parameters that are None are left out."""
    query = urlencode({k: str(v) for k, v in (params or {}).items() if v is not None})
    return f"{PREFIX}{path}?{query}" if query else f"{PREFIX}{path}"


def convert(value: object, kind: type[T]) -> T:
    """Return a decoded answer as a value of `kind`.

    Errors:
        ProtocolError: the answer is not of this kind.
    """
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ProtocolError(f"an answer that is no {kind.__name__}: {error}") from error


def whole(kind: type[T]) -> Callable[[Json], T]:
    """Return a parser that takes a whole answer as a `kind`."""
    return lambda answer: convert(answer, kind)


def member(name: str, kind: type[T]) -> Callable[[Json], T]:
    """Return a parser that takes one member of an answer as a `kind`."""
    return lambda answer: convert(answer.get(name), kind)


def page(name: str, kind: type[T]) -> Callable[[Json], wt.Page[T]]:
    """Return a parser that takes one member of an answer as a page of `kind`."""

    def parse(answer: Json) -> wt.Page[T]:
        items = [convert(item, kind) for item in convert(answer.get(name), list)]
        cursor = answer.get("next_cursor")
        return wt.Page(items, seq=int(answer.get("seq", 0)), next_cursor=cursor)

    return parse


def get_call(
    path: str, parse: Callable[[Json], T], *, private: bool = True, **params: Any
) -> Call[T]:
    """Return a GET; it can be repeated."""
    return Call("GET", target(path, params), parse, private=private, repeatable=True)


# Public


def time() -> Call[wt.ServerTime]:
    """The clock of the exchange."""
    return get_call("/time", whole(wt.ServerTime), private=False)


def status() -> Call[wt.Status]:
    """What the exchange takes now."""
    return get_call("/status", whole(wt.Status), private=False)


def instruments(
    state: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Call[wt.Page[wt.Instrument]]:
    """The contracts."""
    parse = page("instruments", wt.Instrument)
    return get_call("/instruments", parse, private=False, state=state, limit=limit, cursor=cursor)


def instrument(symbol: str) -> Call[wt.Instrument]:
    """One contract."""
    parse = member("instrument", wt.Instrument)
    return get_call(f"/instruments/{quote(symbol, safe='')}", parse, private=False)


def tickers(symbol: str | None = None) -> Call[wt.Page[wt.Ticker]]:
    """Contracts at a glance."""
    return get_call("/tickers", page("tickers", wt.Ticker), private=False, symbol=symbol)


def orderbook(symbol: str, depth: int | None = None) -> Call[wt.BookSnapshot]:
    """The levels of a book."""
    path = f"/orderbook/{quote(symbol, safe='')}"
    return get_call(path, whole(wt.BookSnapshot), private=False, depth=depth)


def trades(
    symbol: str, limit: int | None = None, cursor: str | None = None
) -> Call[wt.Page[wt.PublicTrade]]:
    """Public trades, newest first."""
    path, parse = f"/trades/{quote(symbol, safe='')}", page("trades", wt.PublicTrade)
    return get_call(path, parse, private=False, limit=limit, cursor=cursor)


def klines(
    symbol: str,
    interval: str = "1m",
    start: int | None = None,
    end: int | None = None,
    limit: int | None = None,
) -> Call[wt.Page[wt.Candle]]:
    """Bars of a contract."""
    path, parse = f"/klines/{quote(symbol, safe='')}", page("klines", wt.Candle)
    return get_call(
        path, parse, private=False, interval=interval, start=start, end=end, limit=limit
    )  # fmt: skip


# Orders


def order_key(order_id: str | None, client_order_id: str | None) -> dict[str, str]:
    """Return the one of the two ids that is given.

    Errors:
        TypeError: none is given, or both are.
    """
    if (order_id is None) == (client_order_id is None):
        raise TypeError("either order_id or client_order_id")
    if order_id is not None:
        return {"order_id": order_id}
    return {"client_order_id": client_order_id or ""}


def _order_path(order_id: str | None, client_order_id: str | None) -> str:
    ((name, value),) = order_key(order_id, client_order_id).items()
    by = "by-client-id/" if name == "client_order_id" else ""
    return target(f"/orders/{by}{quote(value, safe='')}")


def place(body: Json) -> Call[wt.Placed]:
    """Place an order; its client order id makes it safe to send again."""
    return Call("POST", target("/orders"), whole(wt.Placed), body=body, repeatable=True)


def amend(order_id: str | None, client_order_id: str | None, body: Json) -> Call[wt.Placed]:
    """Change price or quantity of an open order."""
    return Call("PATCH", _order_path(order_id, client_order_id), whole(wt.Placed), body=body)


def cancel(order_id: str | None, client_order_id: str | None) -> Call[wt.Order]:
    """Cancel an open order."""
    return Call("DELETE", _order_path(order_id, client_order_id), member("order", wt.Order))


def cancel_all(symbol: str | None = None, side: str | None = None) -> Call[wt.Cancelled]:
    """Cancel all orders, of one symbol or side where given; harmless to repeat."""
    path = target("/orders", {"symbol": symbol, "side": side})
    return Call("DELETE", path, whole(wt.Cancelled), repeatable=True)


def batch(requests: Iterable[Json]) -> Call[list[Json]]:
    """Several requests at once; each has its own result or error."""
    body = {"requests": list(requests)}
    return Call("POST", target("/orders/batch"), member("results", list), body=body)


def order(order_id: str | None, client_order_id: str | None) -> Call[wt.Order]:
    """One order, by either id."""
    path = _order_path(order_id, client_order_id)
    return Call("GET", path, member("order", wt.Order), repeatable=True)


def orders(
    symbol: str | None = None,
    status: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Call[wt.Page[wt.Order]]:
    """The account's orders."""
    parse = page("orders", wt.Order)
    return get_call("/orders", parse, symbol=symbol, status=status, limit=limit, cursor=cursor)


# The account


def positions(symbol: str | None = None) -> Call[wt.Page[wt.Position]]:
    """Lots held."""
    return get_call("/positions", page("positions", wt.Position), symbol=symbol)


def balances() -> Call[wt.Page[wt.Balance]]:
    """Money held."""
    return get_call("/balances", page("balances", wt.Balance))


def fills(
    symbol: str | None = None,
    after_seq: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Call[wt.Page[wt.Fill]]:
    """The account's trades."""
    parse = page("fills", wt.Fill)
    return get_call("/fills", parse, symbol=symbol, after_seq=after_seq, limit=limit, cursor=cursor)


def ledger(
    after_seq: int | None = None, limit: int | None = None, cursor: str | None = None
) -> Call[wt.Page[wt.LedgerEntry]]:
    """The account's postings."""
    parse = page("entries", wt.LedgerEntry)
    return get_call("/ledger", parse, after_seq=after_seq, limit=limit, cursor=cursor)


def keys() -> Call[wt.Page[wt.ApiKey]]:
    """The key this client uses."""
    return get_call("/keys", page("keys", wt.ApiKey))
