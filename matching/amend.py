"""Amendments: in place when an order only gets or shows less, else it comes again at the back."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.admit import Order, admit
from matching.amend_stops import amend_stop, names_trigger
from matching.book import key_of, link_last, unlink
from matching.codes import (
    COMBINED,
    DETAILED,
    MARKET_ORDER,
    PLACE_FLAGS,
    AccountState,
    Code,
    EventKind,
    Flag,
    OrderType,
)
from matching.details import clip_shown, display_of, show
from matching.emit import emit_order
from matching.expiry import add_expiry
from matching.lifetimes import leave_life, note_life
from matching.lots import change_lots
from matching.match import emit_drops, execute_apart
from matching.orders import named_order
from matching.partners import let_go
from matching.pool import disown, free_order_slot
from matching.risk import price_loss_ticks
from matching.terms import (
    amended_terms,
    check_amend_words,
    check_terms,
    in_sight,
    only_size_differs,
)
from matching.ties import would_meet_leg, would_pass_child
from matching.trade import drop_order, follow_fill, shrink_order
from matching.waiting import waits

NOBODY = np.int64(-1)  # no order's id


@cold_kernel
def amend(s, cmd):
    """Change a resting order; priority is kept only by a smaller size or a smaller display."""
    if cmd["account_idx"] < 0 or cmd["account_idx"] >= s.meta[0]["accounts_count"]:
        return Code.ACCOUNT_UNKNOWN
    order_idx = named_order(s, cmd)
    if order_idx == 0:
        return Code.ORDER_UNKNOWN
    record = s.orders[order_idx]
    s.meta[0]["named_order_id"] = record["order_id"]
    if (record["flags"] & Flag.QUOTE) != 0:
        return Code.QUOTE_NOT_AMENDABLE
    if waits(s, order_idx):
        return amend_stop(s, cmd, order_idx)
    if names_trigger(cmd):
        return Code.NOT_WAITING
    terms = amended_terms(s, cmd, order_idx)
    code = check_amend_words(s, cmd, record, terms.total_lots)
    if code == Code.OK:
        code = check_terms(s, cmd, record, terms)
    if code == Code.OK and terms.display_lots != 0 and is_leg(s, order_idx):
        code = Code.DISPLAY_INVALID
    if code == Code.OK and would_meet_leg(s, order_idx, terms.key):
        code = Code.LINK_INVALID
    if code == Code.OK and would_pass_child(s, order_idx, terms.key):
        code = Code.BRACKET_INVALID
    if code != Code.OK:
        return code
    old_display_lots = np.int64(display_of(s, order_idx))
    size_only = only_size_differs(s, order_idx, terms)
    same_display = terms.display_lots == old_display_lots
    if size_only and same_display and terms.open_lots == record["leaves_lots"]:
        return Code.AMEND_CHANGES_NOTHING
    if terms.open_lots <= 0:
        amend_to_nothing(s, order_idx)
        return Code.OK
    shows_less = in_sight(terms.display_lots) <= in_sight(old_display_lots)
    if size_only and shows_less and terms.open_lots <= record["leaves_lots"]:
        amend_in_place(s, order_idx, terms)
        return Code.OK
    if (record["flags"] & MARKET_ORDER) != 0:
        return Code.MARKET_ORDER_WAITS
    by_legs = (record["flags"] & COMBINED) != 0 and (cmd["flags"] & Flag.MAY_WAIT) != 0
    return amend_by_moving(s, order_idx, terms, np.int64(by_legs))


@kernel
def is_leg(s, order_idx):
    """Return whether an order is one of a pair."""
    return (s.orders[order_idx]["flags"] & DETAILED) != 0 and s.details[order_idx]["link_id"] != 0


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


@cold_kernel
def amend_in_place(s, order_idx, terms):
    """Make an order smaller, or let it show less, where it stands."""
    record = s.orders[order_idx]
    reply = s.meta[0]["events_count"]
    emit_amended(s, order_idx, terms.key, terms.total_lots, terms.open_lots)
    if terms.open_lots < record["leaves_lots"]:
        shrink_order(s, order_idx, record["leaves_lots"] - terms.open_lots)
    detail = s.details[order_idx]
    if terms.display_lots != 0:
        if display_of(s, order_idx) == 0:
            show(s, order_idx, terms.display_lots)
        detail["display_lots"] = terms.display_lots
        detail["shown_lots"] = min(np.int64(detail["shown_lots"]), terms.display_lots)
        clip_shown(s, order_idx)
    s.events[reply]["amount_usd_micros"] = detail["shown_lots"]


@kernel
def order_again(s, record, terms, by_legs):
    """Return a resting order as the order it would be on new terms."""
    book_idx = np.int64(record["book_idx"])
    held_lots = np.int64(record["leaves_lots"])
    tick_value = np.int64(s.contracts[book_idx >> 1]["tick_value_usd_micros"])
    held_ticks = price_loss_ticks(s, book_idx, np.int64(record["key"]))
    order_type = np.int64(OrderType.LIMIT)
    if terms.peg != 0:
        order_type = np.int64(OrderType.PEGGED)
    return Order(
        account_idx=np.int64(record["account_idx"]),
        contract_idx=book_idx >> 1,
        position_idx=np.int64(record["position_idx"]),
        book_idx=book_idx,
        key=terms.key,
        qty_lots=np.int64(terms.open_lots),
        tick_value=tick_value,
        order_type=order_type,
        tif=terms.tif,
        stp=np.int64(record["stp"]),
        flags=terms.flags | (np.int64(record["flags"]) & COMBINED),
        display_lots=terms.display_lots,
        min_lots=np.int64(0),
        held_lots=held_lots,
        held_loss_usd_micros=held_lots * tick_value * held_ticks,
        client=np.int64(0),
        by_legs=by_legs,
    )


@cold_kernel
def amend_by_moving(s, order_idx, terms, by_legs):
    """Take an order off the book and let it come again, at the back, with its old id."""
    record = s.orders[order_idx]
    order = order_again(s, record, terms, by_legs)
    if s.accounts[order.account_idx]["state"] == AccountState.FROZEN:
        return Code.ACCOUNT_FROZEN
    code, lots = admit(s, order, False)
    if code != Code.OK:
        return code
    # From here the amendment must succeed.
    lift(s, order_idx, order)
    order_id = np.int64(record["order_id"])
    reply = s.meta[0]["events_count"]
    emit_amended(s, order_idx, terms.key, terms.total_lots, 0)
    leaves_lots, traded_lots, lost_lots, dropped_lots, stopped = execute_apart(
        s, order, order_id, order.position_idx, lots
    )
    if traded_lots > 0 and (record["flags"] & DETAILED) != 0:
        follow_fill(s, order_idx, NOBODY, traded_lots)
    if leaves_lots > 0:
        s.events[reply]["leaves_lots"] = leaves_lots
        rest_again(s, order_idx, terms, leaves_lots, traded_lots)
        s.events[reply]["amount_usd_micros"] = s.details[order_idx]["shown_lots"]
    else:
        if (record["flags"] & DETAILED) != 0:
            let_go(s, order_idx)
        disown(s, order_idx, order.account_idx, order.position_idx)
        free_order_slot(s, order_idx)
    clipped = order.qty_lots - lots
    emit_drops(s, order, order_id, leaves_lots, clipped, lost_lots, dropped_lots, stopped)
    return Code.OK


@kernel
def lift(s, order_idx, order):
    """Take an order's lots off the book and the account; its place in its own list stays."""
    old_key = np.int64(s.orders[order_idx]["key"])
    change_lots(
        s, order.account_idx, order.position_idx, order.book_idx, old_key, -order.held_lots, 0, 0
    )
    unlink(s, order_idx, order.book_idx, old_key)


@kernel
def rest_again(s, order_idx, terms, leaves_lots, traded_lots):
    """Write the new terms of an order that was lifted, and put it at the back of its level."""
    record = s.orders[order_idx]
    record["leaves_lots"] = leaves_lots
    record["filled_lots"] += traded_lots
    record["key"] = terms.key
    if terms.tif != record["tif"]:
        leave_life(s, order_idx)
    record["tif"] = terms.tif
    record["flags"] = (record["flags"] & ~PLACE_FLAGS) | terms.flags
    note_life(s, order_idx, terms.tif)
    if terms.expires_ns != record["expires_ns"]:
        record["expires_ns"] = terms.expires_ns
        if terms.expires_ns != 0:
            add_expiry(s, terms.expires_ns, np.int64(record["order_id"]))
    if terms.peg != 0:
        s.details[order_idx]["offset_ticks"] = terms.offset_ticks
    if terms.display_lots != display_of(s, order_idx) or terms.display_lots != 0:
        show(s, order_idx, terms.display_lots)
    link_last(s, order_idx, np.int64(record["book_idx"]), terms.key)
