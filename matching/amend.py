"""Amendments: in place when an order only gets smaller, else it comes again at the back."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.admit import Order, admit
from matching.book import key_of, link_last, unlink
from matching.codes import AccountState, Code, EventKind, Flag
from matching.emit import emit_order
from matching.lots import change_lots
from matching.match import drop_order, emit_drops, execute, shrink_order
from matching.orders import named_order
from matching.pool import (
    disown,
    free_order_slot,
)
from matching.risk import price_loss_ticks


@kernel
def amended_total(cmd, record):
    """Return the new total size, which has not been judged yet."""
    qty_lots = np.int64(cmd["qty_lots"])
    if (cmd["flags"] & Flag.QTY_IS_OPEN) != 0:
        return record["filled_lots"] + qty_lots
    if qty_lots == 0:
        return np.int64(record["filled_lots"]) + record["leaves_lots"]
    return max(np.int64(0), qty_lots)


@kernel
def check_amend_words(s, cmd, record, total_lots):
    """Refuse an amendment that makes no sense in any state of the market."""
    if (cmd["flags"] & ~Flag.QTY_IS_OPEN) != 0:
        return Code.FLAGS_INVALID
    is_open = (cmd["flags"] & Flag.QTY_IS_OPEN) != 0
    if cmd["qty_lots"] < -1 or (is_open and cmd["qty_lots"] < 0):
        return Code.QTY_NOT_POSITIVE
    contract = s.contracts[record["book_idx"] >> 1]
    keeps_qty = cmd["qty_lots"] == 0 and not is_open
    # The words themselves first: filled + open of an absurd size would have wrapped.
    if cmd["qty_lots"] > contract["qty_max_lots"]:
        return Code.QTY_TOO_LARGE
    if not keeps_qty and total_lots > contract["qty_max_lots"]:
        return Code.QTY_TOO_LARGE
    if cmd["price_ticks"] < 0 or cmd["price_ticks"] > s.meta[0]["price_top"]:
        return Code.PRICE_INVALID
    side = np.int64(record["book_idx"]) & 1
    old_price_ticks = key_of(s, side, np.int64(record["key"]))
    keeps_price = cmd["price_ticks"] == 0 or cmd["price_ticks"] == old_price_ticks
    if keeps_price and total_lots == np.int64(record["filled_lots"]) + record["leaves_lots"]:
        return Code.AMEND_CHANGES_NOTHING
    return Code.OK


@cold_kernel
def amend(s, cmd):
    """Change price or size of a resting order; priority is kept only by a smaller size."""
    if cmd["account_idx"] < 0 or cmd["account_idx"] >= s.meta[0]["accounts_count"]:
        return Code.ACCOUNT_UNKNOWN
    order_idx = named_order(s, cmd)
    if order_idx == 0:
        return Code.ORDER_UNKNOWN
    record = s.orders[order_idx]
    s.meta[0]["named_order_id"] = record["order_id"]
    total_lots = amended_total(cmd, record)
    code = check_amend_words(s, cmd, record, total_lots)
    if code != Code.OK:
        return code
    key = np.int64(record["key"])
    if cmd["price_ticks"] != 0:
        key = key_of(s, np.int64(record["book_idx"]) & 1, np.int64(cmd["price_ticks"]))
    open_lots = total_lots - record["filled_lots"]
    if open_lots <= 0:
        amend_to_nothing(s, order_idx)
        return Code.OK
    if key == record["key"] and open_lots < record["leaves_lots"]:
        amend_in_place(s, order_idx, total_lots, open_lots)
        return Code.OK
    return amend_by_moving(s, order_idx, key, total_lots, open_lots)


@kernel
def emit_amended(s, order_idx, key, total_lots, leaves_lots):
    """Append the reply to an amendment."""
    record = s.orders[order_idx]
    book_idx = np.int64(record["book_idx"])
    emit_order(
        s, EventKind.AMENDED, Code.OK, record["account_idx"], book_idx, record["order_id"],
        key_of(s, book_idx & 1, key), total_lots, leaves_lots,
    )  # fmt: skip


@kernel
def amend_to_nothing(s, order_idx):
    """End an order whose new size is already filled."""
    record = s.orders[order_idx]
    emit_amended(s, order_idx, np.int64(record["key"]), np.int64(record["filled_lots"]), 0)
    drop_order(s, order_idx, Code.AMENDED_BELOW_FILLED)


@kernel
def amend_in_place(s, order_idx, total_lots, open_lots):
    """Make an order smaller where it stands."""
    record = s.orders[order_idx]
    emit_amended(s, order_idx, np.int64(record["key"]), total_lots, open_lots)
    shrink_order(s, order_idx, record["leaves_lots"] - open_lots)


@kernel
def order_again(s, record, key, open_lots):
    """Return a resting order as the order it would be with a new price and open size."""
    book_idx = np.int64(record["book_idx"])
    held_lots = np.int64(record["leaves_lots"])
    tick_value = np.int64(s.contracts[book_idx >> 1]["tick_value_usd_micros"])
    held_ticks = price_loss_ticks(s, book_idx, np.int64(record["key"]))
    return Order(
        account_idx=np.int64(record["account_idx"]),
        contract_idx=book_idx >> 1,
        position_idx=np.int64(record["position_idx"]),
        book_idx=book_idx,
        key=key,
        qty_lots=np.int64(open_lots),
        tick_value=tick_value,
        tif=np.int64(record["tif"]),
        stp=np.int64(record["stp"]),
        flags=np.int64(record["flags"]),
        held_lots=held_lots,
        held_loss_usd_micros=held_lots * tick_value * held_ticks,
        client=np.int64(0),
    )


@cold_kernel
def amend_by_moving(s, order_idx, key, total_lots, open_lots):
    """Take an order off the book and let it come again, at the back, with its old id."""
    record = s.orders[order_idx]
    order = order_again(s, record, key, open_lots)
    if s.accounts[order.account_idx]["state"] == AccountState.FROZEN:
        return Code.ACCOUNT_FROZEN
    code, lots = admit(s, order, False)
    if code != Code.OK:
        return code
    # From here the amendment must succeed.
    lift(s, order_idx, order)
    order_id = np.int64(record["order_id"])
    reply = s.meta[0]["events_count"]
    emit_amended(s, order_idx, key, total_lots, 0)
    leaves_lots, traded_lots, lost_lots, dropped_lots = execute(
        s, order, order_id, order.position_idx, lots
    )
    record["leaves_lots"] = leaves_lots
    record["filled_lots"] += traded_lots
    record["key"] = key
    if leaves_lots > 0:
        s.events[reply]["leaves_lots"] = leaves_lots
        link_last(s, order_idx, order.book_idx, key)
    else:
        disown(s, order_idx, order.account_idx, order.position_idx)
        free_order_slot(s, order_idx)
    emit_drops(s, order, order_id, leaves_lots, order.qty_lots - lots, lost_lots, dropped_lots)
    return Code.OK


@kernel
def lift(s, order_idx, order):
    """Take an order's lots off the book and the account; its place in its own list stays."""
    old_key = np.int64(s.orders[order_idx]["key"])
    change_lots(
        s, order.account_idx, order.position_idx, order.book_idx, old_key, -order.held_lots, 0, 0
    )
    unlink(s, order_idx, order.book_idx, old_key)
