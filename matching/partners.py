"""Who is tied to whom: legs of a pair, children of a bracket and their parent; and how they end.

What an order is tied to stands in its detail. Children that have to be seen to (their parent has
filled, or is gone) stand in a list, and are seen to behind the command.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import EventKind
from matching.emit import emit_cancelled
from matching.lifetimes import leave_life
from matching.limits import STOPS
from matching.pool import disown, free_order_slot
from matching.waiting import (
    ASLEEP,
    IN_LADDER,
    IN_QUEUE,
    emit_stop,
    into_ladder,
    open_by_id,
    out_of_ladder,
    out_of_queue,
    trail_out,
)


@cold_kernel
def child_in(s, order_idx):
    """Let a child of a bracket be seen to behind the command, once."""
    meta = s.meta[0]
    detail = s.details[order_idx]
    meta["aftermath"] |= STOPS
    if detail["listed"] != 0:
        return
    tail = meta["children_tail"]
    detail["listed"] = 1
    detail["next_aside"] = 0
    detail["prev_aside"] = tail
    meta["children_tail"] = order_idx
    if tail != 0:
        s.details[tail]["next_aside"] = order_idx
    else:
        meta["children_head"] = order_idx


@cold_kernel
def child_out(s, order_idx):
    """Take a child out of the list of those to be seen to."""
    meta = s.meta[0]
    detail = s.details[order_idx]
    before, following = np.int64(detail["prev_aside"]), np.int64(detail["next_aside"])
    detail["listed"] = 0
    if before != 0:
        s.details[before]["next_aside"] = following
    else:
        meta["children_head"] = following
    if following != 0:
        s.details[following]["prev_aside"] = before
    else:
        meta["children_tail"] = before


@cold_kernel
def leave_waiting(s, order_idx):
    """Take a stop out of wherever it waits."""
    detail = s.details[order_idx]
    if detail["place"] == IN_LADDER:
        out_of_ladder(s, order_idx)
    elif detail["place"] == IN_QUEUE:
        out_of_queue(s, order_idx)
    if detail["listed"] != 0:
        child_out(s, order_idx)
    elif detail["offset_ticks"] != 0 and detail["place"] == IN_LADDER:
        trail_out(s, order_idx)
    detail["place"] = ASLEEP


@cold_kernel
def let_go(s, order_idx):
    """Tell those that an ending order is linked with: its other leg, its parent, its children.

    Its list of orders that end with a call or a day, too.
    """
    detail = s.details[order_idx]
    other_idx = open_by_id(s, np.int64(detail["link_id"]))
    if other_idx != 0:
        s.details[other_idx]["link_id"] = 0
    parent_idx = open_by_id(s, np.int64(detail["parent_id"]))
    if parent_idx != 0 and s.details[parent_idx]["child_id"] == s.orders[order_idx]["order_id"]:
        s.details[parent_idx]["child_id"] = detail["link_id"]
    child_idx = open_by_id(s, np.int64(detail["child_id"]))
    if child_idx != 0:
        orphan(s, child_idx)
        twin_idx = open_by_id(s, np.int64(s.details[child_idx]["link_id"]))
        if twin_idx != 0:
            orphan(s, twin_idx)
    detail["link_id"] = 0
    detail["parent_id"] = 0
    detail["child_id"] = 0
    leave_life(s, order_idx)


@cold_kernel
def orphan(s, child_idx):
    """Let a child live on without a parent; one that still sleeps then is to be ended."""
    s.details[child_idx]["parent_id"] = 0
    if s.orders[child_idx]["leaves_lots"] == 0:
        child_in(s, child_idx)


@cold_kernel
def drop_waiting(s, order_idx, code):
    """Cancel a stop that waits or sleeps, and say so."""
    order, detail = s.orders[order_idx], s.details[order_idx]
    account_idx = np.int64(order["account_idx"])
    emit_cancelled(
        s, code, account_idx, np.int64(order["book_idx"]), order["order_id"],
        np.int64(detail["limit_ticks"]), np.int64(order["leaves_lots"]), 0,
    )  # fmt: skip
    leave_waiting(s, order_idx)
    let_go(s, order_idx)
    s.accounts[account_idx]["stops"] -= 1
    s.watches[order["book_idx"] >> 1]["stops"] -= 1
    disown(s, order_idx, account_idx, np.int64(order["position_idx"]))
    free_order_slot(s, order_idx)


@kernel
def grow_child(s, child_idx):
    """Give a child the lots that its parent filled; one that slept begins to wait."""
    order, detail = s.orders[child_idx], s.details[child_idx]
    more_lots = np.int64(detail["more_lots"])
    detail["more_lots"] = 0
    order["leaves_lots"] += more_lots
    emit_stop(s, EventKind.STOP_GREW, child_idx, more_lots)
    if detail["place"] == ASLEEP:
        into_ladder(s, child_idx)
