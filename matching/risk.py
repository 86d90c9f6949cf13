"""The margin of an account: worst loss per scenario, updated exactly; the mean of the worst.

`W[s]` is the loss of the position plus the worst case of all resting orders, which bounds every
subset of fills: L[s] + sum over contracts of B max(0, -R) + A max(0, R), with R the profit of one
long lot, B resting buys and A resting sells. Each change of lots is two numbers, `up` for
scenarios in which the price rises and `down` for the others, so that a vector is passed once.

ES(X) is the mean of the n worst scenarios, rounded up, never below zero. The cached bound is
never below the exact figure: ES is sub-additive, every other change only lowers W.
"""

import numpy as np

from matching._jit import cold_kernel, entry_kernel, kernel
from matching.codes import Code
from matching.state import view_state

NEVER = np.int64(-(1 << 62))  # below every loss
ONE = np.int64(1)


@kernel
def shift_worst(s, account_idx, contract_idx, up_lots, down_lots):
    """Add a change of lots to the account's W."""
    meta = s.meta[0]
    scenarios_max = meta["scenarios_max"]
    worst = account_idx * scenarios_max
    shocks = contract_idx * scenarios_max
    for scenario in range(meta["scenarios_count"]):
        profit = s.shocks[shocks + scenario]
        lots = up_lots if profit > 0 else -down_lots
        s.worst[worst + scenario] += profit * lots


@kernel
def shift_resting(s, account_idx, book_idx, lots):
    """Add resting lots of one side to the account's W."""
    side = book_idx & 1
    shift_worst(s, account_idx, book_idx >> 1, lots * side, lots * (1 - side))


@kernel
def four_worst(a, b, c, d, loss):
    """Return the four largest of five, the largest first; four of them are in order."""
    if loss <= d:
        return a, b, c, d
    a, loss = max(a, loss), min(a, loss)
    b, loss = max(b, loss), min(b, loss)
    c, loss = max(c, loss), min(c, loss)
    return a, b, c, max(d, loss)


@kernel
def mean_of_worst(worst_count, a, b, c, d):
    """Return the mean of the first n of four, rounded up, floored at zero."""
    total = np.int64(0)
    if worst_count > 0:
        total += a
    if worst_count > 1:
        total += b
    if worst_count > 2:
        total += c
    if worst_count > 3:
        total += d
    return max(np.int64(0), -(-total // max(ONE, worst_count)))


@cold_kernel
def shortfall(s, account_idx, book_idx, more_lots):
    """Return ES of the account's W with `more_lots` more resting on a book, usd micros."""
    meta = s.meta[0]
    side = book_idx & 1
    up_lots = more_lots * side
    down_lots = more_lots * (1 - side)
    worst = account_idx * meta["scenarios_max"]
    shocks = (book_idx >> 1) * meta["scenarios_max"]
    a = b = c = d = NEVER
    for scenario in range(meta["scenarios_count"]):
        profit = s.shocks[shocks + scenario]
        lots = up_lots if profit > 0 else -down_lots
        loss = s.worst[worst + scenario] + profit * lots
        a, b, c, d = four_worst(a, b, c, d, loss)
    return mean_of_worst(meta["worst_count"], a, b, c, d)


@cold_kernel
def shortfall_after_trade(s, account_idx, book_idx, lots):
    """Return ES of the account's W with `lots` traded on the side of a book, usd micros."""
    meta = s.meta[0]
    long_lots = lots * (1 - 2 * (book_idx & 1))
    worst = account_idx * meta["scenarios_max"]
    shocks = (book_idx >> 1) * meta["scenarios_max"]
    a = b = c = d = NEVER
    for scenario in range(meta["scenarios_count"]):
        loss = s.worst[worst + scenario] - s.shocks[shocks + scenario] * long_lots
        a, b, c, d = four_worst(a, b, c, d, loss)
    return mean_of_worst(meta["worst_count"], a, b, c, d)


@cold_kernel
def shortfall_of_one_lot(s, book_idx):
    """Return the requirement of one resting lot on its own, usd micros."""
    meta = s.meta[0]
    shocks = (book_idx >> 1) * meta["scenarios_max"]
    sign = 1 - 2 * (book_idx & 1)
    a = b = c = d = NEVER
    for scenario in range(meta["scenarios_count"]):
        loss = max(np.int64(0), -sign * s.shocks[shocks + scenario])
        a, b, c, d = four_worst(a, b, c, d, loss)
    return mean_of_worst(meta["worst_count"], a, b, c, d)


@kernel
def price_loss_ticks(s, book_idx, key):
    """Return how much worse than the mark a resting order at this key would trade, ticks."""
    return max(np.int64(0), s.books[book_idx]["mark_key"] - key)


@kernel
def reduces(s, position_idx, book_idx, lots, held_lots):
    """Return whether an order can only make the position smaller, whatever else fills.

    `held_lots` of the same side are about to be taken off the book.
    """
    if position_idx == 0:
        return False
    position = s.positions[position_idx]
    side = book_idx & 1
    resting_lots = position["sell_lots"] if side == 1 else position["buy_lots"]
    opposite_lots = position["qty_lots"] * (2 * side - 1)
    return resting_lots - held_lots + lots <= opposite_lots


@kernel
def margin_after(s, order, lots):
    """Return what would bound the requirement after an order, and the equity left to cover it."""
    account = s.accounts[order.account_idx]
    book = s.books[order.book_idx]
    loss_ticks = price_loss_ticks(s, order.book_idx, order.key)
    loss_usd_micros = lots * order.tick_value * loss_ticks - order.held_loss_usd_micros
    room_usd_micros = (
        account["cash_usd_micros"]
        + account["unsettled_usd_micros"]
        - account["price_loss_usd_micros"]
        - loss_usd_micros
    )
    more_lots = max(np.int64(0), lots - order.held_lots)
    bound_usd_micros = account["im_bound_usd_micros"] + more_lots * book["es_unit_usd_micros"]
    return bound_usd_micros, room_usd_micros


@kernel
def check_margin(s, order, lots):
    """Return OK and raise the cached bound, or MARGIN_INSUFFICIENT and change nothing.

    The last check of an order. The bound is tried first; nobody is refused without the exact one.
    """
    bound_usd_micros, room_usd_micros = margin_after(s, order, lots)
    if bound_usd_micros <= room_usd_micros:
        s.accounts[order.account_idx]["im_bound_usd_micros"] = bound_usd_micros
        return Code.OK
    return check_margin_exactly(
        s, order.account_idx, order.position_idx, order.book_idx, lots, order.held_lots,
        room_usd_micros,
    )  # fmt: skip


@cold_kernel
def check_margin_exactly(s, account_idx, position_idx, book_idx, lots, held_lots, room_usd_micros):
    """Judge an order by the exact mean of the worst; one that only reduces is always allowed."""
    after_usd_micros = shortfall(s, account_idx, book_idx, lots - held_lots)
    if after_usd_micros > room_usd_micros:
        if not reduces(s, position_idx, book_idx, lots, held_lots):
            return Code.MARGIN_INSUFFICIENT
        if after_usd_micros > shortfall(s, account_idx, book_idx, -held_lots):
            return Code.MARGIN_INSUFFICIENT
    s.accounts[account_idx]["im_bound_usd_micros"] = after_usd_micros
    return Code.OK


@entry_kernel
def requirement(state, account_idx):
    """Return an account's exact requirement, usd micros."""
    return shortfall(view_state(state), account_idx, np.int64(0), np.int64(0))
