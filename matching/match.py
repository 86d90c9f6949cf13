"""Matching: price, then time, at the maker's price. One loop, either side."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of, level_of, next_key, opposite_key
from matching.codes import (
    COMBINED,
    UNUSUAL,
    Code,
    Flag,
    Stp,
    Tif,
    TradingState,
    TriggerBy,
)
from matching.details import display_of, visible_lots
from matching.emit import emit_cancelled
from matching.guards import NO_KEY, reach_of, report_breach
from matching.icebergs import meet_iceberg
from matching.implied import meet_implied
from matching.implied_prices import NO_OFFER, WAKES, best_offer, implied_for
from matching.implied_wake import let_legs_know
from matching.limits import IMPLIED_FILLS_MAX, LOOK_AHEAD_SHARE, SIDES_OF_LEG
from matching.lots import change_lots
from matching.mmp import end_hit_groups
from matching.quote_fills import note_quote_fill
from matching.self_trades import prevent_self_trade, reducible_lots
from matching.trade import drop_order, trade
from matching.triggers import see_trades

WATCHED_LAST = 1 << TriggerBy.LAST


@cold_kernel
def meet_unusual(s, order, order_id, position_idx, maker_idx, traded_lots, left_lots, turned_idx):
    """Let a taker of `left_lots` meet a maker that does not just trade what it has.

    Returns: lots traded, the taker's gain, and `turned_idx` as `meet_iceberg` has it
    """
    maker = s.orders[maker_idx]
    key, lots = np.int64(maker["key"]), min(left_lots, np.int64(maker["leaves_lots"]))
    if (maker["flags"] & Flag.REDUCE_ONLY) != 0:
        limit_lots = reducible_lots(s, maker_idx, position_idx, traded_lots)
        if limit_lots < lots:
            # Its limit ends the maker here: what is beyond goes right after the trade.
            gain_ticks = np.int64(0)
            if limit_lots > 0:
                gain_ticks += trade(s, order, order_id, maker_idx, key, limit_lots)
            drop_order(s, maker_idx, Code.REDUCE_ONLY_CLIPPED)
            return limit_lots, gain_ticks, turned_idx
    if (maker["flags"] & Flag.QUOTE) != 0:
        side = np.int64(maker["book_idx"]) & 1
        note_quote_fill(s, maker["account_idx"], maker["flags"], side, lots)
        return lots, trade(s, order, order_id, maker_idx, key, lots), turned_idx
    if display_of(s, maker_idx) != 0:
        return meet_iceberg(s, order, order_id, maker_idx, left_lots, turned_idx)
    return lots, trade(s, order, order_id, maker_idx, key, lots), turned_idx


@kernel
def makers_room(s, order):
    """Return how many resting orders a taker may meet: fewer in a combination, for its legs."""
    room = np.int64(s.meta[0]["makers_max"])
    if (order.flags & COMBINED) != 0:
        legs = np.int64(s.contracts[order.contract_idx]["legs_count"])
        room = max(np.int64(1), room // (1 + SIDES_OF_LEG * legs))
    return room


@kernel
def meet_book(s, order, order_id, position_idx, lots, before_lots, limit_key, room):
    """Trade up to `lots` with those who rest within a key, behind `before_lots` traded already.

    Returns: lots left, lots lost to self-trade prevention, gain against the mark in ticks x lots,
        room that is left
    """
    book_idx = order.book_idx ^ 1
    book = s.books[book_idx]
    left_lots = lots
    lost_lots = np.int64(0)
    gain_ticks = np.int64(0)
    turned_idx = np.int64(0)
    while left_lots > 0 and book["best_key"] <= limit_key:
        if room == 0:
            break
        room -= 1
        key = book["best_key"]
        maker_idx = np.int64(level_of(s, book_idx, key)["head"])
        maker = s.orders[maker_idx]
        if order.stp != Stp.NONE and maker["account_idx"] == order.account_idx:
            prevented_lots = prevent_self_trade(s, order.stp, maker_idx, left_lots)
            lost_lots += prevented_lots
            left_lots -= prevented_lots
            continue
        if (maker["flags"] & UNUSUAL) != 0:
            traded_lots, gained_ticks, turned_idx = meet_unusual(
                s, order, order_id, position_idx, maker_idx,
                before_lots + lots - left_lots - lost_lots, left_lots, turned_idx,
            )  # fmt: skip
            left_lots -= traded_lots
            gain_ticks += gained_ticks
            continue
        fill_lots = min(left_lots, np.int64(maker["leaves_lots"]))
        gain_ticks += trade(s, order, order_id, maker_idx, key, fill_lots)
        left_lots -= fill_lots
    return left_lots, lost_lots, gain_ticks, room


@kernel
def match(s, order, order_id, position_idx, lots):
    """Trade up to `lots` against the other side, as long as there is room for one more maker.

    Returns: lots left, lots lost to self-trade prevention, gain against the mark in ticks x lots,
        whether it stopped for want of room
    """
    first_event, limit_key = np.int64(s.meta[0]["events_count"]), reach_of(s, order)
    left_lots, lost_lots, gain_ticks, _ = meet_book(
        s, order, order_id, position_idx, lots, np.int64(0), limit_key, makers_room(s, order)
    )
    stopped = left_lots > 0 and s.books[order.book_idx ^ 1]["best_key"] <= limit_key
    end_match(s, order, left_lots, stopped, first_event)
    return left_lots, lost_lots, gain_ticks, stopped


@kernel
def end_match(s, order, left_lots, stopped, first_event):
    """Have a call started if a guard stopped the order; let stops see the trades."""
    if left_lots > 0 and not stopped and crosses(s, order):
        report_breach(s, order.book_idx ^ 1)
    see_so_far(s, order, first_event)


@kernel
def see_so_far(s, order, first_event):
    """Let stops see the trades since an event; return the event to go on with."""
    if (s.contracts[order.contract_idx]["watched"] & WATCHED_LAST) != 0:
        see_trades(s, order.contract_idx, first_event)
    return np.int64(s.meta[0]["events_count"])


@cold_kernel
def match_with_implied(s, order, order_id, position_idx, lots, before_lots):
    """Trade up to `lots` at the best prices there are: with resting orders, then at implied ones.

    Returns: as `match` does; it stops for want of room behind IMPLIED_FILLS_MAX implied trades too
    """
    book, room = s.books[order.book_idx ^ 1], makers_room(s, order)
    limit_key = opposite_key(s, order.key)
    left_lots, lost_lots, gain_ticks, fills = lots, np.int64(0), np.int64(0), np.int64(0)
    first_event, stopped = np.int64(s.meta[0]["events_count"]), False
    while left_lots > 0 and not stopped:
        end_hit_groups(s)
        reach_key = reach_of(s, order) if book["best_key"] <= limit_key else NO_KEY
        combination_idx, place, key = best_offer(
            s, order.contract_idx, order.book_idx & 1, limit_key, WAKES
        )
        meets = book["best_key"] <= min(reach_key, key)
        if not meets and book["best_key"] <= min(limit_key, key):
            break  # a guard stops it there: it does not go on to worse prices
        if not meets and key == NO_OFFER:
            break
        stopped = room == 0 if meets else fills == IMPLIED_FILLS_MAX
        if stopped:
            break
        if meets:
            traded_lots, worst_key = before_lots + lots - left_lots - lost_lots, min(reach_key, key)
            left_lots, now_lost_lots, now_gain_ticks, room = meet_book(
                s, order, order_id, position_idx, left_lots, traded_lots, worst_key, room
            )
            # It ends for want of room before quotes do that it hit, as where nothing is implied.
            stopped = room == 0 and left_lots > 0 and book["best_key"] <= worst_key
        else:
            first_event = see_so_far(s, order, first_event)  # before the prices of the legs
            now_lots, now_lost_lots, now_gain_ticks = meet_implied(
                s, order, order_id, combination_idx, place, key, left_lots
            )
            left_lots -= now_lots + now_lost_lots
            fills += 1
        lost_lots += now_lost_lots
        gain_ticks += now_gain_ticks
    end_match(s, order, left_lots, stopped, first_event)
    return left_lots, lost_lots, gain_ticks, stopped


@kernel
def crosses(s, order):
    """Return whether any order rests opposite at the limit or better."""
    return s.books[order.book_idx ^ 1]["best_key"] <= opposite_key(s, order.key)


@cold_kernel
def fillable(s, order, lots):
    """Return whether `lots` of an order would surely trade now, with few enough makers.

    Where an order of a level hides lots, the taker goes on to those behind it: all are counted.
    """
    book_idx = order.book_idx ^ 1
    room = max(np.int64(1), makers_room(s, order) // LOOK_AHEAD_SHARE)
    limit_key = reach_of(s, order)
    key = np.int64(s.books[book_idx]["best_key"])
    found_lots = np.int64(0)
    while key <= limit_key:
        maker_idx = level_of(s, book_idx, key)["head"]
        in_turn_lots = found_lots  # what comes before the taker is back at what is hidden here
        while maker_idx != 0:
            if room == 0:
                return False
            room -= 1
            maker = s.orders[maker_idx]
            if order.stp != Stp.NONE and maker["account_idx"] == order.account_idx:
                if order.stp != Stp.CANCEL_OLDEST:
                    return False
            elif (maker["flags"] & Flag.REDUCE_ONLY) == 0:
                found_lots += maker["leaves_lots"]
                in_turn_lots += visible_lots(s, maker_idx)
                if in_turn_lots >= lots:
                    return True
            maker_idx = maker["next"]
        if found_lots >= lots:
            return True
        if key == limit_key:
            return False
        key = next_key(s, book_idx, key + 1)
    return False


@kernel
def may_start(s, order, lots):
    """Return whether as much as an order asks for at least would trade now."""
    if order.tif == Tif.FOK and not fillable(s, order, lots):
        return False
    return order.min_lots == 0 or (order.min_lots <= lots and fillable(s, order, order.min_lots))


@cold_kernel
def may_meet_implied(s, order):
    """Return whether an order may trade at implied prices; fill-or-kill never does."""
    if s.contracts[order.contract_idx]["state"] != TradingState.CONTINUOUS:
        return False
    return order.tif != Tif.FOK and implied_for(s, order.contract_idx)


@kernel
def execute(s, order, order_id, position_idx, lots):
    """Match an admitted order and book what it did.

    Returns: lots that rest, lots traded, lots lost to self-trade prevention, lots dropped, whether
        they were dropped because it met as many resting orders as one may
    """
    left_lots = lots
    lost_lots = np.int64(0)
    gain_ticks = np.int64(0)
    stopped = False
    calling = s.contracts[order.contract_idx]["state"] == TradingState.AUCTION
    implied = s.contracts[order.contract_idx]["implied"] != 0 and may_meet_implied(s, order)
    real_first = not implied or order.min_lots > 0
    if real_first and crosses(s, order) and not calling and may_start(s, order, lots):
        left_lots, lost_lots, gain_ticks, stopped = match(s, order, order_id, position_idx, lots)
    traded_lots = lots - left_lots - lost_lots
    started = order.min_lots == 0 or (traded_lots > 0 and not stopped)
    if implied and left_lots > 0 and started:
        left_lots, more_lost_lots, more_gain_ticks, stopped = match_with_implied(
            s, order, order_id, position_idx, left_lots, traded_lots
        )
        lost_lots += more_lost_lots
        gain_ticks += more_gain_ticks
        traded_lots = lots - left_lots - lost_lots
    ends = order.tif == Tif.IOC or order.tif == Tif.FOK or (order.min_lots > 0 and traded_lots == 0)
    ends |= stopped
    leaves_lots = np.int64(0) if ends else left_lots
    booked_lots = np.int64(0) if (order.flags & COMBINED) != 0 else traded_lots
    change_lots(
        s, order.account_idx, position_idx, order.book_idx, order.key, leaves_lots, booked_lots,
        gain_ticks,
    )  # fmt: skip
    if leaves_lots > 0 and (order.flags & COMBINED) != 0 and implied:
        let_legs_know(s, order.contract_idx)
    return leaves_lots, traded_lots, lost_lots, left_lots - leaves_lots, stopped


@cold_kernel
def execute_apart(s, order, order_id, position_idx, lots):
    """Do as `execute`, off the path of a new order."""
    return execute(s, order, order_id, position_idx, lots)


@cold_kernel
def emit_drops(s, order, order_id, leaves_lots, clipped_lots, lost_lots, dropped_lots, stopped):
    """Say what of the taker's own order is gone, in the order of the rules."""
    remainder = Code.IOC_REMAINDER
    if stopped:
        remainder = Code.MAKERS_LIMIT
    elif order.tif == Tif.FOK:
        remainder = Code.FOK_NOT_FILLABLE
    elif order.min_lots > 0 and clipped_lots + lost_lots + dropped_lots == order.qty_lots:
        remainder = Code.MIN_QUANTITY_NOT_FILLABLE
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
