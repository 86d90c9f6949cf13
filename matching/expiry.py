"""Good-till-date orders: a binary heap of (expiry, order id), and the tick that ends them.

Entries of orders that died otherwise, or whose end was amended, stay until they surface, or until
the heap is full.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.calls import run_calls
from matching.codes import Code, EventKind
from matching.deals import expire_deals
from matching.emit import emit, has_worked
from matching.ending import run_ends
from matching.guards import run_windows
from matching.implied_wake import wake_blocked
from matching.limits import IDLE_POPS_MAX, TIMERS_PER_ACCOUNT
from matching.pool import SLOT_MASK
from matching.timers import entry_id, fire, timer_of
from matching.trade import drop_order


@kernel
def earlier(s, a, b):
    """Return whether entry a goes before entry b."""
    left = s.expiries[a]
    right = s.expiries[b]
    if left["expires_ns"] != right["expires_ns"]:
        return left["expires_ns"] < right["expires_ns"]
    return left["order_id"] < right["order_id"]


@kernel
def swap(s, a, b):
    """Exchange two entries."""
    expires_ns = s.expiries[a]["expires_ns"]
    order_id = s.expiries[a]["order_id"]
    s.expiries[a]["expires_ns"] = s.expiries[b]["expires_ns"]
    s.expiries[a]["order_id"] = s.expiries[b]["order_id"]
    s.expiries[b]["expires_ns"] = expires_ns
    s.expiries[b]["order_id"] = order_id


@kernel
def sift_up(s, place):
    """Let an entry rise to where it belongs."""
    while place > 0:
        parent = (place - 1) >> 1
        if not earlier(s, place, parent):
            break
        swap(s, place, parent)
        place = parent


@kernel
def sift_down(s, count):
    """Let the first entry sink to where it belongs."""
    place = np.int64(0)
    while 2 * place + 1 < count:
        child = 2 * place + 1
        if child + 1 < count and earlier(s, child + 1, child):
            child += 1
        if not earlier(s, child, place):
            break
        swap(s, place, child)
        place = child


@kernel
def still_rests(s, place):
    """Return whether the entry's order is open, and ends then; or its timer waits for it."""
    entry = s.expiries[place]
    if entry["order_id"] < 0:
        return timer_of(s, entry["order_id"])["wake_ns"] == entry["expires_ns"]
    order = s.orders[entry["order_id"] & SLOT_MASK]
    same = order["expires_ns"] == entry["expires_ns"]  # an amendment may have moved its end
    return same and order["order_id"] == entry["order_id"]


@cold_kernel
def push_expiry(s, expires_ns, order_id):
    """Add an entry; there is room."""
    meta = s.meta[0]
    place = meta["expiries_count"]
    meta["expiries_count"] = place + 1
    s.expiries[place]["expires_ns"] = expires_ns
    s.expiries[place]["order_id"] = order_id
    sift_up(s, place)
    meta["next_expiry_ns"] = s.expiries[0]["expires_ns"]


@cold_kernel
def drop_dead_entries(s):
    """Build the heap anew from the orders that end at some time, and the timers that wait."""
    meta = s.meta[0]
    meta["expiries_count"] = 0
    meta["next_expiry_ns"] = 0
    for order_idx in range(1, meta["orders_used"] + 1):
        order = s.orders[order_idx]
        if order["order_id"] != 0 and order["expires_ns"] != 0:
            push_expiry(s, order["expires_ns"], order["order_id"])
    push_timers(s)


@cold_kernel
def push_timers(s):
    """Add an entry for every timer that waits for one."""
    for place in range(TIMERS_PER_ACCOUNT * s.meta[0]["accounts_count"]):
        wake_ns = np.int64(s.timers[place]["wake_ns"])
        if wake_ns != 0:
            push_expiry(s, wake_ns, entry_id(np.int64(place)))


@cold_kernel
def add_expiry(s, expires_ns, order_id):
    """Remember when an open order ends, or a timer is due; fewer of both are there than fit."""
    if s.meta[0]["expiries_count"] == s.meta[0]["expiries_max"]:
        drop_dead_entries(s)  # and find the new one
    else:
        push_expiry(s, expires_ns, order_id)


@kernel
def pop_expiry(s):
    """Remove the first entry."""
    meta = s.meta[0]
    count = meta["expiries_count"] - 1
    meta["expiries_count"] = count
    swap(s, np.int64(0), count)
    sift_down(s, count)
    meta["next_expiry_ns"] = s.expiries[0]["expires_ns"] if count > 0 else np.int64(0)


@cold_kernel
def wake_timer(s, order_id):
    """Fire a timer whose entry surfaced; one that was put off goes back to where it stands now.

    Even if that is past already: what is due before it comes before it.
    """
    timer = timer_of(s, order_id)
    due_ns = np.int64(timer["due_ns"])
    if due_ns > timer["wake_ns"]:
        timer["wake_ns"] = due_ns
        push_expiry(s, due_ns, order_id)
        return
    timer["wake_ns"] = 0
    if due_ns != 0 and fire(s, order_id):
        timer["wake_ns"] = due_ns
        push_expiry(s, due_ns, order_id)


@cold_kernel
def tick(s, cmd):
    """End every order, fire every timer, then end every deal, whose time has come.

    In order of (time, timer or order), then deals, then what is due in calls, then trading. When it
    has caused as many events as one command may, what is left of all but the end of trading waits
    for the next TICK, which is due at once.
    """
    reply = emit(s, EventKind.TICKED, 0, 0)
    expired = expire_orders(s, reply)
    expired += expire_deals(s, reply)
    s.events[reply]["qty_lots"] = expired
    run_calls(s, reply)
    run_ends(s)
    run_windows(s)
    wake_blocked(s)
    return Code.OK


@cold_kernel
def expire_orders(s, reply):
    """End the orders and fire the timers whose time has come; return how many orders ended."""
    meta = s.meta[0]
    expired, idle = np.int64(0), np.int64(0)
    while meta["expiries_count"] > 0 and idle < IDLE_POPS_MAX and not has_worked(s, reply):
        lives = still_rests(s, 0)
        if lives and s.expiries[0]["expires_ns"] > meta["now_ns"]:
            break
        order_id = np.int64(s.expiries[0]["order_id"])
        pop_expiry(s)
        if lives and order_id < 0:
            wake_timer(s, order_id)
        elif lives:
            drop_order(s, order_id & SLOT_MASK, Code.ORDER_EXPIRED)
            expired += 1
        if not lives or order_id < 0:
            idle += 1
    return expired
