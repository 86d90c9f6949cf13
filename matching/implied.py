"""Implied trades: an order of a combination meets one order in the book of each leg, all at once.

Whoever comes is the taker: an order of the combination (implied in), or of one leg (implied out),
which then trades at what the others leave. Where those meet who rest already, the order of the
combination takes. Every leg is a trade between the order of the combination and the leg's order,
at the leg's price, so positions and money stay exact and sum to zero.
"""

from typing import NamedTuple

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of, level_of, opposite_key
from matching.codes import Flag, Stp
from matching.details import visible_lots
from matching.implied_fills import fill_meeting
from matching.implied_prices import NOWHERE, makers_book, price_in, side_for
from matching.implied_wake import BLOCKED, WAITS, wake_combination
from matching.limits import IMPLIED, IMPLIED_FILLS_MAX
from matching.mmp import end_hit_groups
from matching.self_trades import (
    end_idle,
    newer_of,
    prevent_between,
    prevent_self_trade,
    reducible_lots,
)

NONE = np.int64(0)


class Meeting(NamedTuple):
    """An order of a combination, and what it meets."""

    contract_idx: int  # the combination
    side: int  # of its order
    order_idx: int  # which rests here, 0: it is the one that comes
    account_idx: int
    order_id: int
    price_ticks: int  # of the combination
    place: int  # of the leg whose order comes, NOWHERE for none
    taker_account_idx: int
    taker_id: int
    taker_ticks: int


@kernel
def incoming(order, order_id, price_ticks):
    """Return what an order of a combination that comes meets."""
    return Meeting(
        contract_idx=order.contract_idx,
        side=order.book_idx & 1,
        order_idx=NONE,
        account_idx=order.account_idx,
        order_id=order_id,
        price_ticks=price_ticks,
        place=NOWHERE,
        taker_account_idx=NONE,
        taker_id=NONE,
        taker_ticks=NONE,
    )


@kernel
def resting(s, order_idx, price_ticks, place, taker_account_idx, taker_id, taker_ticks):
    """Return what a resting order of a combination meets."""
    record = s.orders[order_idx]
    return Meeting(
        contract_idx=np.int64(record["book_idx"]) >> 1,
        side=np.int64(record["book_idx"]) & 1,
        order_idx=np.int64(order_idx),
        account_idx=np.int64(record["account_idx"]),
        order_id=np.int64(record["order_id"]),
        price_ticks=price_ticks,
        place=np.int64(place),
        taker_account_idx=taker_account_idx,
        taker_id=taker_id,
        taker_ticks=taker_ticks,
    )


@kernel
def best_order(s, book_idx):
    """Return the slot of the best order of a book that is not empty."""
    return np.int64(level_of(s, book_idx, np.int64(s.books[book_idx]["best_key"]))["head"])


@cold_kernel
def first_prevented(s, meeting, stp):
    """Return the first leg's order that may not trade with the combination's, 0 for none.

    The mode is that of the order that comes, else of the newer of the two.
    """
    for place in range(s.contracts[meeting.contract_idx]["legs_count"]):
        if place == meeting.place:
            continue
        maker_idx = best_order(s, makers_book(s, meeting.contract_idx, place, meeting.side))
        if s.orders[maker_idx]["account_idx"] == meeting.account_idx:
            mode = stp
            if meeting.order_idx != 0:
                mode = np.int64(s.orders[newer_of(s, meeting.order_idx, maker_idx)]["stp"])
            if mode != Stp.NONE:
                return maker_idx
    return NONE


@cold_kernel
def lots_of_meeting(s, meeting, left_lots):
    """Return how much a meeting can trade: what shows of each leg's order, at most `left_lots`.

    Returns: 0 after a reduce-only order that has nothing to reduce has been cancelled
    """
    lots = left_lots
    if meeting.order_idx != 0:
        lots = min(lots, np.int64(s.orders[meeting.order_idx]["leaves_lots"]))
    for place in range(s.contracts[meeting.contract_idx]["legs_count"]):
        if place == meeting.place:
            continue
        maker_idx = best_order(s, makers_book(s, meeting.contract_idx, place, meeting.side))
        if (s.orders[maker_idx]["flags"] & Flag.REDUCE_ONLY) != 0:
            reducible = reducible_lots(s, maker_idx, NOWHERE, NONE)
            if reducible == 0:
                end_idle(s, maker_idx)
                return NONE
            lots = min(lots, reducible)
        lots = min(lots, visible_lots(s, maker_idx))
    return lots


