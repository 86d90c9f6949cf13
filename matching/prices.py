"""The limit that an order enters with: its own price, or one that follows from the book."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of, opposite_key
from matching.codes import OrderType
from matching.limits import BPS

NO_KEY = -1  # there is no price to take


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
def best_opposite_key(s, book_idx):
    """Return the key at which an order just meets the best opposite price, NO_KEY for none."""
    best_key = np.int64(s.books[book_idx ^ 1]["best_key"])
    if best_key > s.meta[0]["price_top"]:
        return np.int64(NO_KEY)
    return opposite_key(s, best_key)


@kernel
def entry_key(s, cmd, book_idx):
    """Return the key of a new order's limit, NO_KEY where there is no price to take."""
    if cmd["order_type"] == OrderType.MARKET:
        return market_key(s, book_idx)
    if cmd["order_type"] == OrderType.MARKET_TO_LIMIT:
        return best_opposite_key(s, book_idx)
    return key_of(s, book_idx & 1, np.int64(cmd["price_ticks"]))
