"""The margin of an account: worst loss per scenario, updated exactly, and the requirement.

`W[s]` is the loss of the position plus the worst case of all resting orders, which bounds every
subset of fills: L[s] + sum over contracts of B max(0, -R) + A max(0, R), with R the profit of one
long lot, B resting buys and A resting sells. Each change of lots is two numbers, `up` for
scenarios in which the price rises and `down` for the others, so that a vector is passed once.

The requirement is `(IM1 + add-ons) x level + fee reserve`: IM1 is the expected shortfall of W
(tails.py) and the part of its offsets that does not count (alone.py, with add-ons and fees). The
cached bound is never below it: a lot adds at most its unit (units.py), all else only lowers it.
"""

import numpy as np

from matching._jit import cold_kernel, entry_kernel, kernel
from matching.alone import sum_alone
from matching.codes import Code
from matching.legs import legs_lots_if_all_fill
from matching.limits import BOUND_UNKNOWN_USD_MICROS, BPS
from matching.losses import LOSSES_UNKNOWN, know_losses
from matching.state import view_state
from matching.tails import blended
from matching.units import capped, share_up
from matching.worst import freshen
from matching.wrong_way import WRONG_WAY, portfolio_wrong_way

ONE = np.int64(1)
JUDGED_EXACTLY = np.int8(2)  # a bit of ACCOUNT.limited, beside OWN_LIMITS


@cold_kernel
def required(s, account_idx, contract_idx, up_lots, down_lots):
    """Return the requirement of an account with lots of a contract added to what it has."""
    meta = s.meta[0]
    freshen(s, account_idx)
    portfolio = blended(s, account_idx, ONE, contract_idx, up_lots, down_lots)
    level = BPS + s.limits[account_idx]["level_more_bps"]
    wrong_way = s.accounts[account_idx]["limited"] & WRONG_WAY
    if meta["extras"] == 0 and wrong_way == 0:
        return share_up(portfolio, level)
    standalone, addons, fees = sum_alone(s, account_idx, contract_idx, up_lots, down_lots)
    if wrong_way == 0:
        return share_up(capped(s, portfolio, standalone) + addons, level) + fees
    found, times_bps = portfolio_wrong_way(
        s, account_idx, contract_idx, up_lots, down_lots, portfolio, standalone
    )
    return share_up(share_up(found + addons, level), times_bps) + fees


@cold_kernel
def shortfall(s, account_idx, book_idx, more_lots):
    """Return the requirement with `more_lots` more resting on a book, usd micros."""
    know_losses(s, account_idx)
    side = book_idx & 1
    return required(s, account_idx, book_idx >> 1, more_lots * side, more_lots * (1 - side))


@cold_kernel
def shortfall_after_trade(s, account_idx, book_idx, lots):
    """Return the requirement with `lots` traded on the side of a book, usd micros."""
    know_losses(s, account_idx)
    long_lots = lots * (1 - 2 * (book_idx & 1))
    return required(s, account_idx, book_idx >> 1, -long_lots, long_lots)


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
        - account["claims_usd_micros"]
        - loss_usd_micros
    )
    more_lots = max(np.int64(0), lots - order.held_lots)
    bound_usd_micros = account["im_bound_usd_micros"] + more_lots * book["es_unit_usd_micros"]
    return bound_usd_micros, room_usd_micros


@kernel
def bound_holds(s, order, lots):
    """Return whether no lot of the order adds more than its unit.

    Not so beyond the contract's plain lots, and not for an account with orders of combinations
    whose legs have such a number: they count in the legs.
    """
    position = s.positions[order.position_idx]
    held_lots = position["buy_lots"] + position["sell_lots"] + abs(position["qty_lots"])
    plain_lots = s.contracts[order.contract_idx]["plain_lots"]
    if held_lots - order.held_lots + lots > plain_lots:
        return False
    exactly = JUDGED_EXACTLY | WRONG_WAY | LOSSES_UNKNOWN
    return (s.accounts[order.account_idx]["limited"] & exactly) == 0


