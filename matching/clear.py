"""Everything of an account cancelled in one command; of a book, in chunks of known size."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import level_of
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
def cancel_of_position(s, position_idx, side_word, code):
    """Cancel what is meant of one position, oldest first, and return how many."""
    count = np.int64(0)
    order_idx = np.int64(s.positions[position_idx]["order_head"])
    while order_idx != 0:
        following = np.int64(s.orders[order_idx]["next_own"])
        if wanted(s, side_word, order_idx):
            drop_order(s, order_idx, code)
            count += 1
        order_idx = following
    return count


@cold_kernel
def cancel_orders(s, account_idx, contract_idx, side_word, code):
    """Cancel an account's orders: all, or of one contract, or of one side; return how many.

    Contracts in the order in which the account came to them, the oldest order first.
    """
    count = np.int64(0)
    position_idx = np.int64(s.accounts[account_idx]["position_head"])
    while position_idx != 0:
        position = s.positions[position_idx]
        if contract_idx == -1 or contract_idx == position["contract_idx"]:
            count += cancel_of_position(s, position_idx, side_word, code)
        position_idx = np.int64(position["next_of_account"])
    return count


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
