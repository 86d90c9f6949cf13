"""The fill of a combination: all its legs at once, at exact prices.

A spread's leg of the smaller tick value (the first of equals) trades at its mark, and the other one
the differential away, so that the loss against the marks is exactly the tick value of the spread
times ticks. A strip's legs trade away from their marks by the same whole ticks each, and the ticks
that are left over go to the first legs, one each, so that the leg prices sum up to the strip's
price times legs. A leg's price never leaves the domain: then the other legs make up for it.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import EventKind
from matching.emit import emit
from matching.legs import is_spread, leg_of, spread_base
from matching.lots import change_lots
from matching.pool import find_position


@kernel
def within(low, value, high):
    """Return the value, or the end of the range it is beyond."""
    return min(max(low, value), high)


@cold_kernel
def first_leg_ticks(s, contract_idx, difference_ticks):
    """Return the price of a spread's first leg; the second's is less by the differential."""
    one, top = np.int64(1), s.meta[0]["price_top"]
    first = s.contracts[leg_of(s, contract_idx, 0)["contract_idx"]]
    second = s.contracts[leg_of(s, contract_idx, 1)["contract_idx"]]
    if first["tick_value_usd_micros"] <= second["tick_value_usd_micros"]:
        return within(one, first["mark_ticks"] - difference_ticks, top) + difference_ticks
    return within(one, second["mark_ticks"] + difference_ticks, top)


@kernel
def next_leg_ticks(s, mark_ticks, left_ticks, left_marks_ticks, legs_left):
    """Return the price of a strip's next leg.

    Args:
        left_ticks: what the prices of this leg and those behind it must sum up to
        left_marks_ticks: the sum of their marks
    """
    top = s.meta[0]["price_top"]
    away_ticks = -((left_marks_ticks - left_ticks) // legs_left)  # rounded up
    low_ticks = max(np.int64(1), left_ticks - (legs_left - 1) * top)
    high_ticks = min(top, left_ticks - (legs_left - 1))
    return within(low_ticks, mark_ticks + away_ticks, high_ticks)


@cold_kernel
def trade_legs(s, order, order_id, maker_idx, price_ticks, lots):
    """Trade every leg of a combination between taker and maker."""
    contract_idx = order.contract_idx
    if is_spread(s, contract_idx):
        difference_ticks = price_ticks - spread_base(s)
        ticks = first_leg_ticks(s, contract_idx, difference_ticks)
        trade_leg(s, order, order_id, maker_idx, np.int64(0), ticks, lots)
        trade_leg(s, order, order_id, maker_idx, np.int64(1), ticks - difference_ticks, lots)
        return
    legs_left = np.int64(s.contracts[contract_idx]["legs_count"])
    left_ticks, left_marks_ticks = price_ticks * legs_left, np.int64(0)
    for place in range(legs_left):
        leg_idx = leg_of(s, contract_idx, place)["contract_idx"]
        left_marks_ticks += s.contracts[leg_idx]["mark_ticks"]
    place = np.int64(0)
    while legs_left > 0:
        mark_ticks = s.contracts[leg_of(s, contract_idx, place)["contract_idx"]]["mark_ticks"]
        ticks = next_leg_ticks(s, mark_ticks, left_ticks, left_marks_ticks, legs_left)
        trade_leg(s, order, order_id, maker_idx, place, ticks, lots)
        left_ticks -= ticks
        left_marks_ticks -= mark_ticks
        legs_left -= 1
        place += 1


@cold_kernel
def trade_leg(s, order, order_id, maker_idx, place, price_ticks, lots):
    """Trade one leg: say so, and book it on both sides."""
    leg = leg_of(s, order.contract_idx, place)
    leg_idx = np.int64(leg["contract_idx"])
    side = (order.book_idx & 1) ^ (np.int64(1) if leg["ratio"] < 0 else np.int64(0))
    maker = s.orders[maker_idx]
    maker_account_idx = np.int64(maker["account_idx"])
    event = s.events[emit(s, EventKind.LEG_TRADE, order.account_idx, leg_idx)]
    event["side"] = side
    event["order_id"] = order_id
    event["maker_order_id"] = maker["order_id"]
    event["maker_account_idx"] = maker_account_idx
    event["price_ticks"] = price_ticks
    event["qty_lots"] = lots
    gain_ticks = lots * (s.contracts[leg_idx]["mark_ticks"] - price_ticks) * (1 - 2 * side)
    book_leg(s, maker_account_idx, leg_idx, side ^ 1, lots, -gain_ticks)
    book_leg(s, order.account_idx, leg_idx, side, lots, gain_ticks)


@cold_kernel
def book_leg(s, account_idx, leg_idx, side, lots, gain_ticks):
    """Give an account its lots of a leg; its position was opened with its first order."""
    position_idx, none = find_position(s, account_idx, leg_idx), np.int64(0)
    change_lots(s, account_idx, position_idx, 2 * leg_idx + side, none, none, lots, gain_ticks)
