"""Prices that stops wait for: a price is seen, and what it triggers is queued.

Prices are seen only while a contract trades. A match shows the first and the last price of its
trades, which are its extremes, in this order; marks and index prices show themselves; and when
trading begins again, the prices of that moment are seen. Stops of a price are triggered before
those that trail behind it move.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of, level_of
from matching.codes import TRAIL_IS_BPS, EventKind, TradingState, TriggerBy
from matching.state import STOP_BOOKS
from matching.waiting import (
    emit_stop,
    into_ladder,
    into_queue,
    make_ready,
    out_of_ladder,
    rises,
    stop_book,
    stop_list,
    trail_out,
)

BPS = 10_000


@kernel
def trades_now(s, contract_idx):
    """Return whether orders of a contract are matched as they come."""
    state = s.contracts[contract_idx]["state"]
    if s.meta[0]["halted"] != 0:
        return False
    return state == TradingState.CONTINUOUS or state == TradingState.CLOSE_ONLY


@kernel
def price_seen(s, contract_idx, source):
    """Return the latest price of a kind, 0 if there is none yet."""
    contract = s.contracts[contract_idx]
    if source == TriggerBy.LAST:
        return np.int64(contract["last_trade_ticks"])
    if source == TriggerBy.MARK:
        return np.int64(contract["mark_ticks"])
    return np.int64(s.watches[contract_idx]["index_ticks"])


@kernel
def trailed_ticks(s, extreme_ticks, offset, trigger):
    """Return where a trailing stop is triggered: its offset behind the best price it has seen.

    A part of a tick is never given away: a fall to extreme x (1 - bps) or below triggers.
    """
    up = rises(trigger)
    distance = np.int64(offset)
    if (trigger & TRAIL_IS_BPS) != 0:
        # To the next whole tick behind: the floor of a fall's price, the ceiling of a rise's.
        distance = (extreme_ticks * distance + BPS - 1) // BPS
    ticks = extreme_ticks + distance * (2 * up - 1)
    return max(np.int64(1), min(s.meta[0]["price_top"], ticks))


@cold_kernel
def trigger_all(s, contract_idx, source, up, price_ticks):
    """Queue every stop that this price triggers, the first to be triggered first."""
    book_idx = stop_book(s, contract_idx, source, up)
    seen_key = key_of(s, up, price_ticks)
    book = s.books[book_idx]
    while book["best_key"] <= s.meta[0]["price_top"] and book["best_key"] <= seen_key:
        order_idx = np.int64(level_of(s, book_idx, book["best_key"])["head"])
        out_of_ladder(s, order_idx)
        if s.details[order_idx]["offset_ticks"] != 0:
            trail_out(s, order_idx)
        into_queue(s, order_idx)


@cold_kernel
def trail_all(s, contract_idx, source, up, price_ticks):
    """Move every trailing stop for which this price is the best yet, the newest first."""
    order_idx = np.int64(s.trails[stop_list(contract_idx, source, up)])
    looked = 0
    while order_idx != 0:
        detail = s.details[order_idx]
        gain_ticks = (price_ticks - detail["extreme_ticks"]) * (1 - 2 * up)
        looked += 1
        assert looked <= s.meta[0]["trails_max"]
        if gain_ticks > 0:
            detail["extreme_ticks"] = price_ticks
            trigger = np.int64(detail["trigger"])
            ticks = trailed_ticks(s, price_ticks, detail["offset_ticks"], trigger)
            move_trigger(s, order_idx, up, ticks)
        order_idx = np.int64(detail["next_aside"])


@kernel
def move_trigger(s, order_idx, up, trigger_ticks):
    """Give a waiting stop another trigger price, behind all that have it already."""
    key = key_of(s, up, trigger_ticks)
    if s.orders[order_idx]["key"] == key:
        return
    out_of_ladder(s, order_idx)
    s.orders[order_idx]["key"] = key
    into_ladder(s, order_idx)
    emit_stop(s, EventKind.STOP_MOVED, order_idx, 0)


@cold_kernel
def see_price(s, contract_idx, source, price_ticks):
    """Trigger and trail by a price of a contract that trades."""
    if price_ticks == 0 or not trades_now(s, contract_idx):
        return
    for up in (np.int64(1), np.int64(0)):
        trigger_all(s, contract_idx, source, up, price_ticks)
    for up in (np.int64(1), np.int64(0)):
        trail_all(s, contract_idx, source, up, price_ticks)


@cold_kernel
def see_trades(s, contract_idx, first_event):
    """See the first and the last price of the trades since an event."""
    first_ticks = np.int64(0)
    last_ticks = np.int64(0)
    for place in range(first_event, s.meta[0]["events_count"]):
        if s.events[place]["kind"] == EventKind.TRADE:
            last_ticks = np.int64(s.events[place]["price_ticks"])
            if first_ticks == 0:
                first_ticks = last_ticks
    see_price(s, contract_idx, np.int64(TriggerBy.LAST), first_ticks)
    if last_ticks != first_ticks:
        see_price(s, contract_idx, np.int64(TriggerBy.LAST), last_ticks)


@cold_kernel
def see_all(s, contract_idx):
    """See the prices of this moment: trading begins, or begins again."""
    for source in range(TriggerBy.LAST, TriggerBy.INDEX + 1):
        see_price(s, contract_idx, source, price_seen(s, contract_idx, source))
    if s.watches[contract_idx]["queue_head"] != 0:
        make_ready(s, contract_idx)


@cold_kernel
def empty_ladders(s, contract_idx):
    """Make the ladders of a contract's stops, without any."""
    first_book_idx = stop_book(s, contract_idx, np.int64(0), np.int64(0))
    for book_idx in range(first_book_idx, first_book_idx + STOP_BOOKS):
        s.books[book_idx]["best_key"] = s.meta[0]["price_top"] + 1