@kernel
def check_margin(s, order, lots):
    """Return OK and raise the cached bound, or MARGIN_INSUFFICIENT and change nothing.

    The last check of an order. The bound is tried first; nobody is refused without the exact one.
    """
    bound_usd_micros, room_usd_micros = margin_after(s, order, lots)
    if bound_usd_micros <= room_usd_micros and bound_holds(s, order, lots):
        s.accounts[order.account_idx]["im_bound_usd_micros"] = bound_usd_micros
        return Code.OK
    return check_margin_exactly(
        s, order.account_idx, order.position_idx, order.book_idx, lots, order.held_lots,
        room_usd_micros, order.by_legs,
    )  # fmt: skip


@cold_kernel
def only_reduces(s, account_idx, position_idx, book_idx, lots, held_lots, by_legs):
    """Return whether an order only makes positions smaller: its own, or those of its legs."""
    if by_legs == 0:
        return reduces(s, position_idx, book_idx, lots, held_lots)
    most_lots = legs_lots_if_all_fill(s, account_idx, book_idx >> 1, book_idx & 1)
    return most_lots - held_lots + lots <= 0


@cold_kernel
def check_margin_exactly(
    s, account_idx, position_idx, book_idx, lots, held_lots, room_usd_micros, by_legs,
):  # fmt: skip
    """Judge an order by the exact mean of the worst; one that only reduces is always allowed."""
    account = s.accounts[account_idx]
    claims_usd_micros = np.int64(account["claims_usd_micros"])
    after_usd_micros = shortfall(s, account_idx, book_idx, lots - held_lots)
    room_usd_micros += claims_usd_micros - account["claims_usd_micros"]  # unknown until now
    if after_usd_micros > room_usd_micros:
        if not only_reduces(s, account_idx, position_idx, book_idx, lots, held_lots, by_legs):
            return Code.MARGIN_INSUFFICIENT
        if after_usd_micros > shortfall(s, account_idx, book_idx, -held_lots):
            return Code.MARGIN_INSUFFICIENT
    take_bound(s, account_idx, after_usd_micros)
    judge_exactly_from_now(s, account_idx, book_idx >> 1)
    return Code.OK


@kernel
def judge_exactly_from_now(s, account_idx, contract_idx):
    """Mark an account that has orders of a combination whose legs' units do not hold."""
    contract = s.contracts[contract_idx]
    if contract["legs_count"] != 0 and contract["plain_lots"] == 0:
        s.accounts[account_idx]["limited"] |= JUDGED_EXACTLY


@kernel
def forget_bound(s, account_idx):
    """Let the next order of an account be judged by the exact requirement, which then bounds it."""
    s.accounts[account_idx]["im_bound_usd_micros"] = BOUND_UNKNOWN_USD_MICROS


@cold_kernel
def forget_bounds(s):
    """Forget the bound of every account, and whether it is judged exactly: see `take_bound`."""
    for account_idx in range(s.meta[0]["accounts_count"]):
        account = s.accounts[account_idx]
        account["im_bound_usd_micros"] = BOUND_UNKNOWN_USD_MICROS
        account["limited"] &= ~JUDGED_EXACTLY


@cold_kernel
def take_bound(s, account_idx, bound_usd_micros):
    """Write the cached bound of an account.

    Behind an unknown one the matrix may be new: find the orders that its units do not hold for.
    """
    account = s.accounts[account_idx]
    unknown = account["im_bound_usd_micros"] == BOUND_UNKNOWN_USD_MICROS
    account["im_bound_usd_micros"] = bound_usd_micros
    if not unknown or bound_usd_micros == BOUND_UNKNOWN_USD_MICROS:
        return
    position_idx = np.int64(account["position_head"])
    while position_idx != 0:
        position = s.positions[position_idx]
        if position["buy_lots"] != 0 or position["sell_lots"] != 0:
            judge_exactly_from_now(s, account_idx, np.int64(position["contract_idx"]))
        position_idx = np.int64(position["next_of_account"])


@entry_kernel
def requirement(state, account_idx):
    """Return an account's exact requirement, usd micros."""
    none = np.int64(0)
    return required(view_state(state), account_idx, none, none, none)
