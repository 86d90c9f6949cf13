"""What an amendment makes of a resting order, and whether it makes sense."""

from typing import NamedTuple

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of
from matching.codes import AMEND_FLAGS, COMBINED, PLACE_FLAGS, Code, Flag, Tif
from matching.details import display_of
from matching.legs import zero_ticks
from matching.limits import QTY_LOTS_MAX
from matching.peg_list import is_peg
from matching.prices import peg_key
from matching.words import high_half, low_half


class Terms(NamedTuple):
    """What a resting order is to be: what an amendment does not name stays."""

    key: int
    total_lots: int
    open_lots: int
    display_lots: int  # 0: all of it
    tif: int
    expires_ns: int
    flags: int  # POST_ONLY and REDUCE_ONLY
    peg: int  # 0: it has a price of its own
    offset_ticks: int


@kernel
def amended_total(cmd, record):
    """Return the new total size, which has not been judged yet."""
    qty_lots = np.int64(cmd["qty_lots"])
    if (cmd["flags"] & Flag.QTY_IS_OPEN) != 0:
        return record["filled_lots"] + qty_lots
    if qty_lots == 0:
        return np.int64(record["filled_lots"]) + record["leaves_lots"]
    return max(np.int64(0), qty_lots)


@kernel
def amended_price(s, cmd, record):
    """Return the price that is asked for; 0: the old one stays; -1: there is no such price."""
    price_ticks, top = np.int64(cmd["price_ticks"]), s.meta[0]["price_top"]
    if (cmd["flags"] & Flag.PRICE_IS_SHOWN) == 0:
        return price_ticks
    if price_ticks < -top or price_ticks > top:
        return np.int64(-1)
    price_ticks += zero_ticks(s, np.int64(record["book_idx"]) >> 1)
    return price_ticks if price_ticks > 0 else np.int64(-1)


@kernel
def amended_terms(s, cmd, order_idx):
    """Return what the order is to be, which has not been judged yet."""
    record = s.orders[order_idx]
    key, display_lots = np.int64(record["key"]), np.int64(display_of(s, order_idx))
    tif, expires_ns = np.int64(record["tif"]), np.int64(record["expires_ns"])
    flags = np.int64(record["flags"]) & PLACE_FLAGS
    total_lots = amended_total(cmd, record)
    peg, offset_ticks = np.int64(0), np.int64(0)
    if is_peg(s, order_idx):
        detail = s.details[order_idx]
        peg, offset_ticks = np.int64(detail["peg"]), np.int64(detail["offset_ticks"])
    elif amended_price(s, cmd, record) != 0:
        key = key_of(s, np.int64(record["book_idx"]) & 1, amended_price(s, cmd, record))
    if (cmd["flags"] & Flag.NEW_DISPLAY) != 0:
        display_lots = high_half(cmd["amount_usd_micros"])
    if (cmd["flags"] & Flag.NEW_TIF) != 0:
        tif, expires_ns = np.int64(cmd["tif"]), np.int64(cmd["expires_ns"])
    if (cmd["flags"] & Flag.NEW_OFFSET) != 0 and low_half(cmd["ref_id"]) != offset_ticks:
        offset_ticks = low_half(cmd["ref_id"])
        key = peg_key(s, np.int64(record["book_idx"]), peg, offset_ticks)
    if (cmd["flags"] & Flag.NEW_FLAGS) != 0:
        flags = np.int64(cmd["flags"]) & PLACE_FLAGS
    return Terms(
        key=key,
        total_lots=total_lots,
        open_lots=total_lots - record["filled_lots"],
        display_lots=display_lots,
        tif=tif,
        expires_ns=expires_ns,
        flags=flags,
        peg=peg,
        offset_ticks=offset_ticks,
    )


@cold_kernel
def check_amend_words(s, cmd, record, total_lots):
    """Refuse a size or a price that makes no sense in any state of the market."""
    allowed = AMEND_FLAGS
    if (cmd["flags"] & Flag.NEW_FLAGS) != 0:
        allowed |= PLACE_FLAGS
    if (cmd["flags"] & ~allowed) != 0:
        return Code.FLAGS_INVALID
    is_open = (cmd["flags"] & Flag.QTY_IS_OPEN) != 0
    if cmd["qty_lots"] < -1 or (is_open and cmd["qty_lots"] < 0):
        return Code.QTY_NOT_POSITIVE
    contract = s.contracts[record["book_idx"] >> 1]
    keeps_qty = cmd["qty_lots"] == 0 and not is_open
    # The words themselves first: filled + open of an absurd size would have wrapped.
    if cmd["qty_lots"] > contract["qty_max_lots"]:
        return Code.QTY_TOO_LARGE
    if not keeps_qty and total_lots > contract["qty_max_lots"]:
        return Code.QTY_TOO_LARGE
    price_ticks = amended_price(s, cmd, record)
    if price_ticks < 0 or price_ticks > s.meta[0]["price_top"]:
        return Code.PRICE_INVALID
    return Code.OK


@cold_kernel
def check_terms(s, cmd, record, terms):
    """Refuse new terms that no resting order may have."""
    if (cmd["flags"] & Flag.NEW_TIF) != 0:
        if terms.tif < Tif.GTC or terms.tif > Tif.DAY:
            return Code.TIF_INVALID
        if terms.tif == Tif.IOC or terms.tif == Tif.FOK:
            return Code.TIF_INVALID
        if terms.tif == Tif.GTD:
            if terms.expires_ns <= s.meta[0]["now_ns"]:
                return Code.EXPIRY_INVALID
        elif terms.expires_ns != 0:
            return Code.EXPIRY_INVALID
    sound_display = terms.display_lots >= 0 and terms.display_lots <= terms.total_lots
    if (cmd["flags"] & Flag.NEW_DISPLAY) != 0 and not sound_display:
        return Code.DISPLAY_INVALID
    if terms.peg != 0 and cmd["price_ticks"] != 0:
        return Code.PRICE_INVALID
    far = abs(terms.offset_ticks) > s.meta[0]["price_top"]
    if (cmd["flags"] & Flag.NEW_OFFSET) != 0 and (terms.peg == 0 or far):
        return Code.OFFSET_INVALID
    if terms.display_lots != 0 and (record["flags"] & COMBINED) != 0:
        return Code.COMBINATION_ORDER_UNUSUAL
    if terms.display_lots != 0 and (terms.flags & Flag.REDUCE_ONLY) != 0:
        return Code.DISPLAY_INVALID
    return Code.OK


@kernel
def in_sight(display_lots):
    """Return a display as a number to compare: showing all is the most."""
    return display_lots if display_lots != 0 else np.int64(QTY_LOTS_MAX + 1)


@kernel
def only_size_differs(s, order_idx, terms):
    """Return whether price, time in force and flags stay as they are."""
    record = s.orders[order_idx]
    if terms.peg != 0 and terms.offset_ticks != s.details[order_idx]["offset_ticks"]:
        return False
    if terms.key != record["key"] or terms.flags != (record["flags"] & PLACE_FLAGS):
        return False
    return terms.tif == record["tif"] and terms.expires_ns == record["expires_ns"]
