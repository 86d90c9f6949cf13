"""An amendment to a row of the core."""

from msgspec import UNSET, UnsetType

from api.codec import (
    NS_PER_MS,
    ROW,
    TIFS,
    choice,
    difference_ticks,
    offset_ticks,
    price_ticks,
    qty_lots,
)
from api.codec_stops import amended_trigger
from api.errors import Problem
from api.schemas import OrderAmend
from matching.codes import Flag, Kind, Tif
from matching.wire import pack_halves


def amend_row(
    change: OrderAmend,
    account_idx: int,
    order_id: int,
    words: tuple[int, int, int, int],
    *,
    flags_now: int = 0,
    maybe_spread: bool = False,
) -> bytes:
    """Return the AMEND row; the order is known by its id or by its client's words.

    Args:
        flags_now: the order's: of post_only and reduce_only, one that is not named stays.
        maybe_spread: the order is, or may be, one of a spread: its price is a difference.
    """
    lots, flags, ticks = 0, int(Flag.MAY_WAIT), 0
    if change.price is not UNSET and maybe_spread:
        ticks, flags = difference_ticks(change.price), flags | Flag.PRICE_IS_SHOWN
    elif change.price is not UNSET:
        ticks = price_ticks(change.price)
        if ticks == 0:
            raise Problem("price_invalid", "a price is above zero", status=422, field="price")
    if change.quantity is not UNSET and change.open_quantity is not UNSET:
        raise Problem("field_invalid", "quantity or open_quantity, not both", field="open_quantity")
    if change.quantity is not UNSET:
        lots = qty_lots(change.quantity) or -1
    elif change.open_quantity is not UNSET:
        lots = qty_lots(change.open_quantity, "open_quantity")
        flags |= int(Flag.QTY_IS_OPEN)
    tif, expires_ns, amount, ref = 0, 0, 0, 0
    if change.display_quantity is not UNSET:
        flags |= Flag.NEW_DISPLAY
        amount = pack_halves(0, qty_lots(change.display_quantity, "display_quantity"))
    if change.tif is not UNSET or change.expires_at is not UNSET:
        flags |= Flag.NEW_TIF
        tif = choice(TIFS, change.tif, int(Tif.GTD), "tif")
        expires_ns = 0 if change.expires_at is UNSET else change.expires_at * NS_PER_MS
    if change.post_only is not UNSET or change.reduce_only is not UNSET:
        flags |= Flag.NEW_FLAGS | _named(change.post_only, Flag.POST_ONLY, flags_now)
        flags |= _named(change.reduce_only, Flag.REDUCE_ONLY, flags_now)
    if change.peg_offset is not UNSET:
        flags |= Flag.NEW_OFFSET
        ref = pack_halves(offset_ticks(change.peg_offset), 0)
    ties = amended_trigger(change)
    amount |= ties.low_amount
    return ROW.pack(
        Kind.AMEND, 0, 0, tif, 0, ties.state, flags, account_idx, 0,
        order_id, ticks, lots, amount, expires_ns, *words, ref or ties.low_ref,
    )  # fmt: skip


def _named(given: bool | UnsetType, bit: int, flags_now: int) -> int:
    """Return a flag as it is named, or as it is where it is not."""
    if given is UNSET:
        return flags_now & bit
    return bit if given else 0
