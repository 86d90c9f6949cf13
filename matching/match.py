"""Matching: price, then time, at the maker's price. One loop, either side."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of, level_of, next_key, opposite_key, unlink
from matching.codes import COMBINED, Code, EventKind, Flag, Stp, Tif
from matching.emit import emit, emit_cancelled
from matching.leg_trades import trade_legs
from matching.lots import change_lots
from matching.pool import disown, free_order_slot


@kernel
def end_order(s, order_idx, book_idx, key):
    """Take an order that has no lots left out of everything."""
    unlink(s, order_idx, book_idx, key)
    order = s.orders[order_idx]
    disown(s, order_idx, np.int64(order["account_idx"]), np.int64(order["position_idx"]))
    free_order_slot(s, order_idx)


@kernel
def shrink_order(s, order_idx, lots):
    """Take lots off a resting order, for any reason but a trade; at zero it ends."""
    order = s.orders[order_idx]
    book_idx = np.int64(order["book_idx"])
    key = np.int64(order["key"])
    leaves_lots = order["leaves_lots"] - lots
    order["leaves_lots"] = leaves_lots
    account_idx = np.int64(order["account_idx"])
    change_lots(s, account_idx, np.int64(order["position_idx"]), book_idx, key, -lots, 0, 0)
    if leaves_lots == 0:
        end_order(s, order_idx, book_idx, key)


@kernel
def cancel_lots(s, order_idx, lots, code):
    """Take lots off a resting order and say so."""
    order = s.orders[order_idx]
    book_idx = np.int64(order["book_idx"])
    price_ticks = key_of(s, book_idx & 1, np.int64(order["key"]))
    emit_cancelled(
        s, code, order["account_idx"], book_idx, order["order_id"], price_ticks, lots,
        order["leaves_lots"] - lots,
    )  # fmt: skip
    shrink_order(s, order_idx, lots)


@kernel
def cancel_whole(s, order_idx, code):
    """Cancel all that is left of an order, and say so."""
    order = s.orders[order_idx]
    book_idx, key = np.int64(order["book_idx"]), np.int64(order["key"])
    account_idx, position_idx = np.int64(order["account_idx"]), np.int64(order["position_idx"])
    lots, none = np.int64(order["leaves_lots"]), np.int64(0)
    price_ticks = key_of(s, book_idx & 1, key)
    emit_cancelled(s, code, account_idx, book_idx, order["order_id"], price_ticks, lots, none)
    order["leaves_lots"] = none
    change_lots(s, account_idx, position_idx, book_idx, key, -lots, none, none)
    end_order(s, order_idx, book_idx, key)


@cold_kernel
def drop_lots(s, order_idx, lots, code):
    """Do as `cancel_lots`, off the path of an order."""
    cancel_lots(s, order_idx, lots, code)


@cold_kernel
def drop_order(s, order_idx, code):
    """Do as `cancel_whole`, off the path of an order."""
    cancel_whole(s, order_idx, code)


@cold_kernel
def prevent_self_trade(s, stp, maker_idx, left_lots):
    """Do what the taker's mode says to its own resting order; return what the taker loses."""
    if stp == Stp.CANCEL_NEWEST:
        return left_lots
    maker_lots = np.int64(s.orders[maker_idx]["leaves_lots"])
    if stp == Stp.DECREMENT:
        lost_lots = min(left_lots, maker_lots)
        drop_lots(s, maker_idx, lost_lots, Code.SELF_TRADE_PREVENTED)
        return lost_lots
    drop_lots(s, maker_idx, maker_lots, Code.SELF_TRADE_PREVENTED)
    return left_lots if stp == Stp.CANCEL_BOTH else np.int64(0)


@cold_kernel
def reducible_lots(s, maker_idx, taker_position_idx, taker_traded_lots):
    """Return how much a reduce-only order may trade now.

    The taker's trades of this command are booked at its end: they are added here if the maker
    is the same account's.
    """
    maker = s.orders[maker_idx]
    side = maker["book_idx"] & 1
    opposite_lots = s.positions[maker["position_idx"]]["qty_lots"] * (2 * side - 1)
    if maker["position_idx"] == taker_position_idx:
        opposite_lots += taker_traded_lots
    return max(np.int64(0), opposite_lots)


@kernel
def trade(s, order, order_id, maker_idx, key, lots):
    """Fill a resting order, and return the taker's gain against the mark, ticks x lots.

    The lots of a combination go to its legs, on both sides and at once.
    """
    book_idx = order.book_idx ^ 1
    maker = s.orders[maker_idx]
    leaves_lots = maker["leaves_lots"] - lots
    price_ticks = key_of(s, book_idx & 1, key)
    event = s.events[emit(s, EventKind.TRADE, order.account_idx, order.contract_idx)]
    event["side"] = order.book_idx & 1
    event["order_id"] = order_id
    event["maker_order_id"] = maker["order_id"]
    event["maker_account_idx"] = maker["account_idx"]
    event["price_ticks"] = price_ticks
    event["qty_lots"] = lots
    event["leaves_lots"] = leaves_lots
    maker["leaves_lots"] = leaves_lots
    maker["filled_lots"] += lots
    s.contracts[order.contract_idx]["last_trade_ticks"] = price_ticks
    booked_lots, gain_ticks = lots, lots * (key - s.books[book_idx]["mark_key"])
    if (order.flags & COMBINED) != 0:
        trade_legs(s, order, order_id, maker_idx, price_ticks, lots)
        booked_lots = gain_ticks = np.int64(0)
    account_idx = np.int64(maker["account_idx"])
    position_idx = np.int64(maker["position_idx"])
    change_lots(s, account_idx, position_idx, book_idx, key, -lots, booked_lots, gain_ticks)
    if leaves_lots == 0:
        end_order(s, maker_idx, book_idx, key)
    return -gain_ticks


