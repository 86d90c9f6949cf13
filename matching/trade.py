"""What happens to a resting order: it trades, it loses lots, it ends."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of, unlink
from matching.codes import COMBINED, DETAILED, UNTRIGGERED, Code, EventKind
from matching.days import widen_day
from matching.details import clip_shown
from matching.emit import emit_cancelled, emit_words
from matching.leg_trades import trade_legs
from matching.lots import change_lots
from matching.partners import child_in, drop_waiting, let_go
from matching.pool import disown, free_order_slot
from matching.waiting import open_by_id


@kernel
def end_order(s, order_idx, book_idx, key):
    """Take an order that has no lots left out of everything."""
    unlink(s, order_idx, book_idx, key)
    order = s.orders[order_idx]
    if (order["flags"] & DETAILED) != 0:
        let_go(s, order_idx)
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
    if (order["flags"] & DETAILED) != 0:
        clip_shown(s, order_idx)
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
    place = s.meta[0]["events_count"]
    emit_cancelled(
        s, code, order["account_idx"], book_idx, order["order_id"], price_ticks, lots,
        order["leaves_lots"] - lots,
    )  # fmt: skip
    shrink_order(s, order_idx, lots)
    if (order["flags"] & DETAILED) != 0:  # zero if the order has ended
        s.events[place]["amount_usd_micros"] = s.details[order_idx]["shown_lots"]


@kernel
def cancel_whole(s, order_idx, code):
    """Cancel all that is left of an order, and say so; of a stop that waits, too."""
    order = s.orders[order_idx]
    if (order["flags"] & UNTRIGGERED) != 0:
        drop_waiting(s, order_idx, code)
        return
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
def follow_fill(s, order_idx, taker_id, lots):
    """Do what a fill of a linked order causes: its other leg ends, its children grow.

    A leg that is the taker of this very trade has its own say when it is done.
    """
    detail = s.details[order_idx]
    if detail["link_id"] != taker_id:
        other_idx = open_by_id(s, np.int64(detail["link_id"]))
        if other_idx != 0:
            drop_order(s, other_idx, Code.OTHER_LEG_DONE)
    child_idx = open_by_id(s, np.int64(detail["child_id"]))
    if child_idx != 0:
        s.details[child_idx]["more_lots"] += lots
        child_in(s, child_idx)
        twin_idx = open_by_id(s, np.int64(s.details[child_idx]["link_id"]))
        if twin_idx != 0:
            s.details[twin_idx]["more_lots"] += lots
            child_in(s, twin_idx)


@kernel
def trade(s, order, order_id, maker_idx, key, lots):
    """Fill a resting order, and return the taker's gain against the mark, ticks x lots.

    The lots of a combination go to its legs, on both sides and at once.
    """
    book_idx = order.book_idx ^ 1
    maker = s.orders[maker_idx]
    leaves_lots = maker["leaves_lots"] - lots
    price_ticks = key_of(s, book_idx & 1, key)
    emit_words(
        s, EventKind.TRADE, order.book_idx & 1, Code.OK, order.account_idx, order_id,
        maker["order_id"], order.contract_idx, maker["account_idx"], price_ticks, lots, leaves_lots,
    )  # fmt: skip
    maker["leaves_lots"] = leaves_lots
    maker["filled_lots"] += lots
    contract = s.contracts[order.contract_idx]
    contract["last_trade_ticks"] = price_ticks
    contract["traded"] = 1
    widen_day(s, order.contract_idx, price_ticks)
    booked_lots, gain_ticks = lots, lots * (key - s.books[book_idx]["mark_key"])
    if (order.flags & COMBINED) != 0:
        trade_legs(s, order, order_id, maker_idx, price_ticks, lots)
        booked_lots = gain_ticks = np.int64(0)
    account_idx = np.int64(maker["account_idx"])
    position_idx = np.int64(maker["position_idx"])
    change_lots(s, account_idx, position_idx, book_idx, key, -lots, booked_lots, gain_ticks)
    if (maker["flags"] & DETAILED) != 0:
        follow_fill(s, maker_idx, order_id, lots)
    if leaves_lots == 0:
        end_order(s, maker_idx, book_idx, key)
    return -gain_ticks
