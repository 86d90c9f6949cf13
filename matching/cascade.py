"""A cascade: a year becomes its first months and later quarters, a quarter or a month its parts.

Each lot of the parent becomes a lot of each child, at the price that the parent was settled at
last. Tick values of the children add up to the parent's, so every sum of money and hours stays.
Margin is not asked: nobody chose it. Lots go by pairs of one long and one short holder, so that
every contract's positions sum to zero whenever a command has done its part.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.blocks import book_side
from matching.codes import Code, EventKind, Side, TradingState
from matching.contracts import contract_known
from matching.emit import emit, has_worked
from matching.limits import BOUND_UNKNOWN_USD_MICROS, CASCADE_LOTS_MAX, CHILDREN_MAX
from matching.pool import find_position
from matching.uncross import EVENT_LOTS_MAX
from matching.words import low_half

NONE = np.int64(0)
CHILDREN_PER_WORD = 4


@kernel
def word_of(cmd, place):
    """Return a word of those that name the children."""
    if place == 0:
        return np.int64(cmd["price_ticks"])
    if place == 1:
        return np.int64(cmd["qty_lots"])
    if place == 2:
        return np.int64(cmd["amount_usd_micros"])
    if place == 3:
        return np.int64(cmd["expires_ns"])
    if place == 4:
        return np.int64(cmd["client_a"])
    if place == 5:
        return np.int64(cmd["client_b"])
    if place == 6:
        return np.int64(cmd["client_c"])
    return np.int64(cmd["client_d"])


@cold_kernel
def child_at(cmd, place):
    """Return the index of a contract that follows, -1 behind the last one."""
    if place >= CHILDREN_MAX:
        return np.int64(-1)
    named = word_of(cmd, place // CHILDREN_PER_WORD) >> (16 * (place % CHILDREN_PER_WORD))
    return (low_half(named) & 0xFFFF) - 1


@cold_kernel
def check_children(s, cmd, parent_idx):
    """Refuse contracts that are not, together, what the parent is."""
    parent = s.contracts[parent_idx]
    tick_value, before_idx, count = NONE, np.int64(-1), 0
    child_idx = child_at(cmd, 0)
    while child_idx >= 0:
        if child_idx <= before_idx or child_idx >= s.meta[0]["contracts_count"]:
            return Code.CASCADE_INVALID
        child = s.contracts[child_idx]
        if child["legs_count"] != 0 or child_idx == parent_idx:
            return Code.CASCADE_INVALID
        if child["state"] == TradingState.EXPIRED or child["delivers"] != 0:
            return Code.CASCADE_CHILD_ENDED
        if child["open_interest_lots"] + parent["open_interest_lots"] > CASCADE_LOTS_MAX:
            return Code.CASCADE_TOO_LARGE
        tick_value += child["tick_value_usd_micros"]
        before_idx, count = child_idx, count + 1
        child_idx = child_at(cmd, count)
    if count == 0 or tick_value != parent["tick_value_usd_micros"]:
        return Code.CASCADE_INVALID
    return Code.OK


@cold_kernel
def owes_nothing(s, contract_idx):
    """Return whether every position of a contract is paid up."""
    position_idx = np.int64(s.contracts[contract_idx]["position_head"])
    while position_idx != 0:
        if s.positions[position_idx]["unsettled_usd_micros"] != 0:
            return False
        position_idx = np.int64(s.positions[position_idx]["next_of_contract"])
    return True


@cold_kernel
def next_holder(s, position_idx, sign):
    """Return the first position from here on that is long (1) or short (-1), 0 for none."""
    while position_idx != 0 and s.positions[position_idx]["qty_lots"] * sign <= 0:
        position_idx = np.int64(s.positions[position_idx]["next_of_contract"])
    return position_idx


@cold_kernel
def has_room(s, cmd, long_idx, short_idx):
    """Return whether the positions that two accounts will need can be opened."""
    meta, missing, place = s.meta[0], 0, 0
    child_idx = child_at(cmd, 0)
    while child_idx >= 0:
        for position_idx in (long_idx, short_idx):
            account_idx = np.int64(s.positions[position_idx]["account_idx"])
            missing += find_position(s, account_idx, child_idx) == 0
        place += 1
        child_idx = child_at(cmd, place)
    return meta["positions_count"] + missing <= meta["positions_max"] - 1


@cold_kernel
def move_pair(s, contract_idx, buyer_idx, seller_idx, price_ticks, lots):
    """Let one account buy lots of another at a price, whatever their margin, and say so."""
    event = s.events[emit(s, EventKind.CASCADE_MOVED, buyer_idx, contract_idx)]
    event["side"] = Side.BUY
    event["maker_account_idx"] = seller_idx
    event["price_ticks"] = price_ticks
    event["qty_lots"] = lots
    buy_book = 2 * contract_idx + Side.BUY
    for account_idx, book_idx in ((buyer_idx, buy_book), (seller_idx, buy_book + 1)):
        position_idx = find_position(s, account_idx, contract_idx)
        # Where it ends up is seen when the account comes next.
        unknown = np.int64(BOUND_UNKNOWN_USD_MICROS)
        book_side(s, account_idx, position_idx, book_idx, price_ticks, lots, unknown)


@cold_kernel
def cascade_pair(s, cmd, parent_idx, long_idx, short_idx):
    """Move all that a long and a short holder have in common; return how many lots."""
    price_ticks = np.int64(s.contracts[parent_idx]["mark_ticks"])
    long, short = s.positions[long_idx], s.positions[short_idx]
    lots = min(np.int64(long["qty_lots"]), -np.int64(short["qty_lots"]))
    buyer_idx, seller_idx = np.int64(long["account_idx"]), np.int64(short["account_idx"])
    move_pair(s, parent_idx, seller_idx, buyer_idx, price_ticks, lots)
    place = 0
    child_idx = child_at(cmd, 0)
    while child_idx >= 0:
        move_pair(s, child_idx, buyer_idx, seller_idx, price_ticks, lots)
        place += 1
        child_idx = child_at(cmd, place)
    return lots


@cold_kernel
def check_cascade(s, cmd):
    """Refuse a cascade that is not sound, or not due."""
    if not contract_known(s, cmd):
        return Code.CONTRACT_UNKNOWN
    parent_idx = np.int64(cmd["contract_idx"])
    parent = s.contracts[parent_idx]
    if parent["legs_count"] != 0:
        return Code.COMBINATION_FOLLOWS_LEGS
    if parent["state"] != TradingState.EXPIRED:
        return Code.CONTRACT_NOT_EXPIRED
    if parent["delivers"] != 0:
        return Code.CONTRACT_IN_DELIVERY
    code = check_children(s, cmd, parent_idx)
    if code != Code.OK:
        return code
    return Code.OK if owes_nothing(s, parent_idx) else Code.CASCADE_UNSETTLED


@cold_kernel
def cascade(s, cmd):
    """Move positions of an expired contract into those that follow it, as many as a command may.

    What is left waits for the next CASCADE: the reply says how many lots there are. One of a
    contract that nobody holds does nothing, so it may be repeated.
    """
    code = check_cascade(s, cmd)
    if code != Code.OK:
        return code
    parent_idx = np.int64(cmd["contract_idx"])
    parent = s.contracts[parent_idx]
    long_idx = next_holder(s, np.int64(parent["position_head"]), 1)
    short_idx = next_holder(s, np.int64(parent["position_head"]), -1)
    if long_idx != 0 and not has_room(s, cmd, long_idx, short_idx):
        return Code.POSITIONS_FULL
    # From here it must succeed.
    reply, moved_lots = emit(s, EventKind.CASCADED, 0, parent_idx), NONE
    while long_idx != 0 and not has_worked(s, reply) and has_room(s, cmd, long_idx, short_idx):
        moved_lots += cascade_pair(s, cmd, parent_idx, long_idx, short_idx)
        long_idx, short_idx = next_holder(s, long_idx, 1), next_holder(s, short_idx, -1)
    event = s.events[reply]
    event["price_ticks"] = np.int64(parent["mark_ticks"])
    event["qty_lots"] = min(EVENT_LOTS_MAX, moved_lots)
    event["leaves_lots"] = min(EVENT_LOTS_MAX, np.int64(parent["open_interest_lots"]))
    return Code.OK
