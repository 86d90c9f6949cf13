"""Guards: how far a price may move before a call auction has to find it.

Two for each contract, both data: the velocity guard measures from a price a few seconds old, the
daily limit from the last settlement. What they allow stands in BOOK as two keys, so that a taker
pays for two comparisons on a line it has loaded anyway; a resting order beyond them is not met,
and META.aftermath has a call started behind the command.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of, opposite_key
from matching.codes import Code, Side
from matching.implied_wake import wake_implied
from matching.limits import BPS, GUARDS

NO_KEY = np.int64(-1)  # better than every key


@kernel
def width_ticks(price_ticks, bps):
    """Return how far a price may move, one tick at least."""
    return max(np.int64(1), np.int64(price_ticks) * bps // BPS)


@cold_kernel
def daily_width_bps(s, contract_idx):
    """Return the daily limit that holds now, 0 for none."""
    call = s.calls[contract_idx]
    if call["daily_stage"] == 0:
        return np.int64(call["daily_bps"])
    if call["daily_stage"] == 1 and call["daily_bps"] != 0:
        return np.int64(call["daily_next_bps"])
    return np.int64(0)


@cold_kernel
def beyond_day(s, contract_idx, price_ticks):
    """Return whether a price is beyond the daily limit."""
    bps = daily_width_bps(s, contract_idx)
    settle_ticks = np.int64(s.contracts[contract_idx]["settle_ticks"])
    return bps != 0 and abs(price_ticks - settle_ticks) > width_ticks(settle_ticks, bps)


@cold_kernel
def set_guard_keys(s, contract_idx):
    """Write what may trade into both books."""
    call, top = s.calls[contract_idx], s.meta[0]["price_top"]
    low_ticks, high_ticks = np.int64(0), np.int64(top)
    if call["velocity_bps"] != 0:
        width = width_ticks(call["guard_ticks"], call["velocity_bps"])
        low_ticks = max(low_ticks, call["guard_ticks"] - width)
        high_ticks = min(high_ticks, call["guard_ticks"] + width)
    bps = daily_width_bps(s, contract_idx)
    if bps != 0:
        settle_ticks = np.int64(s.contracts[contract_idx]["settle_ticks"])
        low_ticks = max(low_ticks, settle_ticks - width_ticks(settle_ticks, bps))
        high_ticks = min(high_ticks, settle_ticks + width_ticks(settle_ticks, bps))
    for side in (np.int64(Side.BUY), np.int64(Side.SELL)):
        book = s.books[2 * contract_idx + side]
        # A resting sell trades at a high price at worst, a resting buy at a low one.
        book["guard_key"] = key_of(s, side, high_ticks if side == Side.SELL else low_ticks)
        book["guard_best_key"] = key_of(s, side, low_ticks if side == Side.SELL else high_ticks)
        book["guarded"] = 1 if call["velocity_bps"] != 0 else 0


@cold_kernel
def take_guard_price(s, contract_idx, price_ticks):
    """Let the velocity guard measure from this price from now on."""
    call = s.calls[contract_idx]
    call["guard_ticks"] = price_ticks
    call["guard_since_ns"] = s.meta[0]["now_ns"]
    s.contracts[contract_idx]["traded"] = 0
    set_guard_keys(s, contract_idx)
    wake_implied(s, contract_idx)


@cold_kernel
def next_guard_window(s, contract_idx):
    """Begin a new window if the old one is over: measure from the last trade, if it had one."""
    contract, call = s.contracts[contract_idx], s.calls[contract_idx]
    if s.meta[0]["now_ns"] < call["guard_since_ns"] + call["velocity_ns"]:
        return
    price_ticks = np.int64(call["guard_ticks"])
    if contract["traded"] != 0:
        price_ticks = np.int64(contract["last_trade_ticks"])
    take_guard_price(s, contract_idx, price_ticks)


@cold_kernel
def run_windows(s):
    """Begin the windows that are due where the old one had trades; what a TICK may.

    An order would begin it as well, but implied prices look at what stands in BOOK.
    """
    for contract_idx in range(s.meta[0]["contracts_count"]):
        guarded = s.calls[contract_idx]["velocity_bps"] != 0
        if guarded and s.contracts[contract_idx]["traded"] != 0:
            next_guard_window(s, np.int64(contract_idx))


@kernel
def reach_of(s, order):
    """Return the worst key that an order may meet: its own limit, or the guard's."""
    book = s.books[order.book_idx ^ 1]
    if book["guarded"] != 0:
        next_guard_window(s, order.contract_idx)
    if book["best_key"] < book["guard_best_key"]:
        return NO_KEY
    return min(np.int64(opposite_key(s, order.key)), np.int64(book["guard_key"]))


@cold_kernel
def report_breach(s, book_idx):
    """Have a call started: an order would have met the best of this book, beyond a guard."""
    contract_idx = book_idx >> 1
    price_ticks = key_of(s, book_idx & 1, np.int64(s.books[book_idx]["best_key"]))
    far = beyond_day(s, contract_idx, price_ticks)
    code = Code.PRICE_MOVED_FAR if far else Code.PRICE_MOVED_FAST
    s.calls[contract_idx]["breach"] = code
    s.meta[0]["aftermath"] |= GUARDS
