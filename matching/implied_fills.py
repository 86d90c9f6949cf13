"""What an implied trade books: the combination's order, and one trade in each leg.

A leg is a trade like any other of its contract: it has its price in the last price, the day's
range and the stops that wait for it.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of, level_of, link_last, unlink
from matching.codes import DETAILED, EventKind, Flag, TriggerBy
from matching.days import widen_day
from matching.details import display_of, show, visible_lots
from matching.emit import emit
from matching.implied_prices import leg_side, makers_book
from matching.leg_trades import book_leg
from matching.legs import leg_of
from matching.lots import change_lots
from matching.quote_fills import note_quote_fill
from matching.trade import end_order, follow_fill
from matching.triggers import see_price

WATCHED_LAST = 1 << TriggerBy.LAST


@cold_kernel
def fill_meeting(s, meeting, lots):
    """Trade a meeting: say so, then book every leg, then the order of the combination."""
    event = s.events[emit(s, EventKind.IMPLIED_TRADE, meeting.account_idx, meeting.contract_idx)]
    event["side"] = meeting.side
    event["order_id"] = meeting.order_id
    event["maker_order_id"] = meeting.taker_id
    event["price_ticks"] = meeting.price_ticks
    event["qty_lots"] = lots
    if meeting.order_idx != 0:
        event["leaves_lots"] = s.orders[meeting.order_idx]["leaves_lots"] - lots
        event["amount_usd_micros"] = 1
    note_price(s, meeting.contract_idx, meeting.price_ticks)
    count = np.int64(s.contracts[meeting.contract_idx]["legs_count"])
    for place in range(count):
        if place == meeting.place:
            fill_taken_leg(s, meeting, lots)
        else:
            fill_leg(s, meeting, np.int64(place), lots)
    if meeting.order_idx != 0:
        fill_combination(s, meeting, lots)
    for place in range(count):
        leg_idx = np.int64(leg_of(s, meeting.contract_idx, place)["contract_idx"])
        if (s.contracts[leg_idx]["watched"] & WATCHED_LAST) != 0:
            last_ticks = np.int64(s.contracts[leg_idx]["last_trade_ticks"])
            see_price(s, leg_idx, np.int64(TriggerBy.LAST), last_ticks)


@kernel
def note_price(s, contract_idx, price_ticks):
    """Remember the price of a trade."""
    contract = s.contracts[contract_idx]
    contract["last_trade_ticks"] = price_ticks
    contract["traded"] = 1
    widen_day(s, contract_idx, price_ticks)


@kernel
def gain_ticks_of(s, contract_idx, side, price_ticks, lots):
    """Return the gain of a side against the mark, ticks x lots."""
    return lots * (s.contracts[contract_idx]["mark_ticks"] - price_ticks) * (1 - 2 * side)


@cold_kernel
def fill_taken_leg(s, meeting, lots):
    """Trade the leg whose order comes: it is booked when all its trades are done."""
    leg_idx = np.int64(leg_of(s, meeting.contract_idx, meeting.place)["contract_idx"])
    side, ticks = (
        leg_side(s, meeting.contract_idx, meeting.place, meeting.side),
        meeting.taker_ticks,
    )
    event = s.events[emit(s, EventKind.IMPLIED_LEG, meeting.taker_account_idx, leg_idx)]
    event["side"] = side ^ 1
    event["order_id"] = meeting.taker_id
    event["maker_order_id"] = meeting.order_id
    event["maker_account_idx"] = meeting.account_idx
    event["price_ticks"] = ticks
    event["qty_lots"] = lots
    note_price(s, leg_idx, ticks)
    gain_ticks = gain_ticks_of(s, leg_idx, side, ticks, lots)
    book_leg(s, meeting.account_idx, leg_idx, side, lots, gain_ticks)


@cold_kernel
def fill_leg(s, meeting, place, lots):
    """Trade a leg with the best order of its book."""
    book_idx = makers_book(s, meeting.contract_idx, place, meeting.side)
    key, leg_idx = np.int64(s.books[book_idx]["best_key"]), book_idx >> 1
    maker_idx = np.int64(level_of(s, book_idx, key)["head"])
    maker, side = s.orders[maker_idx], (book_idx & 1) ^ 1
    ticks, left_lots = key_of(s, book_idx & 1, key), maker["leaves_lots"] - lots
    event_place = emit(s, EventKind.IMPLIED_LEG, meeting.account_idx, leg_idx)
    event = s.events[event_place]
    event["side"] = side
    event["order_id"] = meeting.order_id
    event["maker_order_id"] = maker["order_id"]
    event["maker_account_idx"] = maker["account_idx"]
    event["price_ticks"] = ticks
    event["qty_lots"] = lots
    event["leaves_lots"] = left_lots
    note_price(s, leg_idx, ticks)
    gain_ticks = gain_ticks_of(s, leg_idx, side, ticks, lots)
    book_leg(s, meeting.account_idx, leg_idx, side, lots, gain_ticks)
    account_idx, flags = np.int64(maker["account_idx"]), np.int64(maker["flags"])
    if (flags & Flag.QUOTE) != 0:
        note_quote_fill(s, account_idx, flags, book_idx & 1, lots)
    shown_lots = visible_lots(s, maker_idx) - lots
    maker["leaves_lots"] = left_lots
    maker["filled_lots"] += lots
    position_idx = np.int64(maker["position_idx"])
    change_lots(s, account_idx, position_idx, book_idx, key, -lots, lots, -gain_ticks)
    if (flags & DETAILED) != 0:
        follow_fill(s, maker_idx, meeting.order_id, lots)
        if left_lots > 0 and display_of(s, maker_idx) != 0:
            s.events[event_place]["amount_usd_micros"] = show_on(s, maker_idx, shown_lots)
    if left_lots == 0:
        end_order(s, maker_idx, book_idx, key)


@cold_kernel
def show_on(s, order_idx, shown_lots):
    """Let an iceberg show what is left of its display, or the next, at the back of its level.

    Returns: what it shows now
    """
    detail = s.details[order_idx]
    if shown_lots > 0:
        detail["shown_lots"] = shown_lots
        return shown_lots
    order = s.orders[order_idx]
    unlink(s, order_idx, np.int64(order["book_idx"]), np.int64(order["key"]))
    link_last(s, order_idx, np.int64(order["book_idx"]), np.int64(order["key"]))
    return np.int64(show(s, order_idx, np.int64(detail["display_lots"])))


@cold_kernel
def fill_combination(s, meeting, lots):
    """Take a trade's lots off the combination's order that rests; its legs have them."""
    order_idx, none = meeting.order_idx, np.int64(0)
    order = s.orders[order_idx]
    book_idx, key = np.int64(order["book_idx"]), np.int64(order["key"])
    account_idx, flags = np.int64(order["account_idx"]), np.int64(order["flags"])
    if (flags & Flag.QUOTE) != 0:
        note_quote_fill(s, account_idx, flags, meeting.side, lots)
    order["leaves_lots"] -= lots
    order["filled_lots"] += lots
    position_idx = np.int64(order["position_idx"])
    change_lots(s, account_idx, position_idx, book_idx, key, -lots, none, none)
    if order["leaves_lots"] == 0:
        end_order(s, order_idx, book_idx, key)
