"""Pegged orders: they follow the best prices of orders that are not pegged, and never cross.

Behind a command that changed a book, all pegs of its contract are judged anew, the oldest first,
each against the plain orders and the pegs before it: so the outcome depends on nothing but the
book, and looking again changes nothing. While one order sweeps the book, pegs stay where they are.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of, link_last, unlink
from matching.codes import DETAILED, Code, EventKind, TradingState
from matching.details import display_of, show
from matching.emit import emit_order
from matching.implied_wake import wake_implied
from matching.limits import PEGS_MAX
from matching.lots import change_lots
from matching.peg_list import add_peg, next_waking
from matching.prices import NO_KEY, clamped_key, reference_key, wanted_ticks
from matching.risk import price_loss_ticks, reduces, shortfall
from matching.trade import drop_order


@cold_kernel
def follow(s, order_idx, peg, offset_ticks):
    """Make an order that has come to rest a pegged one."""
    detail = s.details[order_idx]
    s.orders[order_idx]["flags"] |= DETAILED
    detail["peg"] = peg
    detail["offset_ticks"] = offset_ticks
    add_peg(s, order_idx)


@cold_kernel
def may_move(s, order_idx, key):
    """Return whether the account's money covers the order at another price.

    Its lots stay, so only the loss against the mark can ask for more.
    """
    order = s.orders[order_idx]
    book_idx, account_idx = np.int64(order["book_idx"]), np.int64(order["account_idx"])
    account, lots = s.accounts[account_idx], np.int64(order["leaves_lots"])
    old_ticks = price_loss_ticks(s, book_idx, np.int64(order["key"]))
    more_ticks = price_loss_ticks(s, book_idx, key) - old_ticks
    if more_ticks <= 0:
        return True
    more_usd_micros = lots * more_ticks * s.contracts[book_idx >> 1]["tick_value_usd_micros"]
    required_usd_micros = shortfall(s, account_idx, book_idx, np.int64(0))
    room_usd_micros = account["cash_usd_micros"] + account["unsettled_usd_micros"]
    room_usd_micros -= account["claims_usd_micros"] + more_usd_micros
    if required_usd_micros <= room_usd_micros:
        return True
    if not reduces(s, np.int64(order["position_idx"]), book_idx, lots, lots):
        return False
    return required_usd_micros <= shortfall(s, account_idx, book_idx, -lots)


@cold_kernel
def move_peg(s, order_idx, key):
    """Put a pegged order at the back of another level, and say so."""
    order = s.orders[order_idx]
    book_idx, old_key = np.int64(order["book_idx"]), np.int64(order["key"])
    account_idx, position_idx = np.int64(order["account_idx"]), np.int64(order["position_idx"])
    lots, none = np.int64(order["leaves_lots"]), np.int64(0)
    place = s.meta[0]["events_count"]
    emit_order(
        s, EventKind.REPRICED, Code.OK, account_idx, book_idx, order["order_id"],
        key_of(s, book_idx & 1, key), lots, lots,
    )  # fmt: skip
    change_lots(s, account_idx, position_idx, book_idx, old_key, -lots, none, none)
    unlink(s, order_idx, book_idx, old_key)
    order["key"] = key
    change_lots(s, account_idx, position_idx, book_idx, key, lots, none, none)
    link_last(s, order_idx, book_idx, key)
    wake_implied(s, book_idx >> 1)
    if display_of(s, order_idx) != 0:
        s.events[place]["amount_usd_micros"] = show(s, order_idx, display_of(s, order_idx))


@kernel
def keep_or_move(s, order_idx, key):
    """Let a peg be where it should; return whether it is still there."""
    if key == NO_KEY:
        drop_order(s, order_idx, Code.NO_REFERENCE_PRICE)
        return False
    if key != s.orders[order_idx]["key"]:
        if not may_move(s, order_idx, key):
            drop_order(s, order_idx, Code.MARGIN_INSUFFICIENT)
            return False
        move_peg(s, order_idx, key)
    return True


@cold_kernel
def judge_pegs(s, contract_idx):
    """Let every peg of a contract be where the book wants it, the oldest first."""
    contract = s.contracts[contract_idx]
    bid_key, ask_key = reference_key(s, 2 * contract_idx), reference_key(s, 2 * contract_idx + 1)
    best_bid_key, best_ask_key = bid_key, ask_key  # with the pegs that are judged already
    place = 0
    while place < contract["pegs"]:
        order_idx = np.int64(s.pegs[contract_idx * PEGS_MAX + place])
        detail, book_idx = s.details[order_idx], np.int64(s.orders[order_idx]["book_idx"])
        side = book_idx & 1
        ticks = wanted_ticks(
            s, bid_key, ask_key, side, np.int64(detail["peg"]), np.int64(detail["offset_ticks"])
        )
        met_key = best_ask_key if side == 0 else best_bid_key
        key = clamped_key(s, book_idx, ticks, met_key)
        if keep_or_move(s, order_idx, key):
            place += 1
            if side == 0:
                best_bid_key = min(best_bid_key, key)
            else:
                best_ask_key = min(best_ask_key, key)


@cold_kernel
def move_next_pegs(s):
    """Judge the pegs of the contract that waits longest; only where there is trading."""
    contract_idx = next_waking(s)
    contract = s.contracts[contract_idx]
    open_now = contract["state"] == TradingState.CONTINUOUS
    open_now |= contract["state"] == TradingState.CLOSE_ONLY
    if open_now and s.meta[0]["halted"] == 0:
        judge_pegs(s, contract_idx)
    contract["peg_waits"] = 0
