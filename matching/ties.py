"""What a new order is tied to: the other leg of a pair, or a bracket of two children.

Legs of a pair (one cancels the other): when either fills, in part or whole, or is triggered, the
other ends. A leg that ends otherwise leaves the other alone.

A bracket: a take-profit and a stop, each other's legs, sleep behind their parent. What the parent
fills they may close: they wake with its first fill and grow with each. When one is triggered the
other ends, and so does what is left of the parent. A parent that ends without a fill takes them
with it; one that ends later leaves them.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of, opposite_key
from matching.codes import (
    DETAILED,
    UNTRIGGERED,
    Code,
    EventKind,
    Flag,
    OrderType,
    Side,
    Tif,
    TriggerBy,
)
from matching.partners import child_in
from matching.peg_list import is_peg
from matching.pool import own, take_order_slot
from matching.prices import NO_KEY
from matching.rest import new_order_id
from matching.stops import check_link, link, trigger_of, write_stop
from matching.trade import drop_order
from matching.waiting import emit_stop, open_by_id, rises
from matching.words import low_half


@kernel
def check_bracket(s, cmd, order):
    """Refuse a bracket that is none, that stands on the wrong side, or has no room."""
    stop_ticks, profit_ticks = low_half(cmd["amount_usd_micros"]), low_half(cmd["ref_id"])
    top = s.meta[0]["price_top"]
    if cmd["state"] < TriggerBy.LAST or cmd["state"] > TriggerBy.INDEX:
        return Code.TRIGGER_INVALID
    if (cmd["flags"] & (Flag.LINKED | Flag.REDUCE_ONLY)) != 0:
        return Code.BRACKET_INVALID
    if cmd["order_type"] == OrderType.PEGGED:  # its offset is where the take-profit would be
        return Code.BRACKET_INVALID
    if (stop_ticks | profit_ticks) == 0:
        return Code.BRACKET_INVALID
    if stop_ticks < 0 or stop_ticks > top or profit_ticks < 0 or profit_ticks > top:
        return Code.BRACKET_INVALID
    away = np.int64(1) if cmd["side"] == Side.BUY else np.int64(-1)
    entry_ticks = entry_ticks_of(s, cmd, order)
    # Of a market order, the two stand on either side of where it trades.
    from_ticks = entry_ticks if entry_ticks != 0 else stop_ticks
    if profit_ticks != 0 and from_ticks != 0 and (profit_ticks - from_ticks) * away <= 0:
        return Code.BRACKET_INVALID
    if stop_ticks != 0 and entry_ticks != 0 and (entry_ticks - stop_ticks) * away <= 0:
        return Code.BRACKET_INVALID
    children = (stop_ticks != 0) + np.int64(profit_ticks != 0)
    meta = s.meta[0]
    if s.accounts[order.account_idx]["stops"] + children > meta["stops_max"]:
        return Code.STOPS_FULL
    if s.watches[order.contract_idx]["stops"] + children > meta["contract_stops_max"]:
        return Code.CONTRACT_STOPS_FULL
    if meta["orders_open"] + 1 + children > meta["orders_max"] - 1:
        return Code.BOOK_FULL
    return Code.OK


@kernel
def entry_ticks_of(s, cmd, order):
    """Return the limit of an order that would be a parent, 0 where it has none."""
    if order.order_type == OrderType.MARKET_TO_LIMIT and order.key != NO_KEY:
        return key_of(s, order.book_idx & 1, order.key)
    return np.int64(cmd["price_ticks"])


@cold_kernel
def check_ties(s, cmd, order):
    """Refuse what a new order cannot be tied to."""
    if (order.flags & Flag.BRACKET) != 0:
        return check_bracket(s, cmd, order)
    code = check_link(s, cmd)
    if code == Code.OK and not may_rest_beside(s, cmd, order):
        code = np.int64(Code.LINK_INVALID)
    return code


@cold_kernel
def may_rest_beside(s, cmd, order):
    """Return whether a new order may rest while its other leg does: at most one can trade then.

    They stand on different sides, each at a limit of its own, and do not meet. So no call counts
    both: no price is both within the one and within the other.
    """
    other_idx = open_by_id(s, np.int64(cmd["order_id"]))
    other = s.orders[other_idx]
    if (other["flags"] & UNTRIGGERED) != 0:
        return True
    if order.order_type != OrderType.LIMIT or is_peg(s, other_idx):
        return False
    if other["book_idx"] == order.book_idx:
        return False
    return other["key"] > opposite_key(s, order.key)


@kernel
def would_meet_leg(s, order_idx, key):
    """Return whether a resting order would cross its other leg at another price."""
    if (s.orders[order_idx]["flags"] & DETAILED) == 0:
        return False
    other_idx = open_by_id(s, np.int64(s.details[order_idx]["link_id"]))
    if other_idx == 0 or (s.orders[other_idx]["flags"] & UNTRIGGERED) != 0:
        return False
    return s.orders[other_idx]["key"] <= opposite_key(s, key)


@kernel
def would_pass_child(s, order_idx, key):
    """Return whether another price of an order would be beyond its take-profit or its stop."""
    record = s.orders[order_idx]
    if (record["flags"] & DETAILED) == 0 or key == record["key"]:
        return False
    price_ticks = key_of(s, np.int64(record["book_idx"]) & 1, key)
    child_idx = open_by_id(s, np.int64(s.details[order_idx]["child_id"]))
    if child_idx == 0:
        return False
    twin_idx = open_by_id(s, np.int64(s.details[child_idx]["link_id"]))
    return is_passed(s, child_idx, price_ticks) or (
        twin_idx != 0 and is_passed(s, twin_idx, price_ticks)
    )


@kernel
def is_passed(s, stop_idx, price_ticks):
    """Return whether a price would trigger a stop: at its trigger, or behind it."""
    up = rises(s.details[stop_idx]["trigger"])
    trigger_ticks = key_of(s, up, np.int64(s.orders[stop_idx]["key"]))
    return price_ticks >= trigger_ticks if up != 0 else price_ticks <= trigger_ticks


@cold_kernel
def tie(s, cmd, order, order_idx, order_id, position_idx, leaves_lots, traded_lots):
    """Tie an order that has just matched; its slot is not free yet, whatever is left of it."""
    if (order.flags & Flag.BRACKET) != 0:
        if leaves_lots + traded_lots > 0:
            bracket(s, cmd, order, order_idx, order_id, position_idx, leaves_lots, traded_lots)
    elif traded_lots > 0:
        other_idx = open_by_id(s, np.int64(cmd["order_id"]))
        if other_idx != 0:
            drop_order(s, other_idx, Code.OTHER_LEG_DONE)
    elif leaves_lots > 0 and open_by_id(s, np.int64(cmd["order_id"])) != 0:
        s.orders[order_idx]["flags"] |= DETAILED
        link(s, order_idx, order_id, np.int64(cmd["order_id"]))


@cold_kernel
def bracket(s, cmd, order, order_idx, order_id, position_idx, leaves_lots, traded_lots):
    """Make the children, asleep; what has traded wakes them behind the command."""
    stop_ticks, profit_ticks = low_half(cmd["amount_usd_micros"]), low_half(cmd["ref_id"])
    parent_id = order_id if leaves_lots > 0 else np.int64(0)
    first_idx = np.int64(0)
    for order_type, ticks in (
        (np.int64(OrderType.TAKE_PROFIT), profit_ticks),
        (np.int64(OrderType.STOP), stop_ticks),
    ):
        if ticks != 0:
            child_idx = child(s, cmd, order, position_idx, order_type, ticks, parent_id)
            if first_idx != 0:
                s.details[child_idx]["link_id"] = s.orders[first_idx]["order_id"]
                s.details[first_idx]["link_id"] = s.orders[child_idx]["order_id"]
            else:
                first_idx = child_idx
            emit_stop(s, EventKind.STOP_ACCEPTED, child_idx, 0)
            if traded_lots > 0:
                s.details[child_idx]["more_lots"] = traded_lots
                child_in(s, child_idx)
    if leaves_lots > 0:
        s.orders[order_idx]["flags"] |= DETAILED
        s.details[order_idx]["child_id"] = s.orders[first_idx]["order_id"]


@cold_kernel
def child(s, cmd, parent, position_idx, order_type, trigger_ticks, parent_id):
    """Return the slot of a new child: it closes what its parent opens, at market, and no more."""
    order_idx = take_order_slot(s)
    record = s.orders[order_idx]
    record["tif"] = Tif.GTC
    record["stp"] = parent.stp
    record["flags"] = Flag.REDUCE_ONLY
    record["leaves_lots"] = 0
    trigger = trigger_of(order_type, (parent.book_idx & 1) ^ 1, np.int64(cmd["state"]))
    write_stop(
        s, parent.account_idx, parent.book_idx ^ 1, order_idx, new_order_id(s, order_idx),
        position_idx, order_type, trigger, trigger_ticks,
    )  # fmt: skip
    s.details[order_idx]["parent_id"] = parent_id
    own(s, order_idx, parent.account_idx, position_idx)
    return order_idx
