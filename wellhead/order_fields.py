"""The fields of orders and amendments, as the API takes them."""

import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias, TypedDict

Json: TypeAlias = dict[str, Any]
Number: TypeAlias = str | int | Decimal


class OrderOptions(TypedDict, total=False):
    """The optional fields of a new order, as in docs/api.md."""

    type: str
    tif: str
    stp: str
    post_only: bool
    reduce_only: bool
    client_order_id: str | None
    expires_at: int
    display_quantity: Number
    min_quantity: Number
    peg: str
    peg_offset: Number
    trigger_price: Number
    trigger_by: str
    trail_offset: Number
    trail_bps: int
    oco_with: str
    take_profit: Number
    stop_loss: Number


class AmendOptions(TypedDict, total=False):
    """What an amendment may change beside price and quantity (docs/api.md); None leaves it."""

    display_quantity: Number | None
    tif: str | None
    expires_at: int | None
    post_only: bool | None
    reduce_only: bool | None
    peg_offset: Number | None
    trigger_price: Number | None
    trail_offset: Number | None
    trail_bps: int | None


DECIMALS = frozenset(
    {
        "display_quantity", "min_quantity", "peg_offset", "trigger_price", "trail_offset",
        "take_profit", "stop_loss",
    }
)  # fmt: skip


def decimal_text(value: Number, name: str) -> str:
    """Return a number as the API takes it.

    Errors:
        TypeError: a float, which has no exact decimal value.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise TypeError(f"{name} is str, int or Decimal, not {type(value).__name__}")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def new_client_order_id() -> str:
    """Return a client order id that nobody has used."""
    return f"wh-{secrets.token_hex(12)}"


def new_order(
    symbol: str, side: str, quantity: Number, price: Number | None, options: OrderOptions
) -> Json:
    """Return the fields of a new order; without a client order id it gets one of its own."""
    body: Json = {"symbol": symbol, "side": side, "quantity": decimal_text(quantity, "quantity")}
    if price is not None:
        body["price"] = decimal_text(price, "price")
    body.update(_texts(options))
    body.setdefault("client_order_id", new_client_order_id())
    return body


def amendment(
    price: Number | None = None,
    quantity: Number | None = None,
    open_quantity: Number | None = None,
    options: AmendOptions | None = None,
) -> Json:
    """Return the fields of an amendment: what is None stays as it is."""
    given = {"price": price, "quantity": quantity, "open_quantity": open_quantity}
    body: Json = {name: decimal_text(v, name) for name, v in given.items() if v is not None}
    return body | _texts(options or {})


def _texts(options: Mapping[str, Any]) -> Json:
    """Return the options that are given, decimals as text."""
    return {
        name: decimal_text(value, name) if name in DECIMALS else value
        for name, value in options.items()
        if value is not None
    }