@cold_kernel
def match(s, order, order_id, position_idx, lots):
    """Trade up to `lots` against the other side.

    Returns: lots left, lots lost to self-trade prevention, gain against the mark in ticks x lots
    """
    book_idx = order.book_idx ^ 1
    book = s.books[book_idx]
    limit_key = opposite_key(s, order.key)
    left_lots = lots
    lost_lots = np.int64(0)
    gain_ticks = np.int64(0)
    while left_lots > 0 and book["best_key"] <= limit_key:
        key = book["best_key"]
        maker_idx = np.int64(level_of(s, book_idx, key)["head"])
        maker = s.orders[maker_idx]
        if order.stp != Stp.NONE and maker["account_idx"] == order.account_idx:
            prevented_lots = prevent_self_trade(s, order.stp, maker_idx, left_lots)
            lost_lots += prevented_lots
            left_lots -= prevented_lots
            continue
        maker_lots = np.int64(maker["leaves_lots"])
        if (maker["flags"] & Flag.REDUCE_ONLY) != 0:
            traded_lots = lots - left_lots - lost_lots
            limit_lots = reducible_lots(s, maker_idx, position_idx, traded_lots)
            if limit_lots < min(left_lots, maker_lots):
                # Its limit ends the maker here: what is beyond goes right after the trade.
                if limit_lots > 0:
                    gain_ticks += trade(s, order, order_id, maker_idx, key, limit_lots)
                    left_lots -= limit_lots
                drop_order(s, maker_idx, Code.REDUCE_ONLY_CLIPPED)
                continue
        fill_lots = min(left_lots, maker_lots)
        gain_ticks += trade(s, order, order_id, maker_idx, key, fill_lots)
        left_lots -= fill_lots
    return left_lots, lost_lots, gain_ticks


@kernel
def crosses(s, order):
    """Return whether any order rests opposite at the limit or better."""
    return s.books[order.book_idx ^ 1]["best_key"] <= opposite_key(s, order.key)


@cold_kernel
def fillable(s, order, lots):
    """Return whether a fill-or-kill order of `lots` would trade in full."""
    book_idx = order.book_idx ^ 1
    limit_key = opposite_key(s, order.key)
    key = np.int64(s.books[book_idx]["best_key"])
    found_lots = np.int64(0)
    while key <= limit_key:
        maker_idx = level_of(s, book_idx, key)["head"]
        while maker_idx != 0:
            maker = s.orders[maker_idx]
            if order.stp != Stp.NONE and maker["account_idx"] == order.account_idx:
                if order.stp != Stp.CANCEL_OLDEST:
                    return False
            elif (maker["flags"] & Flag.REDUCE_ONLY) == 0:
                found_lots += maker["leaves_lots"]
                if found_lots >= lots:
                    return True
            maker_idx = maker["next"]
        if key == limit_key:
            return False
        key = next_key(s, book_idx, key + 1)
    return False


@kernel
def execute(s, order, order_id, position_idx, lots):
    """Match an admitted order and book what it did.

    Returns: lots that rest, lots traded, lots lost to self-trade prevention, lots dropped
    """
    left_lots = lots
    lost_lots = np.int64(0)
    gain_ticks = np.int64(0)
    if crosses(s, order) and (order.tif != Tif.FOK or fillable(s, order, lots)):
        left_lots, lost_lots, gain_ticks = match(s, order, order_id, position_idx, lots)
    traded_lots = lots - left_lots - lost_lots
    immediate = order.tif == Tif.IOC or order.tif == Tif.FOK
    leaves_lots = np.int64(0) if immediate else left_lots
    booked_lots = np.int64(0) if (order.flags & COMBINED) != 0 else traded_lots
    change_lots(
        s, order.account_idx, position_idx, order.book_idx, order.key, leaves_lots, booked_lots,
        gain_ticks,
    )  # fmt: skip
    return leaves_lots, traded_lots, lost_lots, left_lots - leaves_lots


@cold_kernel
def emit_drops(s, order, order_id, leaves_lots, clipped_lots, lost_lots, dropped_lots):
    """Say what of the taker's own order is gone, in the order of the rules."""
    remainder = Code.FOK_NOT_FILLABLE if order.tif == Tif.FOK else Code.IOC_REMAINDER
    price_ticks = key_of(s, order.book_idx & 1, order.key)
    for code, lots in (
        (Code.REDUCE_ONLY_CLIPPED, clipped_lots),
        (Code.SELF_TRADE_PREVENTED, lost_lots),
        (remainder, dropped_lots),
    ):
        if lots > 0:
            emit_cancelled(
                s, code, order.account_idx, order.book_idx, order_id, price_ticks, lots,
                leaves_lots,
            )  # fmt: skip
