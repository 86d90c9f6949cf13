"""Requests about margin."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

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


def what_if(
    orders: Iterable[Supposed] = (),
    positions: Iterable[Supposed] = (),
    prices: Mapping[str, Number] | None = None,
    *,
    cash: Number | None = None,
    collateral: Number | None = None,
    level_bps: int | None = None,
    alone: bool = False,
) -> Call[mt.WhatIf]:
    """What the margin would be; nothing is placed or changed."""
    body: Json = {
        "orders": [_supposed(one) for one in orders],
        "positions": [_supposed(one) for one in positions],
        "prices": [
            {"symbol": symbol, "price": decimal_text(price, "price")}
            for symbol, price in (prices or {}).items()
        ],
    }
    for name, amount in (("cash", cash), ("collateral", collateral)):
        if amount is not None:
            body[name] = decimal_text(amount, name)
    if level_bps is not None:
        body["level_bps"] = level_bps
    if alone:
        body["alone"] = True
    return Call("POST", target("/margin/what-if"), member("what_if", mt.WhatIf), body=body)


def _supposed(one: Supposed) -> Json:
    body: Json = {"symbol": one.symbol, "quantity": decimal_text(one.quantity, "quantity")}
    if one.price is not None:
        body["price"] = decimal_text(one.price, "price")
    if one.side is not None:
        body["side"] = one.side
    return body