@kernel
def meeting_of(s, order, order_id, combination_idx, place, price_ticks):
    """Return what an order that comes meets by an implied price."""
    if place == NOWHERE:
        return incoming(order, order_id, price_ticks)
    side = side_for(s, combination_idx, place, order.book_idx & 1)
    book_idx = 2 * combination_idx + side
    order_idx = best_order(s, book_idx)
    order_ticks = np.int64(key_of(s, side, np.int64(s.books[book_idx]["best_key"])))
    return resting(s, order_idx, order_ticks, place, order.account_idx, order_id, price_ticks)


@cold_kernel
def meet_implied(s, order, order_id, combination_idx, place, key, left_lots):
    """Let an order that comes trade at an implied price, or see to what is in the way of that.

    Returns: lots traded, lots lost to self-trade prevention, gain against the mark in ticks x lots
    """
    price_ticks = np.int64(key_of(s, (order.book_idx & 1) ^ 1, key))
    meeting = meeting_of(s, order, order_id, combination_idx, place, price_ticks)
    rests = meeting.order_idx != 0
    if rests and order.stp != Stp.NONE and meeting.account_idx == order.account_idx:
        return NONE, prevent_self_trade(s, order.stp, meeting.order_idx, left_lots), NONE
    maker_idx = first_prevented(s, meeting, order.stp)
    if maker_idx != 0 and rests:
        prevent_between(s, meeting.order_idx, maker_idx)
        return NONE, NONE, NONE
    if maker_idx != 0:
        return NONE, prevent_self_trade(s, order.stp, maker_idx, left_lots), NONE
    lots = lots_of_meeting(s, meeting, left_lots)
    if lots == 0:
        return NONE, NONE, NONE
    fill_meeting(s, meeting, lots)
    gain_ticks = NONE
    if rests:  # the lots of a combination that comes are booked in its legs already
        gain_ticks = lots * (s.books[order.book_idx ^ 1]["mark_key"] - key)
    return lots, NONE, gain_ticks


@cold_kernel
def meet_resting(s, book_idx, price_ticks):
    """Let the best order of a combination's book take what the legs' best offer."""
    order_idx, none = best_order(s, book_idx), NONE
    meeting = resting(s, order_idx, price_ticks, NOWHERE, none, none, none)
    maker_idx = first_prevented(s, meeting, NONE)
    if maker_idx != 0:
        prevent_between(s, order_idx, maker_idx)
        return
    lots = lots_of_meeting(s, meeting, np.int64(s.orders[order_idx]["leaves_lots"]))
    if lots != 0:
        fill_meeting(s, meeting, lots)


@cold_kernel
def settle_book(s, book_idx, fills):
    """Let a combination's book trade with its legs while they meet.

    Returns: trades so far, at most IMPLIED_FILLS_MAX
    """
    contract_idx, side, book = book_idx >> 1, book_idx & 1, s.books[book_idx]
    while book["best_key"] <= s.meta[0]["price_top"]:
        end_hit_groups(s)
        ticks, allowed = price_in(s, contract_idx, side)
        key = np.int64(key_of(s, side ^ 1, ticks))
        if ticks == 0 or key > opposite_key(s, np.int64(book["best_key"])):
            return fills
        if not allowed:
            s.contracts[contract_idx]["implied_waits"] = BLOCKED
            return fills
        if fills == IMPLIED_FILLS_MAX:
            wake_combination(s, contract_idx)
            return fills
        meet_resting(s, book_idx, ticks)
        fills += 1
    return fills


@cold_kernel
def implied_step(s):
    """See to the first combination that waits, or find that there is none."""
    meta = s.meta[0]
    for contract_idx in range(meta["contracts_count"]):
        contract = s.contracts[contract_idx]
        if contract["implied_waits"] == WAITS:
            contract["implied_waits"] = 0
            if meta["halted"] == 0:
                fills = NONE
                for book_idx in range(2 * contract_idx, 2 * contract_idx + 2):
                    fills = settle_book(s, np.int64(book_idx), fills)
            return
    meta["aftermath"] &= ~IMPLIED
