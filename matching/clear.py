"""Everything of an account cancelled in one command; of a book, in chunks of known size."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import level_of
from matching.pool import find_order
from matching.state import STOP_BOOKS
from matching.trade import drop_order
from matching.waiting import stop_book

BOTH_SIDES = np.int64(0)  # else side + 1
ALL_CONTRACTS = np.int64(-1)


@kernel
def wanted(s, side_word, order_idx):
    """Return whether an order is of the side meant: 0 for both, or side + 1."""
    return side_word == 0 or side_word == (s.orders[order_idx]["book_idx"] & 1) + 1


@cold_kernel
def cancel_orders(s, account_idx, contract_idx, side_word, behind_id, code):
    """Cancel an account's orders: all, or of one contract, or of one side, behind one of them or 0.

    Contracts in the order in which the account came to them, the oldest order first. It looks at
    META.cancels_max orders at most.

    Returns: how many were cancelled, and whether there is more to look at
        the id of the order to go on behind, 0 for the first
    """
    count, room = np.int64(0), np.int64(s.meta[0]["cancels_max"])
    position_idx = np.int64(s.accounts[account_idx]["position_head"])
    order_idx = np.int64(s.positions[position_idx]["order_head"])
    behind_idx = find_order(s, account_idx, behind_id)
    if behind_idx == 0:
        behind_id = np.int64(0)
    else:
        position_idx = np.int64(s.orders[behind_idx]["position_idx"])
        order_idx = np.int64(s.orders[behind_idx]["next_own"])
    while position_idx != 0:
        position = s.positions[position_idx]
        if contract_idx != -1 and contract_idx != position["contract_idx"]:
            order_idx = np.int64(0)
        while order_idx != 0:
            if room == 0:
                return count, True, behind_id
            room -= 1
            following = np.int64(s.orders[order_idx]["next_own"])
            if wanted(s, side_word, order_idx):
                drop_order(s, order_idx, code)
                count += 1
            else:
                behind_id = np.int64(s.orders[order_idx]["order_id"])
            order_idx = following
        position_idx = np.int64(position["next_of_account"])
        order_idx = np.int64(s.positions[position_idx]["order_head"])
    return count, False, np.int64(0)


@kernel
def say_cancelled(s, reply, account_idx, count, more, behind_id):
    """Write into a reply how many orders went and, if there is more to look at, where to go on."""
    event = s.events[reply]
    event["qty_lots"] = count
    if more:
        event["leaves_lots"] = s.accounts[account_idx]["open_orders"]
        event["order_id"] = behind_id


@cold_kernel
def cancel_of_book(s, book_idx, count_max, code):
    """Cancel at most so many orders of a book, best price first, then by time; return how many."""
    book = s.books[book_idx]
    count = np.int64(0)
    while count < count_max and book["best_key"] <= s.meta[0]["price_top"]:
        drop_order(s, np.int64(level_of(s, book_idx, book["best_key"])["head"]), code)
        count += 1
    return count


@cold_kernel
def cancel_of_stops(s, contract_idx, count_max, code):
    """Cancel at most so many stops of a contract; return how many.

    Those triggered first, in their turn; then ladder by ladder, the first to be triggered first.
    """
    watch = s.watches[contract_idx]
    count = np.int64(0)
    while count < count_max and watch["queue_head"] != 0:
        drop_order(s, np.int64(watch["queue_head"]), code)
        count += 1
    first_book_idx = stop_book(s, contract_idx, np.int64(0), np.int64(0))
    for book_idx in range(first_book_idx, first_book_idx + STOP_BOOKS):
        count += cancel_of_book(s, book_idx, count_max - count, code)
    return count
