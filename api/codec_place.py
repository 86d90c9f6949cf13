"""A new order to a row of the core."""

from typing import Any, Final

from msgspec import UNSET

from api.codec import (
    NO_WORDS,
    NS_PER_MS,
    PEGS,
    ROW,
    SIDES,
    STP_DEFAULT,
    STPS,
    TIFS,
    TYPES,
    at_least_one,
    choice,
    client_words,
    difference_ticks,
    offset_ticks,
    price_ticks,
    qty_lots,
)
from api.codec_stops import WAITING, ties_of
from api.errors import Problem
from api.schemas import OrderNew
from matching.codes import Flag, Kind, OrderType, Tif
from matching.wire import pack_halves

# The words of a field, with what an absent one means.
_TYPES: Final[dict[Any, int]] = {**TYPES, UNSET: int(OrderType.LIMIT)}
_TIFS_LIMIT: Final[dict[Any, int]] = {**TIFS, UNSET: int(Tif.GTC)}
_TIFS_MARKET: Final[dict[Any, int]] = {**TIFS, UNSET: int(Tif.IOC)}
_STPS: Final[dict[Any, int]] = {**STPS, UNSET: STP_DEFAULT}
_PLACE, _POST_ONLY, _REDUCE_ONLY = int(Kind.PLACE), int(Flag.POST_ONLY), int(Flag.REDUCE_ONLY)
_PRICED: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT})


def place_row(
    order: OrderNew, account_idx: int, contract_idx: int, base_ticks: int = 0, by_legs: int = 0
) -> bytes:
    """Return the PLACE row of a new order.

    Args:
        base_ticks: of a spread, what stands for a difference of zero.
        by_legs: BY_LEGS of a combination.
    """
    kind = _TYPES.get(order.type)
    if kind is None:
        kind = choice(TYPES, order.type, 0, "type")
    if kind in _PRICED:
        if order.price is UNSET:
            detail = f"a {order.type or 'limit'} order has a price"
            raise Problem("field_missing", detail, field="price")
        tif = _TIFS_LIMIT.get(order.tif)
        if base_ticks:
            ticks = max(0, base_ticks + difference_ticks(order.price))
        else:
            ticks = price_ticks(order.price)
    else:
        tifs = _TIFS_MARKET if kind == OrderType.MARKET else _TIFS_LIMIT
        tif, ticks = tifs.get(order.tif), 0
        if order.price is not UNSET:
            raise Problem("field_invalid", f"a {order.type} order has no price", field="price")
    if tif is None:
        tif = choice(TIFS, order.tif, 0, "tif")
    side, stp = SIDES.get(order.side), _STPS.get(order.stp)
    if side is None or stp is None:
        side = choice(SIDES, order.side, 0, "side")
        stp = choice(STPS, order.stp, STP_DEFAULT, "stp")
    flags = (order.post_only is True) * _POST_ONLY + (order.reduce_only is True) * _REDUCE_ONLY
    expires_ns = 0 if order.expires_at is UNSET else order.expires_at * NS_PER_MS
    words = NO_WORDS
    if order.client_order_id is not UNSET:
        words = client_words(order.client_order_id)
    other_id = amount = ref = 0
    state = by_legs
    if (
        order.display_quantity is not UNSET or order.min_quantity is not UNSET
        or order.peg is not UNSET or order.peg_offset is not UNSET
        or order.trigger_price is not UNSET or order.trigger_by is not UNSET
        or order.trail_offset is not UNSET or order.trail_bps is not UNSET
        or order.oco_with is not UNSET
        or order.take_profit is not UNSET or order.stop_loss is not UNSET
        or kind in WAITING or kind == OrderType.PEGGED
    ):  # fmt: skip
        more_flags, state, other_id, amount, ref = richer_words(order, kind)
        flags |= more_flags
    return ROW.pack(
        _PLACE, side, kind, tif, stp, state, flags, account_idx, contract_idx,
        other_id, ticks, qty_lots(order.quantity), amount, expires_ns, *words, ref,
    )  # fmt: skip


def richer_words(order: OrderNew, kind: int) -> tuple[int, int, int, int, int]:
    """Return flags, state, link, amount and reference of an order that says more than most."""
    display = least = offset = peg = 0
    if order.display_quantity is not UNSET:
        display = at_least_one(order.display_quantity, "display_quantity")
    if order.min_quantity is not UNSET:
        least = at_least_one(order.min_quantity, "min_quantity")
    for name, given in (("peg", order.peg), ("peg_offset", order.peg_offset)):
        if given is not UNSET and kind != OrderType.PEGGED:
            raise Problem("field_invalid", "only a pegged order has one", field=name)
    if kind == OrderType.PEGGED:
        if order.peg is UNSET:
            raise Problem("field_missing", "a pegged order follows bid, ask or mid", field="peg")
        peg = choice(PEGS, order.peg, 0, "peg")
        offset = 0 if order.peg_offset is UNSET else offset_ticks(order.peg_offset)
    ties = ties_of(order, kind)
    return (
        ties.flags, peg or ties.state, ties.other_id, pack_halves(ties.low_amount, display),
        pack_halves(offset or ties.low_ref, least),
    )  # fmt: skip
