"""The uncross of a call: all that rests trades at one price, market orders first."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of, level_of
from matching.codes import DETAILED, MARKET_ORDER, Code, EventKind, Flag, Side
from matching.days import widen_day
from matching.details import show
from matching.emit import emit
from matching.equilibrium import callable_lots, equilibrium
from matching.guards import take_guard_price
from matching.lots import change_lots
from matching.quote_fills import note_quote_fill
from matching.trade import drop_order, end_order, follow_fill

NONE = np.int64(0)
EVENT_LOTS_MAX = np.int64((1 << 31) - 1)


@kernel
def say_price(s, kind, contract_idx, price_ticks, lots, imbalance_lots):
    """Append what a call's price is, and return the event's place."""
    place = emit(s, kind, 0, contract_idx)
    event = s.events[place]
    event["side"] = Side.SELL if imbalance_lots < 0 else Side.BUY
    event["price_ticks"] = price_ticks
    event["qty_lots"] = min(EVENT_LOTS_MAX, lots)
    event["leaves_lots"] = min(EVENT_LOTS_MAX, abs(imbalance_lots))
    return place


@kernel
def market_from(s, order_idx):
    """Return the first market order at or behind an order of its level, 0 for none."""
    while order_idx != 0 and (s.orders[order_idx]["flags"] & MARKET_ORDER) == 0:
        order_idx = np.int64(s.orders[order_idx]["next"])
    return order_idx


@cold_kernel
def first_market(s, contract_idx, side, key):
    """Return a side's first market order if this key is within their limit, 0 for none."""
    call = s.calls[contract_idx]
    edge_ticks = call["edge_low_ticks"] if side == Side.SELL else call["edge_high_ticks"]
    edge_key = key_of(s, side, np.int64(edge_ticks))
    if edge_key > key:
        return NONE
    return market_from(s, np.int64(level_of(s, 2 * contract_idx + side, edge_key)["head"]))


@kernel
def first_limit(s, book_idx, key):
    """Return the best order of a side within a key, 0 for none."""
    best_key = np.int64(s.books[book_idx]["best_key"])
    if best_key > key:
        return NONE
    return np.int64(level_of(s, book_idx, best_key)["head"])


@cold_kernel
def fill_in_call(s, order_idx, other_id, price_ticks, lots):
    """Fill a resting order at the price of the call."""
    order = s.orders[order_idx]
    book_idx, key = np.int64(order["book_idx"]), np.int64(order["key"])
    leaves_lots = order["leaves_lots"] - lots
    order["leaves_lots"] = leaves_lots
    order["filled_lots"] += lots
    if (order["flags"] & DETAILED) != 0:
        show(s, order_idx, s.details[order_idx]["display_lots"])
    gain_ticks = lots * (key_of(s, book_idx & 1, price_ticks) - s.books[book_idx]["mark_key"])
    account_idx, position_idx = np.int64(order["account_idx"]), np.int64(order["position_idx"])
    change_lots(s, account_idx, position_idx, book_idx, key, -lots, lots, gain_ticks)
    if (order["flags"] & DETAILED) != 0:
        follow_fill(s, order_idx, other_id, lots)
    if leaves_lots == 0:
        end_order(s, order_idx, book_idx, key)


@cold_kernel
def trade_in_call(s, buy_idx, sell_idx, price_ticks, lots):
    """Let two resting orders trade at the price of the call."""
    buy, sell = s.orders[buy_idx], s.orders[sell_idx]
    contract_idx = np.int64(buy["book_idx"]) >> 1
    event = s.events[emit(s, EventKind.TRADE, buy["account_idx"], contract_idx)]
    event["side"] = Side.BUY
    event["code"] = Code.AUCTION_TRADE
    event["order_id"] = buy["order_id"]
    event["maker_order_id"] = sell["order_id"]
    event["maker_account_idx"] = sell["account_idx"]
    event["price_ticks"] = price_ticks
    event["qty_lots"] = lots
    event["leaves_lots"] = sell["leaves_lots"] - lots
    event["amount_usd_micros"] = buy["leaves_lots"] - lots
    s.contracts[contract_idx]["last_trade_ticks"] = price_ticks
    widen_day(s, contract_idx, price_ticks)
    buy_id, sell_id = np.int64(buy["order_id"]), np.int64(sell["order_id"])
    for order_idx, other_id in ((buy_idx, sell_id), (sell_idx, buy_id)):
        order = s.orders[order_idx]
        if (order["flags"] & Flag.QUOTE) != 0:
            side = np.int64(order["book_idx"]) & 1
            note_quote_fill(s, np.int64(order["account_idx"]), np.int64(order["flags"]), side, lots)
        fill_in_call(s, order_idx, other_id, price_ticks, lots)


