"""Requests about margin."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypedDict, Unpack

from wellhead import margin_types as mt
from wellhead.calls import Call, Json, get_call, member, target
from wellhead.order_fields import Number, decimal_text


class Supposed(NamedTuple):
    """An order or, with `side` None, a position that is not there; short is negative."""

    symbol: str
    quantity: Number
    price: Number | None = None
    side: str | None = None


def margin() -> Call[mt.Margin]:
    """What is required, and what is left."""
    return get_call("/margin", member("margin", mt.Margin))


class Supposing(TypedDict, total=False):
    """What to suppose; all may be left out."""

    orders: Iterable[Supposed]
    positions: Iterable[Supposed]
    prices: Mapping[str, Number]  # other marks, by symbol
    cash: Number  # more than there is, or with a minus less
    collateral: Number
    level_bps: int
    alone: bool  # from an empty account


def what_if(**more: Unpack[Supposing]) -> Call[mt.WhatIf]:
    """What the margin would be; nothing is placed or changed."""
    body: Json = {
        "orders": [_supposed(one) for one in more.get("orders", ())],
        "positions": [_supposed(one) for one in more.get("positions", ())],
        "prices": [
            {"symbol": symbol, "price": decimal_text(price, "price")}
            for symbol, price in more.get("prices", {}).items()
        ],
    }
    if "cash" in more:
        body["cash"] = decimal_text(more["cash"], "cash")
    if "collateral" in more:
        body["collateral"] = decimal_text(more["collateral"], "collateral")
    if "level_bps" in more:
        body["level_bps"] = more["level_bps"]
    if more.get("alone"):
        body["alone"] = True
    return Call("POST", target("/margin/what-if"), member("what_if", mt.WhatIf), body=body)


def _supposed(one: Supposed) -> Json:
    body: Json = {"symbol": one.symbol, "quantity": decimal_text(one.quantity, "quantity")}
    if one.price is not None:
        body["price"] = decimal_text(one.price, "price")
    if one.side is not None:
        body["side"] = one.side
    return body
