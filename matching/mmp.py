"""Market-maker protection: fills of a quote group are counted in a window; a limit ends its quotes.

The window opens with its first fill and lasts `window_ns`; a fill after its end opens the next.
What a limit ends goes at the end of the same command, before anybody else's order is looked at:
an account has at most one quote a side of a contract, so no quote is met twice before.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching._raw import prefetch
from matching.accounts import account_known
from matching.book import first_group, level_place
from matching.codes import QUOTE_GROUP_SHIFT, Code, EventKind, Flag
from matching.emit import emit
from matching.limits import MMP_LIMIT_MAX, MMP_WINDOW_NS_MAX, QUOTE_GROUPS
from matching.trade import drop_order
from matching.worst import forget_worst

POSITIONS_AHEAD = 6


@kernel
def quote_of(s, position_idx, side):
    """Return the slot of one side of an account's quote of a contract, 0 for none."""
    position = s.positions[position_idx]
    order_idx = np.int64(position["quote_sell_idx"] if side == 1 else position["quote_buy_idx"])
    order = s.orders[order_idx]
    if order["order_id"] == 0 or (order["flags"] & Flag.QUOTE) == 0:
        return np.int64(0)
    if order["position_idx"] != position_idx or (order["book_idx"] & 1) != side:
        return np.int64(0)
    return order_idx


@kernel
def look_at_quotes(s, position_idx):
    """Ask for the memory of both quotes of a position, and return the next position."""
    position = s.positions[position_idx]
    prefetch(s.orders, position["quote_buy_idx"])
    prefetch(s.orders, position["quote_sell_idx"])
    return np.int64(position["next_of_account"])


@kernel
def look_at_levels(s, position_idx):
    """Ask for what both quotes of a position lead to, and return the next position."""
    position = s.positions[position_idx]
    for order_idx in (position["quote_buy_idx"], position["quote_sell_idx"]):
        order = s.orders[order_idx]
        book_idx, key = np.int64(order["book_idx"]), np.int64(order["key"])
        place = level_place(s, book_idx, key)
        prefetch(s.levels, place)
        prefetch(s.words, place >> 6)
        prefetch(s.groups, first_group(s, book_idx) + (key >> 12))
        prefetch(s.books, book_idx)
    prefetch(s.contracts, position["contract_idx"])
    return np.int64(position["next_of_account"])


@cold_kernel
def cancel_group(s, place):
    """Cancel every quote of a group, buy before sell, and return how many.

    The memory of each contract is asked for some positions ahead, and W is left to be taken anew:
    an account may quote in very many contracts, and all its quotes go at once.
    """
    meta, account_idx = s.meta[0], place // QUOTE_GROUPS
    count, scenarios_count = np.int64(0), meta["scenarios_count"]
    position_idx = np.int64(s.accounts[account_idx]["position_head"])
    near_idx = far_idx = position_idx
    for ahead in range(2 * POSITIONS_AHEAD):
        far_idx = look_at_quotes(s, far_idx)
        if ahead < POSITIONS_AHEAD:
            near_idx = look_at_levels(s, near_idx)
    forget_worst(s, account_idx)
    meta["scenarios_count"] = 0  # nobody shifts W meanwhile
    while position_idx != 0:
        near_idx, far_idx = look_at_levels(s, near_idx), look_at_quotes(s, far_idx)
        for side in range(2):
            order_idx = quote_of(s, position_idx, np.int64(side))
            group = (np.int64(s.orders[order_idx]["flags"]) >> QUOTE_GROUP_SHIFT) % QUOTE_GROUPS
            if order_idx != 0 and group == place % QUOTE_GROUPS:
                drop_order(s, order_idx, Code.MMP_TRIGGERED)
                count += 1
        position_idx = np.int64(s.positions[position_idx]["next_of_account"])
    meta["scenarios_count"] = scenarios_count
    return count


@cold_kernel
def end_hit_groups(s):
    """Cancel the quotes of every group that hit a limit in this command, in the order of hits."""
    meta = s.meta[0]
    while meta["mmp_hit"] != 0:
        place = np.int64(meta["mmp_hit"]) - 1
        mmp = s.mmps[place]
        meta["mmp_hit"] = mmp["next_hit"]
        mmp["next_hit"] = 0
        reply = emit(s, EventKind.MMP_HIT, place // QUOTE_GROUPS, -1)
        s.events[reply]["side"] = place % QUOTE_GROUPS
        count = cancel_group(s, place)
        s.events[reply]["qty_lots"] = count


@kernel
def mmp_place(cmd):
    """Return where the protection of a command's group is, -1 for a group there is not."""
    if cmd["state"] < 0 or cmd["state"] >= QUOTE_GROUPS:
        return np.int64(-1)
    return QUOTE_GROUPS * np.int64(cmd["account_idx"]) + np.int64(cmd["state"])


@cold_kernel
def close_window(s, place):
    """Let a group quote again, from zero."""
    mmp = s.mmps[place]
    mmp["frozen"] = 0
    mmp["start_ns"] = 0
    mmp["qty_lots"] = 0
    mmp["delta_lots"] = 0
    mmp["fills"] = 0


@kernel
def emit_mmp_set(s, cmd):
    """Append the reply of a command about a group."""
    reply = emit(s, EventKind.MMP_SET, cmd["account_idx"], -1)
    s.events[reply]["side"] = cmd["state"]


@cold_kernel
def set_mmp(s, cmd):
    """Protect a quote group, or not any more with window 0; a frozen group stays frozen."""
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    place = mmp_place(cmd)
    if place < 0:
        return Code.QUOTE_GROUP_INVALID
    if cmd["expires_ns"] < 0 or cmd["expires_ns"] > MMP_WINDOW_NS_MAX:
        return Code.MMP_INVALID
    any_limit = np.int64(0)
    for limit in (np.int64(cmd["qty_lots"]), np.int64(cmd["order_id"]), np.int64(cmd["ref_id"])):
        if limit < 0 or limit > MMP_LIMIT_MAX:
            return Code.MMP_INVALID
        any_limit |= limit
    if (cmd["expires_ns"] != 0) != (any_limit != 0):
        return Code.MMP_INVALID
    mmp = s.mmps[place]
    mmp["window_ns"] = cmd["expires_ns"]
    mmp["qty_max_lots"] = cmd["qty_lots"]
    mmp["delta_max_lots"] = cmd["order_id"]
    mmp["fills_max"] = cmd["ref_id"]
    emit_mmp_set(s, cmd)
    return Code.OK


@cold_kernel
def reset_mmp(s, cmd):
    """Let a group quote again after a hit, and begin a new window."""
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    place = mmp_place(cmd)
    if place < 0:
        return Code.QUOTE_GROUP_INVALID
    close_window(s, place)
    emit_mmp_set(s, cmd)
    return Code.OK
