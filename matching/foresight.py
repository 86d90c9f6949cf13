"""Memory asked for ahead of time: what the commands behind the current one will touch.

A command's work is longer than what a processor looks ahead, so each cache miss is waited for.
Two looks help: far ahead at the lines that a command names itself, nearer at those that they lead
to. Nothing here changes anything, and no index needs to be sound. In a market that fits the second
cache only one line is worth what asking for it costs: the order that a command names
(docs/benchmarks-path.md).
"""

import numpy as np

from matching._jit import kernel
from matching._raw import prefetch
from matching.book import key_of, level_place
from matching.pool import SLOT_MASK, first_place

FAR = 15  # commands ahead
NEAR = 10
NEXT = 5
SOON = 4  # of a market that fits the cache
RECORDS_IN_CACHE = 1 << 16  # orders and positions, 64 bytes each


@kernel
def outgrows_cache(s):
    """Return whether looking ahead pays."""
    meta = s.meta[0]
    return meta["orders_used"] + meta["positions_count"] > RECORDS_IN_CACHE


@kernel
def named_level(s, contract_idx, side, price_ticks):
    """Return where a level lies; a place that exists, whatever the words say."""
    meta = s.meta[0]
    contract_idx = contract_idx if contract_idx < meta["contracts_count"] else 0
    book_idx = 2 * max(np.int64(0), contract_idx) + (side & 1)
    return level_place(s, book_idx, key_of(s, side & 1, price_ticks & meta["price_top"]))


@kernel
def look_far(s, account_idx, contract_idx, side, price_ticks, order_id):
    """Ask for the lines that a command names itself.

    A new order names a level and a place in the table of positions, any other command an order.
    All are asked for in any case, since a wrong guess of the branch costs more than a line.
    """
    prefetch(s.levels, named_level(s, contract_idx, side, price_ticks))
    prefetch(s.position_table, first_place(s, account_idx, contract_idx))
    prefetch(s.orders, order_id & SLOT_MASK)


@kernel
def look_near(s, account_idx, contract_idx, side, price_ticks, order_id):
    """Ask for the lines that those lead to: a position and a tail, or a level and neighbours."""
    order_idx = order_id & SLOT_MASK
    order = s.orders[order_idx if order_idx <= s.meta[0]["orders_used"] else 0]
    level = level_place(s, np.int64(order["book_idx"]), order["key"])
    prefetch(s.positions, s.position_table[first_place(s, account_idx, contract_idx)])
    prefetch(s.orders, s.levels[named_level(s, contract_idx, side, price_ticks)]["tail"])
    prefetch(s.positions, order["position_idx"])
    prefetch(s.levels, level)
    prefetch(s.orders, order["next"])
    prefetch(s.orders, order["prev"])
    prefetch(s.orders, order["next_own"])
    prefetch(s.orders, order["prev_own"])


@kernel
def look_next(s, account_idx, contract_idx):
    """Ask for the account's last order in the contract, behind which a new one is put."""
    position_idx = s.position_table[first_place(s, account_idx, contract_idx)]
    prefetch(s.orders, s.positions[position_idx]["order_tail"])


@kernel
def look_at_three(s, rows, place):
    """Ask for the memory of three commands behind `place`, each for what it leads to by now."""
    far, near, following = rows[place + FAR], rows[place + NEAR], rows[place + NEXT]
    look_far(
        s, np.int64(far["account_idx"]), np.int64(far["contract_idx"]), np.int64(far["side"]),
        far["price_ticks"], far["order_id"],
    )  # fmt: skip
    look_near(
        s, np.int64(near["account_idx"]), np.int64(near["contract_idx"]), np.int64(near["side"]),
        near["price_ticks"], near["order_id"],
    )  # fmt: skip
    look_next(s, np.int64(following["account_idx"]), np.int64(following["contract_idx"]))


@kernel
def look_at_one(s, rows, place):
    """Ask for the order that a command behind `place` names."""
    prefetch(s.orders, rows[place + SOON]["order_id"] & SLOT_MASK)


@kernel
def look_ahead(s, rows, place, end, outgrown):
    """Ask for the memory of commands behind `place`; `rows` has commands up to `end`.

    Args:
        outgrown: whether the market is larger than a cache, which changes slowly
    """
    if place + FAR < end:
        if outgrown:
            look_at_three(s, rows, place)
        else:
            look_at_one(s, rows, place)
