"""Icebergs as makers: the part that shows trades, then comes anew from the hidden, at the back.

Hidden lots so yield to all that shows on the level, and several icebergs take turns, a display
each. One that is alone on its level gives what is asked for in one trade. When only icebergs are
left and each had its turn, whole rounds are counted, not walked: each gives one trade for all of
them. So a maker has at most three trades with one taker: its display, the rounds, a part of a
round.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import level_of, link_last, unlink
from matching.trade import trade


@cold_kernel
def fill_iceberg(s, order, order_id, maker_idx, key, lots, shown_lots):
    """Fill an iceberg that shows `shown_lots` behind it; return the taker's gain, ticks x lots."""
    place = s.meta[0]["events_count"]
    rests = s.orders[maker_idx]["leaves_lots"] > lots
    gain_ticks = trade(s, order, order_id, maker_idx, key, lots)
    if rests:
        s.details[maker_idx]["shown_lots"] = shown_lots
        s.events[place]["amount_usd_micros"] = shown_lots
    return gain_ticks


@kernel
def shown_after(shown_lots, display_lots, leaves_lots, lots):
    """Return what an iceberg shows when it gave `lots` at once, its displays one by one."""
    if lots < shown_lots:
        return shown_lots - lots
    given_lots = (lots - shown_lots) % display_lots  # of the display that is in sight now
    return min(display_lots, leaves_lots - lots + given_lots) - given_lots


@cold_kernel
def meet_iceberg(s, order, order_id, maker_idx, left_lots, turned_idx):
    """Let a taker of `left_lots` meet the iceberg at the head of a level.

    `turned_idx` is the first iceberg of this level that went to the back, 0 for none yet.

    Returns: lots traded, the taker's gain, and `turned_idx` from now on
    """
    book_idx, maker, detail = order.book_idx ^ 1, s.orders[maker_idx], s.details[maker_idx]
    key = np.int64(maker["key"])
    leaves_lots, shown_lots = np.int64(maker["leaves_lots"]), np.int64(detail["shown_lots"])
    display_lots = np.int64(detail["display_lots"])
    level = level_of(s, book_idx, key)
    if level["head"] == level["tail"]:
        lots = min(left_lots, leaves_lots)
        after_lots = shown_after(shown_lots, display_lots, leaves_lots, lots)
        gain_ticks = fill_iceberg(s, order, order_id, maker_idx, key, lots, after_lots)
        return lots, gain_ticks, np.int64(0)
    if maker_idx == turned_idx:
        lots, gain_ticks = take_rounds(s, order, order_id, key, left_lots)
        return lots, gain_ticks, np.int64(0)
    lots = min(left_lots, shown_lots)
    after_lots = shown_after(shown_lots, display_lots, leaves_lots, lots)
    gain_ticks = fill_iceberg(s, order, order_id, maker_idx, key, lots, after_lots)
    if lots == shown_lots and lots < leaves_lots:
        unlink(s, maker_idx, book_idx, key)
        link_last(s, maker_idx, book_idx, key)
        if turned_idx == 0:
            turned_idx = maker_idx
    return lots, gain_ticks, turned_idx


@cold_kernel
def lots_of_rounds(s, book_idx, key, rounds):
    """Return what the icebergs of a level give in so many rounds, and at most in one more.

    The latter is the sum of the displays of those that have anything left then.
    """
    lots, more_lots = np.int64(0), np.int64(0)
    order_idx = np.int64(level_of(s, book_idx, key)["head"])
    while order_idx != 0:
        order = s.orders[order_idx]
        display_lots = np.int64(s.details[order_idx]["display_lots"])
        given_lots = min(np.int64(order["leaves_lots"]), rounds * display_lots)
        lots += given_lots
        more_lots += display_lots * (given_lots < order["leaves_lots"])
        order_idx = np.int64(order["next"])
    return lots, more_lots


@cold_kernel
def whole_rounds(s, book_idx, key, left_lots):
    """Return how many whole rounds of a level's icebergs fit into `left_lots`.

    From below, each time by as many rounds as surely fit. A round gives no more than the one before
    it, so each look through the level halves what is left or what a round gives, at least.
    """
    rounds = np.int64(0)
    lots, more_lots = lots_of_rounds(s, book_idx, key, rounds)
    while more_lots > 0:
        step = max(np.int64(1), (left_lots - lots) // more_lots)
        lots, more_lots = lots_of_rounds(s, book_idx, key, rounds + step)
        if lots > left_lots:
            break
        rounds += step
    return rounds


@cold_kernel
def take_rounds(s, order, order_id, key, left_lots):
    """Take as many whole rounds as fit: all on the level are icebergs that show in full.

    Returns: lots traded, the taker's gain
    """
    book_idx = order.book_idx ^ 1
    rounds = whole_rounds(s, book_idx, key, left_lots)
    taken_lots = gain_ticks = np.int64(0)
    maker_idx = np.int64(level_of(s, book_idx, key)["head"])
    while maker_idx != 0 and rounds > 0:
        following = np.int64(s.orders[maker_idx]["next"])
        display_lots = np.int64(s.details[maker_idx]["display_lots"])
        leaves_lots = np.int64(s.orders[maker_idx]["leaves_lots"])
        lots = min(leaves_lots, rounds * display_lots)
        shown_lots = min(display_lots, leaves_lots - lots)
        gain_ticks += fill_iceberg(s, order, order_id, maker_idx, key, lots, shown_lots)
        taken_lots += lots
        maker_idx = following
    return taken_lots, gain_ticks
