"""Triggered stops enter, one by one; children of brackets wake and grow with their parent.

A stop that enters is an order that comes now: contract, account, band, position and margin are
judged as of any other, and the same matching follows. A refusal ends it, with the code that the
order would have been refused with.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.admit import Order, admit
from matching.book import key_of, link_last
from matching.codes import (
    DETAILED,
    OF_THE_CORE,
    Code,
    EventKind,
    OrderType,
    Tif,
    TradingState,
)
from matching.details import clear_detail
from matching.emit import emit_cancelled, emit_order
from matching.lifetimes import leave_life, note_life
from matching.limits import STOPS
from matching.match import emit_drops, execute_apart
from matching.partners import child_out, drop_waiting, grow_child, leave_waiting
from matching.pool import disown, free_order_slot
from matching.prices import market_key
from matching.stops import has_limit
from matching.trade import drop_order
from matching.triggers import price_seen, see_price, trades_now
from matching.waiting import SOURCE_MASK, open_by_id


@kernel
def triggered_order(s, order_idx):
    """Return a stop as the order that comes now; a market order gets its limit now."""
    record, detail = s.orders[order_idx], s.details[order_idx]
    book_idx = np.int64(record["book_idx"])
    key = market_key(s, book_idx)
    order_type, tif = np.int64(OrderType.MARKET), np.int64(Tif.IOC)
    if has_limit(detail["order_type"]):
        order_type = np.int64(OrderType.LIMIT)
        key = key_of(s, book_idx & 1, np.int64(detail["limit_ticks"]))
        tif = np.int64(record["tif"])
    return Order(
        account_idx=np.int64(record["account_idx"]),
        contract_idx=book_idx >> 1,
        position_idx=np.int64(record["position_idx"]),
        book_idx=book_idx,
        key=key,
        qty_lots=np.int64(record["leaves_lots"]),
        tick_value=np.int64(s.contracts[book_idx >> 1]["tick_value_usd_micros"]),
        order_type=order_type,
        tif=tif,
        stp=np.int64(record["stp"]),
        flags=np.int64(record["flags"]) & ~OF_THE_CORE,
        display_lots=np.int64(0),
        min_lots=np.int64(0),
        held_lots=np.int64(0),
        held_loss_usd_micros=np.int64(0),
        client=np.int64(0),
        by_legs=np.int64(0),
    )


@cold_kernel
def end_partners(s, order_idx):
    """End the other leg of a pair or bracket, and what is left of a bracket's parent."""
    detail = s.details[order_idx]
    other_idx = open_by_id(s, np.int64(detail["link_id"]))
    parent_idx = open_by_id(s, np.int64(detail["parent_id"]))
    clear_detail(s, order_idx)
    if other_idx != 0:
        s.details[other_idx]["link_id"] = 0
    if parent_idx != 0:
        s.details[parent_idx]["child_id"] = 0
    if other_idx != 0:
        drop_order(s, other_idx, Code.OTHER_LEG_DONE)
    if parent_idx != 0:
        drop_order(s, parent_idx, Code.BRACKET_DONE)


@cold_kernel
def enter_stop(s, order_idx):
    """Let one triggered stop enter."""
    record = s.orders[order_idx]
    order = triggered_order(s, order_idx)
    order_id = np.int64(record["order_id"])
    leave_waiting(s, order_idx)
    s.accounts[order.account_idx]["stops"] -= 1
    s.watches[order.contract_idx]["stops"] -= 1
    reply = s.meta[0]["events_count"]
    price_ticks = key_of(s, order.book_idx & 1, order.key)
    emit_order(
        s, EventKind.TRIGGERED, Code.OK, order.account_idx, order.book_idx, order_id, price_ticks,
        order.qty_lots, 0,
    )  # fmt: skip
    end_partners(s, order_idx)
    record["flags"] = order.flags
    record["leaves_lots"] = 0  # nothing of it rests while it is judged
    code, lots = admit(s, order, False)
    if code != Code.OK:
        emit_cancelled(
            s, code, order.account_idx, order.book_idx, order_id, price_ticks, order.qty_lots, 0
        )
        end_entered(s, order_idx, order)
        return
    leaves_lots, traded_lots, lost_lots, dropped_lots, stopped = execute_apart(
        s, order, order_id, order.position_idx, lots
    )
    if leaves_lots > 0:
        s.events[reply]["leaves_lots"] = leaves_lots
        record["leaves_lots"] = leaves_lots
        record["filled_lots"] = traded_lots
        record["key"] = order.key
        if s.lives[order_idx]["which"] != 0:
            record["flags"] |= DETAILED  # as it waits for the end of a day
        note_life(s, order_idx, np.int64(record["tif"]))
        link_last(s, order_idx, order.book_idx, order.key)
    else:
        end_entered(s, order_idx, order)
    clipped = order.qty_lots - lots
    emit_drops(s, order, order_id, leaves_lots, clipped, lost_lots, dropped_lots, stopped)


@kernel
def end_entered(s, order_idx, order):
    """Free the slot of a triggered order of which nothing rests."""
    leave_life(s, order_idx)
    disown(s, order_idx, order.account_idx, order.position_idx)
    free_order_slot(s, order_idx)


@cold_kernel
def see_to_child(s):
    """Let the next child grow, or end with its parent."""
    child_idx = np.int64(s.meta[0]["children_head"])
    child_out(s, child_idx)
    contract_idx = np.int64(s.orders[child_idx]["book_idx"]) >> 1
    ended = s.contracts[contract_idx]["state"] == TradingState.EXPIRED
    if s.details[child_idx]["more_lots"] > 0 and not ended:
        grow_child(s, child_idx)
        source = np.int64(s.details[child_idx]["trigger"]) & SOURCE_MASK
        see_price(s, contract_idx, source, price_seen(s, contract_idx, source))
    elif s.details[child_idx]["parent_id"] == 0:
        drop_waiting(s, child_idx, Code.PARENT_ENDED)


@kernel
def next_contract(s):
    """Take the first contract off the list of those with triggered stops."""
    meta = s.meta[0]
    watch = s.watches[meta["ready_head"] - 1]
    meta["ready_head"] = watch["next_ready"]
    if watch["next_ready"] == 0:
        meta["ready_tail"] = 0
    watch["next_ready"] = 0
    watch["ready"] = 0


@cold_kernel
def stop_step(s):
    """See to one child, or let one stop enter; a contract that does not trade keeps its queue."""
    meta = s.meta[0]
    if meta["children_head"] != 0:
        see_to_child(s)
    elif meta["ready_head"] != 0:
        contract_idx = meta["ready_head"] - 1
        order_idx = np.int64(s.watches[contract_idx]["queue_head"])
        if order_idx == 0 or not trades_now(s, contract_idx):
            next_contract(s)
        else:
            enter_stop(s, order_idx)
    else:
        meta["aftermath"] &= ~STOPS
