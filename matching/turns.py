"""Turns of a call: by price, market orders first at theirs, then time; and what of an order counts.

A reduce-only order counts with what the position had when the count began, less what the account's
own orders before it on this side may take. So each lot that counts can trade, whatever trades
before it, and a call needs one price alone. Of an order on the other side, that would only add to
what there is to reduce, nothing is expected.
"""

from typing import NamedTuple

import numpy as np

from matching._jit import kernel
from matching.book import key_of, level_of
from matching.codes import MARKET_ORDER, Flag, Side

NONE = np.int64(0)


class Turn(NamedTuple):
    """Whose turn it is on a side, and how many of its lots are left that count."""

    order_idx: int
    lots: int


@kernel
def market_from(s, order_idx):
    """Return the first market order at or behind an order of its level, 0 for none."""
    while order_idx != 0 and (s.orders[order_idx]["flags"] & MARKET_ORDER) == 0:
        order_idx = np.int64(s.orders[order_idx]["next"])
    return order_idx


@kernel
def edge_key(s, book_idx):
    """Return the key at which the market orders of a side stand."""
    call = s.calls[book_idx >> 1]
    sells = (book_idx & 1) == Side.SELL
    ticks = np.int64(call["edge_low_ticks"] if sells else call["edge_high_ticks"])
    return np.int64(key_of(s, book_idx & 1, ticks))


@kernel
def first_market(s, book_idx):
    """Return a side's first market order, 0 for none."""
    return market_from(s, np.int64(level_of(s, book_idx, edge_key(s, book_idx))["head"]))


@kernel
def first_of(s, book_idx, market_idx):
    """Return whose turn it is on a side that is not empty, of whose market orders one is first."""
    best_key = s.books[book_idx]["best_key"]
    if market_idx != 0 and s.orders[market_idx]["key"] == best_key:
        return market_idx
    return np.int64(level_of(s, book_idx, best_key)["head"])


@kernel
def new_walk(s):
    """Begin a walk in turn, and return its number; that of the last is with no position.

    Tallies are nothing that lasts: what another walk noted is none.
    """
    s.tallies[0]["walk"] += 1
    return s.tallies[0]["walk"]


@kernel
def begin_count(s):
    """Begin a count: what positions hold now is what there is to reduce."""
    s.tallies[0]["count"] = new_walk(s)


@kernel
def counted_lots(s, order_idx, walk):
    """Return how much of an order counts; a walk asks for each order once, in turn."""
    order = s.orders[order_idx]
    position_idx, leaves_lots = np.int64(order["position_idx"]), np.int64(order["leaves_lots"])
    tally = s.tallies[position_idx]
    if tally["count"] != s.tallies[0]["count"]:
        tally["count"] = s.tallies[0]["count"]
        tally["held_lots"] = s.positions[position_idx]["qty_lots"]
    to_reduce_lots = tally["held_lots"] * (2 * (np.int64(order["book_idx"]) & 1) - 1)
    reduces = (order["flags"] & Flag.REDUCE_ONLY) != 0
    if to_reduce_lots <= 0:
        return NONE if reduces else leaves_lots
    if tally["walk"] != walk:
        tally["walk"] = walk
        tally["taken_lots"] = 0
    lots = leaves_lots
    if reduces:
        lots = max(NONE, min(lots, to_reduce_lots - tally["taken_lots"]))
    tally["taken_lots"] += lots
    return lots


@kernel
def turn_of(s, order_idx, walk, turn):
    """Return the turn of an order: the one that goes on, or the next."""
    if order_idx == turn.order_idx:
        return turn
    return Turn(order_idx, np.int64(counted_lots(s, order_idx, walk)))