@kernel
def behind(s, market_idx):
    """Return the market order behind one that may end now."""
    return market_from(s, np.int64(s.orders[market_idx]["next"]))


@cold_kernel
def fill_all(s, contract_idx, price_ticks):
    """Trade whatever may at a price: market orders first, then by price and time.

    Returns: lots traded
    """
    buys, sells = 2 * contract_idx + Side.BUY, 2 * contract_idx + Side.SELL
    buy_key, sell_key = key_of(s, np.int64(Side.BUY), price_ticks), price_ticks
    buy_market = first_market(s, contract_idx, np.int64(Side.BUY), buy_key)
    sell_market = first_market(s, contract_idx, np.int64(Side.SELL), sell_key)
    traded_lots = np.int64(0)
    while True:
        buy_idx = buy_market if buy_market != 0 else first_limit(s, buys, buy_key)
        sell_idx = sell_market if sell_market != 0 else first_limit(s, sells, sell_key)
        if buy_idx == 0 or sell_idx == 0:
            return traded_lots
        buy_lots, sell_lots = callable_lots(s, buy_idx), callable_lots(s, sell_idx)
        lots = min(buy_lots, sell_lots)
        # Their slots may be freed now: who follows is asked before.
        if buy_market != 0 and (lots == s.orders[buy_idx]["leaves_lots"] or buy_lots == 0):
            buy_market = behind(s, buy_market)
        if sell_market != 0 and (lots == s.orders[sell_idx]["leaves_lots"] or sell_lots == 0):
            sell_market = behind(s, sell_market)
        if lots > 0:
            trade_in_call(s, buy_idx, sell_idx, price_ticks, lots)
            traded_lots += lots
            continue
        # Reduce-only, and nothing is left to reduce.
        if buy_lots == 0:
            drop_order(s, buy_idx, Code.REDUCE_ONLY_CLIPPED)
        if sell_lots == 0:
            drop_order(s, sell_idx, Code.REDUCE_ONLY_CLIPPED)


@cold_kernel
def crossed(s, contract_idx):
    """Return whether the best buy and the best sell would meet."""
    top = s.meta[0]["price_top"]
    buy_key = s.books[2 * contract_idx + Side.BUY]["best_key"]
    sell_key = s.books[2 * contract_idx + Side.SELL]["best_key"]
    return buy_key <= top and top - buy_key >= sell_key


@cold_kernel
def drop_idle(s, contract_idx):
    """Cancel reduce-only orders that cross, but have nothing to reduce."""
    buys, sells = 2 * contract_idx + Side.BUY, 2 * contract_idx + Side.SELL
    while crossed(s, contract_idx):
        order_idx = first_limit(s, buys, s.meta[0]["price_top"])
        if callable_lots(s, order_idx) > 0:
            order_idx = first_limit(s, sells, s.meta[0]["price_top"])
        assert callable_lots(s, order_idx) == 0
        drop_order(s, order_idx, Code.REDUCE_ONLY_CLIPPED)


@cold_kernel
def uncross(s, contract_idx, phase, state):
    """Trade at the price of the call until nothing crosses, and say so first.

    A second round, at a price of its own, comes only when an order of the first could not trade
    what it was counted with: a reduce-only one whose position another order of it closed before.
    """
    price_ticks, lots, imbalance_lots = equilibrium(s, contract_idx)
    place = say_price(s, EventKind.CALL_ENDED, contract_idx, price_ticks, lots, imbalance_lots)
    s.events[place]["order_id"] = phase
    s.events[place]["amount_usd_micros"] = state
    traded_lots = np.int64(0)
    while lots > 0:
        traded_lots += fill_all(s, contract_idx, price_ticks)
        price_ticks, lots, _ = equilibrium(s, contract_idx)
    drop_idle(s, contract_idx)
    s.events[place]["qty_lots"] = min(EVENT_LOTS_MAX, traded_lots)
    last_ticks = np.int64(s.contracts[contract_idx]["last_trade_ticks"])
    mark_ticks = np.int64(s.contracts[contract_idx]["mark_ticks"])
    take_guard_price(s, contract_idx, last_ticks if traded_lots > 0 else mark_ticks)
