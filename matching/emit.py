"""Events: what happened, appended to one block.

The block always has room: a batch is cut before the command that might not fit (apply.py).
"""

import numpy as np

from matching._jit import kernel
from matching._raw import put_word
from matching.codes import Code, EventKind
from matching.words import two_halves


@kernel
def emit_words(
    s, kind, side, code, account_idx, order_id, maker_order_id, contract_idx, maker_account_idx,
    price_ticks, qty_lots, leaves_lots,
):  # fmt: skip
    """Append an event, and return its place: eight words, one store each."""
    meta = s.meta[0]
    place = meta["events_count"]
    meta["events_count"] = place + 1
    event = s.events[place]
    event["seq"] = meta["seq"]
    marks = np.int64(kind) | np.int64(side) << 8 | np.int64(code) << 16
    put_word(event, "kind", two_halves(marks, account_idx))
    event["order_id"] = order_id
    event["maker_order_id"] = maker_order_id
    put_word(event, "contract_idx", two_halves(contract_idx, maker_account_idx))
    event["price_ticks"] = price_ticks
    put_word(event, "qty_lots", two_halves(qty_lots, leaves_lots))
    event["amount_usd_micros"] = 0
    return place


@kernel
def emit(s, kind, account_idx, contract_idx):
    """Append an event whose other fields are zero, and return its place."""
    return emit_words(s, kind, 0, 0, account_idx, 0, 0, contract_idx, 0, 0, 0, 0)


@kernel
def emit_order(s, kind, code, account_idx, book_idx, order_id, price_ticks, qty_lots, leaves_lots):
    """Append an event about one order."""
    side, contract_idx = book_idx & 1, book_idx >> 1
    emit_words(
        s, kind, side, code, account_idx, order_id, 0, contract_idx, 0, price_ticks, qty_lots,
        leaves_lots,
    )  # fmt: skip


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
