"""The limit that an order enters with: its own price, or one that follows from the book."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of, level_of, next_key, opposite_key
from matching.codes import OrderType, Peg, Side, Tif
from matching.limits import BPS
from matching.peg_list import is_peg
from matching.words import low_half

NO_KEY = -1  # there is no price to take
NO_TICKS = -(1 << 40)  # there is no price to follow


@cold_kernel
def market_key(s, book_idx):
    """Return the limit of a market order: as far as band and protection let it go."""
    book, best_key = s.books[book_idx], np.int64(s.books[book_idx ^ 1]["best_key"])
    protection_bps = s.contracts[book_idx >> 1]["protection_bps"]
    if protection_bps == 0 or best_key > s.meta[0]["price_top"]:
        return np.int64(book["band_key"])
    price_ticks = key_of(s, (book_idx ^ 1) & 1, best_key)
    width_ticks = price_ticks * protection_bps // BPS
    return max(np.int64(book["band_key"]), opposite_key(s, best_key) - width_ticks)


@cold_kernel
def market_key_in_call(s, book_idx):
    """Return the limit of a market order that waits in a call: the band's edge as it began."""
    call, side = s.calls[book_idx >> 1], book_idx & 1
    edge_ticks = call["edge_low_ticks"] if side == Side.SELL else call["edge_high_ticks"]
    return key_of(s, side, np.int64(edge_ticks))


@cold_kernel
def best_opposite_key(s, book_idx):
    """Return the key at which an order just meets the best opposite price, NO_KEY for none."""
    best_key = np.int64(s.books[book_idx ^ 1]["best_key"])
    if best_key > s.meta[0]["price_top"]:
        return np.int64(NO_KEY)
    return opposite_key(s, best_key)


@cold_kernel
def reference_key(s, book_idx):
    """Return the best key of a book's orders that are not pegged, price_top + 1 for none.

    Pegs are few in a contract, so few orders are looked at.
    """
    top = s.meta[0]["price_top"]
    key = np.int64(s.books[book_idx]["best_key"])
    while key <= top:
        order_idx = np.int64(level_of(s, book_idx, key)["head"])
        while order_idx != 0:
            if not is_peg(s, order_idx):
                return key
            order_idx = np.int64(s.orders[order_idx]["next"])
        key = next_key(s, book_idx, key + 1) if key < top else top + 1
    return key


@kernel
def wanted_ticks(s, bid_key, ask_key, side, peg, offset_ticks):
    """Return where a peg would like to be, NO_TICKS where what it follows is not there.

    A mid between two ticks is rounded away from the other side.
    """
    top = s.meta[0]["price_top"]
    bid_ticks = key_of(s, np.int64(0), bid_key) if bid_key <= top else np.int64(NO_TICKS)
    ask_ticks = ask_key if ask_key <= top else np.int64(NO_TICKS)
    if peg == Peg.BID:
        ticks = bid_ticks
    elif peg == Peg.ASK:
        ticks = ask_ticks
    elif bid_ticks == NO_TICKS or ask_ticks == NO_TICKS:
        ticks = np.int64(NO_TICKS)
    else:
        ticks = (bid_ticks + ask_ticks + side) >> 1
    return ticks + offset_ticks if ticks != NO_TICKS else ticks


@cold_kernel
def clamped_key(s, book_idx, ticks, met_key):
    """Return the key nearest to a wish that is in the band and meets nobody, NO_KEY for none.

    `met_key` is the best key of the other side, price_top + 1 where that is empty.
    """
    if ticks == NO_TICKS:
        return np.int64(NO_KEY)
    top, side = s.meta[0]["price_top"], book_idx & 1
    key = key_of(s, side, min(max(ticks, np.int64(1)), top))
    key = max(key, np.int64(s.books[book_idx]["band_key"]))
    if met_key <= top:
        key = max(key, opposite_key(s, met_key) + 1)
    return key if key <= top - 1 + side else np.int64(NO_KEY)


@cold_kernel
def peg_key(s, book_idx, peg, offset_ticks):
    """Return the key at which a pegged order comes to rest now, NO_KEY for none."""
    first_book_idx = book_idx & ~1
    bid_key, ask_key = reference_key(s, first_book_idx), reference_key(s, first_book_idx + 1)
    ticks = wanted_ticks(s, bid_key, ask_key, book_idx & 1, peg, offset_ticks)
    return clamped_key(s, book_idx, ticks, np.int64(s.books[book_idx ^ 1]["best_key"]))


@kernel
def entry_key(s, cmd, book_idx):
    """Return the key of a new order's limit, NO_KEY where there is no price to take."""
    if cmd["order_type"] == OrderType.MARKET:
        return market_key_in_call(s, book_idx) if cmd["tif"] == Tif.GFA else market_key(s, book_idx)
    if cmd["order_type"] == OrderType.MARKET_TO_LIMIT:
        return best_opposite_key(s, book_idx)
    if cmd["order_type"] == OrderType.PEGGED:
        return peg_key(s, book_idx, np.int64(cmd["state"]), low_half(cmd["ref_id"]))
    return key_of(s, book_idx & 1, np.int64(cmd["price_ticks"]))
