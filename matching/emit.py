"""Events: what happened, appended to one block.

The block always has room: a batch is cut before the command that might not fit (apply.py).
"""

from matching._jit import kernel
from matching.codes import Code, EventKind


@kernel
def emit(s, kind, account_idx, contract_idx):
    """Append an event whose other fields are zero, and return its place."""
    meta = s.meta[0]
    place = meta["events_count"]
    meta["events_count"] = place + 1
    event = s.events[place]
    event["seq"] = meta["seq"]
    event["kind"] = kind
    event["side"] = 0
    event["code"] = 0
    event["account_idx"] = account_idx
    event["order_id"] = 0
    event["maker_order_id"] = 0
    event["contract_idx"] = contract_idx
    event["maker_account_idx"] = 0
    event["price_ticks"] = 0
    event["qty_lots"] = 0
    event["leaves_lots"] = 0
    event["amount_usd_micros"] = 0
    return place


@kernel
def emit_order(s, kind, code, account_idx, book_idx, order_id, price_ticks, qty_lots, leaves_lots):
    """Append an event about one order."""
    event = s.events[emit(s, kind, account_idx, book_idx >> 1)]
    event["side"] = book_idx & 1
    event["code"] = code
    event["order_id"] = order_id
    event["price_ticks"] = price_ticks
    event["qty_lots"] = qty_lots
    event["leaves_lots"] = leaves_lots


@kernel
def emit_cancelled(s, code, account_idx, book_idx, order_id, price_ticks, qty_lots, leaves_lots):
    """Append the removal of `qty_lots` from an order, `leaves_lots` remaining."""
    kind = EventKind.CANCELLED
    emit_order(s, kind, code, account_idx, book_idx, order_id, price_ticks, qty_lots, leaves_lots)


@kernel
def emit_refused(s, code, account_idx, contract_idx):
    """Append the refusal of a command: its only event."""
    event = s.events[emit(s, EventKind.REFUSED, account_idx, contract_idx)]
    assert code != Code.OK
    event["code"] = code
    event["order_id"] = s.meta[0]["named_order_id"]


@kernel
def has_worked(s, first_event):
    """Return whether a command, whose events begin here, may begin no further piece of work."""
    return s.meta[0]["events_count"] - first_event >= s.meta[0]["command_events"]
