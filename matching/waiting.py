"""Where a stop waits, and how it leaves: its ladder, the queue of the triggered, the lists aside.

A stop that waits is an order in a slot like any other, with an id, an expiry and a place in its
account's list; but it is in no book and holds no margin. It stands in a ladder of trigger prices,
built like a book: six a contract, for each TriggerBy those that a fall triggers and those that a
rise does. Keys are mirrored so that the first to be triggered is the best, and one comparison
with the best key says that no stop is triggered.

Triggered stops leave the ladder for a queue of their contract, first in, first out, and enter
one by one (aftermath.py). A bracket's child sleeps, in neither, until its parent fills. Trailing
stops are also in a list of their own, the newest first.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of, link_last, unlink
from matching.codes import RISES, UNTRIGGERED
from matching.emit import emit
from matching.limits import STOPS
from matching.pool import SLOT_MASK
from matching.state import STOP_BOOKS

ASLEEP, IN_LADDER, IN_QUEUE = 0, 1, 2  # DETAIL.place
SOURCE_MASK = 3  # of DETAIL.trigger and of a PLACE's COMMAND.state: TriggerBy


@kernel
def rises(trigger):
    """Return 1 if a rise triggers, 0 if a fall does."""
    return (np.int64(trigger) & RISES) >> 2


@kernel
def stop_list(contract_idx, source, up):
    """Return which of all lists of stops holds those of a contract, a price and a direction."""
    return STOP_BOOKS * contract_idx + 2 * source + up


@kernel
def stop_book(s, contract_idx, source, up):
    """Return the ladder of those stops."""
    return 2 * s.meta[0]["contracts_max"] + stop_list(contract_idx, source, up)


@kernel
def list_of(s, order_idx):
    """Return which list of stops a stop belongs to."""
    trigger = np.int64(s.details[order_idx]["trigger"])
    contract_idx = np.int64(s.orders[order_idx]["book_idx"]) >> 1
    return stop_list(contract_idx, trigger & SOURCE_MASK, rises(trigger))


@kernel
def trigger_ticks_of(s, order_idx):
    """Return the price at which a stop is triggered now."""
    up = rises(s.details[order_idx]["trigger"])
    return key_of(s, up, np.int64(s.orders[order_idx]["key"]))


@kernel
def open_by_id(s, order_id):
    """Return the slot of an order or stop that is open, 0 for none."""
    order_idx = order_id & SLOT_MASK
    if order_id <= 0 or order_idx > s.meta[0]["orders_used"]:
        return np.int64(0)
    if s.orders[order_idx]["order_id"] != order_id:
        return np.int64(0)
    return np.int64(order_idx)


@kernel
def watch_price(s, order_idx):
    """Let the contract know that a stop waits for this price."""
    detail = s.details[order_idx]
    contract = s.contracts[s.orders[order_idx]["book_idx"] >> 1]
    contract["watched"] |= 1 << (detail["trigger"] & SOURCE_MASK)


@kernel
def into_ladder(s, order_idx):
    """Put a stop at the back of its trigger price."""
    book_idx = 2 * s.meta[0]["contracts_max"] + list_of(s, order_idx)
    s.details[order_idx]["place"] = IN_LADDER
    link_last(s, order_idx, book_idx, np.int64(s.orders[order_idx]["key"]))
    watch_price(s, order_idx)


@kernel
def out_of_ladder(s, order_idx):
    """Take a stop out of its ladder; a price that nobody waits for is watched no more."""
    which = list_of(s, order_idx)
    book_idx = 2 * s.meta[0]["contracts_max"] + which
    unlink(s, order_idx, book_idx, np.int64(s.orders[order_idx]["key"]))
    both = book_idx - (which & 1)
    if (s.books[both]["top_bits"] | s.books[both + 1]["top_bits"]) == 0:
        source = (which % STOP_BOOKS) >> 1
        s.contracts[which // STOP_BOOKS]["watched"] &= ~(1 << source)


@cold_kernel
def make_ready(s, contract_idx):
    """Put a contract with triggered stops at the end of those to be served."""
    meta = s.meta[0]
    watch = s.watches[contract_idx]
    meta["aftermath"] |= STOPS
    if watch["ready"] != 0:
        return
    watch["ready"] = 1
    watch["next_ready"] = 0
    if meta["ready_tail"] != 0:
        s.watches[meta["ready_tail"] - 1]["next_ready"] = contract_idx + 1
    else:
        meta["ready_head"] = contract_idx + 1
    meta["ready_tail"] = contract_idx + 1


@cold_kernel
def into_queue(s, order_idx):
    """Put a triggered stop at the end of its contract's queue."""
    order = s.orders[order_idx]
    contract_idx = np.int64(order["book_idx"]) >> 1
    watch = s.watches[contract_idx]
    tail = np.int64(watch["queue_tail"])
    order["next"] = 0
    order["prev"] = tail
    watch["queue_tail"] = order_idx
    if tail != 0:
        s.orders[tail]["next"] = order_idx
    else:
        watch["queue_head"] = order_idx
    s.details[order_idx]["place"] = IN_QUEUE
    make_ready(s, contract_idx)


@cold_kernel
def out_of_queue(s, order_idx):
    """Take a stop out of its contract's queue."""
    order = s.orders[order_idx]
    watch = s.watches[order["book_idx"] >> 1]
    before, following = np.int64(order["prev"]), np.int64(order["next"])
    if before != 0:
        s.orders[before]["next"] = following
    else:
        watch["queue_head"] = following
    if following != 0:
        s.orders[following]["prev"] = before
    else:
        watch["queue_tail"] = before


@cold_kernel
def trail_in(s, order_idx):
    """Put a trailing stop in front of its list."""
    which = list_of(s, order_idx)
    head = np.int64(s.trails[which])
    detail = s.details[order_idx]
    detail["next_aside"] = head
    detail["prev_aside"] = 0
    if head != 0:
        s.details[head]["prev_aside"] = order_idx
    s.trails[which] = order_idx
    s.watches[s.orders[order_idx]["book_idx"] >> 1]["trails"] += 1


@cold_kernel
def trail_out(s, order_idx):
    """Take a trailing stop out of its list."""
    detail = s.details[order_idx]
    before, following = np.int64(detail["prev_aside"]), np.int64(detail["next_aside"])
    if before != 0:
        s.details[before]["next_aside"] = following
    else:
        s.trails[list_of(s, order_idx)] = following
    if following != 0:
        s.details[following]["prev_aside"] = before
    s.watches[s.orders[order_idx]["book_idx"] >> 1]["trails"] -= 1


@kernel
def waits(s, order_idx):
    """Return whether an order is a stop that has not entered."""
    return (s.orders[order_idx]["flags"] & UNTRIGGERED) != 0


@kernel
def emit_stop(s, kind, order_idx, qty_lots):
    """Append an event about a stop that waits: its limit, its size, its trigger and its type."""
    order, detail = s.orders[order_idx], s.details[order_idx]
    event = s.events[emit(s, kind, order["account_idx"], order["book_idx"] >> 1)]
    event["side"] = order["book_idx"] & 1
    event["order_id"] = order["order_id"]
    event["maker_order_id"] = detail["parent_id"] if detail["parent_id"] != 0 else detail["link_id"]
    event["price_ticks"] = detail["limit_ticks"]
    event["qty_lots"] = qty_lots
    event["leaves_lots"] = order["leaves_lots"]
    word = (np.int64(detail["trigger"]) << 8) | np.int64(detail["order_type"])
    event["amount_usd_micros"] = (word << 32) | trigger_ticks_of(s, order_idx)
