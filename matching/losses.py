"""What resting orders of an account would lose against the mark, when a mark had no time for them.

A mark that moves more orders than a command has time for leaves the losses of whoever has orders
unknown: a bit of its record says so, and until it is gone nothing of the account takes the short
way of the cached bound. The account's next exact check takes its losses anew, from its own orders;
of an account with more orders than a command may look at, each side of a contract counts as if all
of it rested at that side's best price, which is never less. What is kept meanwhile means nothing,
and goes on by differences that do.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import UNTRIGGERED

LOSSES_UNKNOWN = np.int8(16)  # a bit of ACCOUNT.limited
NONE = np.int64(0)


@kernel
def forget_losses(account):
    """Have the losses of an account taken anew, if it has orders; stops lose nothing yet."""
    if account["open_orders"] != 0:
        account["limited"] |= LOSSES_UNKNOWN


@kernel
def at_best_usd_micros(s, book_idx, lots):
    """Return what lots of a book would lose at its best price."""
    if lots == 0:
        return NONE
    book = s.books[book_idx]
    loss_ticks = max(NONE, np.int64(book["mark_key"]) - np.int64(book["best_key"]))
    return lots * s.contracts[book_idx >> 1]["tick_value_usd_micros"] * loss_ticks


@cold_kernel
def position_at_best(s, position_idx):
    """Return what all that rests with a position would lose at the best price of its side."""
    position = s.positions[position_idx]
    book_idx = 2 * np.int64(position["contract_idx"])
    buys_usd_micros = at_best_usd_micros(s, book_idx, np.int64(position["buy_lots"]))
    return buys_usd_micros + at_best_usd_micros(s, book_idx + 1, np.int64(position["sell_lots"]))


@cold_kernel
def losses_at_best(s, account_idx):
    """Return what everything that rests of an account would lose at best prices: the most."""
    most_usd_micros = NONE
    position_idx = np.int64(s.accounts[account_idx]["position_head"])
    while position_idx != 0:
        most_usd_micros += position_at_best(s, position_idx)
        position_idx = np.int64(s.positions[position_idx]["next_of_account"])
    return most_usd_micros


@cold_kernel
def losses_of_orders(s, account_idx):
    """Return what an account's resting orders lose, each at its own price."""
    loss_usd_micros = NONE
    position_idx = np.int64(s.accounts[account_idx]["position_head"])
    while position_idx != 0:
        position = s.positions[position_idx]
        tick_value = s.contracts[position["contract_idx"]]["tick_value_usd_micros"]
        order_idx = NONE
        if position_at_best(s, position_idx) != 0:
            order_idx = np.int64(position["order_head"])
        while order_idx != 0:
            order = s.orders[order_idx]
            if (order["flags"] & UNTRIGGERED) == 0:
                ticks = np.int64(s.books[order["book_idx"]]["mark_key"]) - order["key"]
                loss_usd_micros += order["leaves_lots"] * tick_value * max(NONE, ticks)
            order_idx = np.int64(order["next_own"])
        position_idx = np.int64(position["next_of_account"])
    return loss_usd_micros


@cold_kernel
def know_losses(s, account_idx):
    """Take unknown losses of an account anew, or the most they can be if it has many orders."""
    account, meta = s.accounts[account_idx], s.meta[0]
    if (account["limited"] & LOSSES_UNKNOWN) == 0:
        return
    loss_usd_micros = losses_at_best(s, account_idx)
    if loss_usd_micros == 0:
        account["limited"] &= ~LOSSES_UNKNOWN
    elif account["open_orders"] <= meta["cancels_max"]:
        account["limited"] &= ~LOSSES_UNKNOWN
        loss_usd_micros = losses_of_orders(s, account_idx)
        meta["orders_valued"] += account["open_orders"]
    counted_usd_micros = s.collaterals[account_idx]["counted_usd_micros"]
    account["claims_usd_micros"] = loss_usd_micros - counted_usd_micros
