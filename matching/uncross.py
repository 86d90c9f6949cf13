"""The uncross of a call: all that counts trades at one price, in turn."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of
from matching.codes import DETAILED, Code, EventKind, Flag, Side
from matching.days import widen_day
from matching.details import show
from matching.emit import emit
from matching.equilibrium import equilibrium
from matching.guards import take_guard_price
from matching.lots import change_lots
from matching.quote_fills import note_quote_fill
from matching.trade import drop_order, end_order, follow_fill
from matching.turns import Turn, first_market, first_of, market_from, new_walk, turn_of

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


@cold_kernel
def crossed(s, contract_idx):
    """Return whether the best buy and the best sell would meet."""
    top = s.meta[0]["price_top"]
    buy_key = s.books[2 * contract_idx + Side.BUY]["best_key"]
    sell_key = s.books[2 * contract_idx + Side.SELL]["best_key"]
    return buy_key <= top and top - buy_key >= sell_key


@kernel
def market_behind(s, market_idx, turn, lots):
    """Return the market order whose turn is next, if the one before ends with these lots."""
    if turn.order_idx != market_idx or market_idx == 0:
        return market_idx
    if turn.lots != 0 and lots != s.orders[market_idx]["leaves_lots"]:
        return market_idx
    return market_from(s, np.int64(s.orders[market_idx]["next"]))


@cold_kernel
def fill_all(s, contract_idx, price_ticks, lots):
    """Trade so many lots, all that count, at a price, in turn; nothing crosses then.

    An order that has no more that counts goes when its turn comes, or if it crosses: it is
    reduce-only.
    """
    buys, sells = 2 * contract_idx + Side.BUY, 2 * contract_idx + Side.SELL
    buy_market, sell_market = first_market(s, buys), first_market(s, sells)
    walk, left_lots, buy, sell = new_walk(s), lots, Turn(NONE, NONE), Turn(NONE, NONE)
    while left_lots > 0 or crossed(s, contract_idx):
        buy = turn_of(s, first_of(s, buys, buy_market), walk, buy)
        sell = turn_of(s, first_of(s, sells, sell_market), walk, sell)
        lots = min(buy.lots, sell.lots)
        assert lots <= left_lots
        # Their slots may be freed now: who follows is asked before.
        buy_market = market_behind(s, buy_market, buy, lots)
        sell_market = market_behind(s, sell_market, sell, lots)
        if lots == 0:
            drop_spent(s, buy, sell)
            continue
        trade_in_call(s, buy.order_idx, sell.order_idx, price_ticks, lots)
        left_lots -= lots
        buy = Turn(buy.order_idx, buy.lots - lots)
        sell = Turn(sell.order_idx, sell.lots - lots)


@cold_kernel
def drop_spent(s, buy, sell):
    """Cancel whichever of two reduce-only orders has nothing left that counts."""
    if buy.lots == 0:
        drop_order(s, buy.order_idx, Code.REDUCE_ONLY_CLIPPED)
    if sell.lots == 0:
        drop_order(s, sell.order_idx, Code.REDUCE_ONLY_CLIPPED)


@cold_kernel
def uncross(s, contract_idx, phase, state):
    """Trade at the price of the call, and say so first; nothing crosses then."""
    price_ticks, lots, imbalance_lots = equilibrium(s, contract_idx)
    place = say_price(s, EventKind.CALL_ENDED, contract_idx, price_ticks, lots, imbalance_lots)
    s.events[place]["order_id"] = phase
    s.events[place]["amount_usd_micros"] = state
    fill_all(s, contract_idx, price_ticks, lots)
    last_ticks = np.int64(s.contracts[contract_idx]["last_trade_ticks"])
    mark_ticks = np.int64(s.contracts[contract_idx]["mark_ticks"])
    take_guard_price(s, contract_idx, last_ticks if lots > 0 else mark_ticks)
