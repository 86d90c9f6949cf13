"""The everyday order, in one straight line: a plain limit order that comes to rest.

Most orders of a market are alike: a limit order, good till cancelled, from an active account, in a
contract that trades, within its band and its account's margin, at a price that nobody meets. None
of the checks of `admit.py` can fail for it, and nothing of `match.py` happens to it. Whatever is
less plain in any way goes there: only there are reasons known, and everything here must be what
they would have done.
"""

import numpy as np

from matching._jit import kernel
from matching.admit import Order
from matching.book import key_of, opposite_key
from matching.client_ids import has_client_id
from matching.codes import AccountState, Code, EventKind, OrderType, Stp, Tif, TradingState
from matching.emit import emit_order
from matching.limits import MONEY_USD_MICROS_MAX
from matching.lots import change_lots
from matching.pool import find_position, order_slots_left, take_order_slot
from matching.rest import new_order_id, rest
from matching.risk import margin_after


@kernel
def plain_words(cmd):
    """Return whether an order carries nothing but side, price, quantity and a self-trade mode."""
    unusual = cmd["tif"] | cmd["order_type"] | cmd["flags"] | cmd["expires_ns"]  # all zero: plain
    unusual |= cmd["amount_usd_micros"] | cmd["ref_id"]
    if (unusual | has_client_id(cmd)) != 0:
        return False
    if cmd["side"] < 0 or cmd["side"] > 1:
        return False
    return cmd["stp"] >= Stp.NONE and cmd["stp"] <= Stp.DECREMENT


@kernel
def plain_times(s, account, contract, book_idx, key):
    """Return whether account and contract trade, and the price is in the band and meets nobody."""
    # Zero: active, without limits of its own, no combination, and no implied price.
    unusual = account["state"] | account["limited"] | contract["legs_count"] | contract["implied"]
    if unusual != AccountState.ACTIVE or contract["state"] != TradingState.CONTINUOUS:
        return False
    if key < s.books[book_idx]["band_key"]:
        return False
    return s.books[book_idx ^ 1]["best_key"] > opposite_key(s, key)


@kernel
def within_limits(s, account, position, order, plain_lots):
    """Return whether slots, money and lots leave room."""
    cash, unsettled = account["cash_usd_micros"], account["unsettled_usd_micros"]
    held_lots = position["buy_lots"] + position["sell_lots"] + abs(position["qty_lots"])
    gross = account["gross_tick_value"] + order.qty_lots * order.tick_value
    if held_lots + order.qty_lots > plain_lots or gross > s.meta[0]["gross_max"]:
        return False
    if cash > MONEY_USD_MICROS_MAX or cash < -MONEY_USD_MICROS_MAX:
        return False
    if unsettled > MONEY_USD_MICROS_MAX or unsettled < -MONEY_USD_MICROS_MAX:
        return False
    return order_slots_left(s)


@kernel
def everyday_order(cmd, contract, account_idx, contract_idx, position_idx, book_idx, key):
    """Return a plain command as an order."""
    return Order(
        account_idx=account_idx,
        contract_idx=contract_idx,
        position_idx=position_idx,
        book_idx=book_idx,
        key=key,
        qty_lots=np.int64(cmd["qty_lots"]),
        tick_value=np.int64(contract["tick_value_usd_micros"]),
        order_type=np.int64(OrderType.LIMIT),
        tif=np.int64(Tif.GTC),
        stp=np.int64(cmd["stp"]),
        flags=np.int64(0),
        display_lots=np.int64(0),
        min_lots=np.int64(0),
        held_lots=np.int64(0),
        held_loss_usd_micros=np.int64(0),
        client=np.int64(0),
        by_legs=np.int64(0),
    )


@kernel
def enter_everyday(s, cmd, order):
    """Accept an order and rest it whole."""
    order_idx = take_order_slot(s)
    order_id = new_order_id(s, order_idx)
    lots, position_idx, none = order.qty_lots, order.position_idx, np.int64(0)
    price_ticks = np.int64(cmd["price_ticks"])
    emit_order(
        s, EventKind.ACCEPTED, Code.OK, order.account_idx, order.book_idx, order_id, price_ticks,
        lots, lots,
    )  # fmt: skip
    change_lots(s, order.account_idx, position_idx, order.book_idx, order.key, lots, none, none)
    rest(s, cmd, order, order_idx, order_id, position_idx, none, lots, none)


@kernel
def place_everyday(s, cmd):
    """Accept an order and rest it whole, if it is as plain as that.

    Returns: False if it is not; nothing is written then
    """
    meta = s.meta[0]
    account_idx, contract_idx = np.int64(cmd["account_idx"]), np.int64(cmd["contract_idx"])
    if account_idx < 0 or account_idx >= meta["accounts_count"]:
        return False
    if contract_idx < 0 or contract_idx >= meta["contracts_trading"] or not plain_words(cmd):
        return False
    account, contract = s.accounts[account_idx], s.contracts[contract_idx]
    price_ticks, qty_lots = cmd["price_ticks"], cmd["qty_lots"]
    if qty_lots < 1 or qty_lots > contract["qty_max_lots"]:
        return False
    if price_ticks < 1 or price_ticks > meta["price_top"]:
        return False
    side = np.int64(cmd["side"])
    book_idx, key = 2 * contract_idx + side, key_of(s, side, price_ticks)
    position_idx = find_position(s, account_idx, contract_idx)
    if position_idx == 0 or not plain_times(s, account, contract, book_idx, key):
        return False
    order = everyday_order(cmd, contract, account_idx, contract_idx, position_idx, book_idx, key)
    if not within_limits(s, account, s.positions[position_idx], order, contract["plain_lots"]):
        return False
    bound_usd_micros, room_usd_micros = margin_after(s, order, qty_lots)
    if bound_usd_micros > room_usd_micros:
        return False
    account["im_bound_usd_micros"] = bound_usd_micros
    enter_everyday(s, cmd, order)
    return True
