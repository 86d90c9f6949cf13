"""Marks and daily settlement: variation margin, exact to the micro-dollar."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import level_of, next_key
from matching.codes import Code, EventKind, Tif, TradingState, TriggerBy
from matching.contracts import contract_known, set_mark_and_band
from matching.days import new_day
from matching.emit import emit
from matching.guards import take_guard_price
from matching.implied_wake import wake_implied
from matching.legs import combination_of
from matching.life_ends import end_lives
from matching.lifetimes import let_end
from matching.limits import INT64_SAFE
from matching.losses import forget_losses
from matching.peg_list import wake_pegs
from matching.triggers import see_price


@kernel
def check_mark(s, cmd):
    """Refuse a mark that is not sound."""
    if not contract_known(s, cmd):
        return Code.CONTRACT_UNKNOWN
    if s.contracts[cmd["contract_idx"]]["legs_count"] != 0:
        return Code.COMBINATION_FOLLOWS_LEGS
    if cmd["price_ticks"] < 1 or cmd["price_ticks"] > s.meta[0]["price_top"]:
        return Code.PRICE_INVALID
    if s.contracts[cmd["contract_idx"]]["state"] == TradingState.EXPIRED:
        return Code.CONTRACT_EXPIRED
    if s.contracts[cmd["contract_idx"]]["delivers"] != 0:
        return Code.CONTRACT_IN_DELIVERY
    return Code.OK


@cold_kernel
def mark(s, cmd):
    """Take a new mark."""
    code = check_mark(s, cmd)
    if code != Code.OK:
        return code
    move_mark(s, np.int64(cmd["contract_idx"]), np.int64(cmd["price_ticks"]))
    take_guard_price(s, np.int64(cmd["contract_idx"]), np.int64(cmd["price_ticks"]))
    event = s.events[emit(s, EventKind.MARKED, 0, cmd["contract_idx"])]
    event["price_ticks"] = cmd["price_ticks"]
    see_mark(s, cmd)
    return Code.OK


@kernel
def see_mark(s, cmd):
    """Let stops see a new mark."""
    source = np.int64(TriggerBy.MARK)
    see_price(s, np.int64(cmd["contract_idx"]), source, np.int64(cmd["price_ticks"]))


@cold_kernel
def set_index(s, cmd):
    """Take a new index price: what the contract's underlying costs outside."""
    code = check_mark(s, cmd)
    if code != Code.OK:
        return code
    s.watches[cmd["contract_idx"]]["index_ticks"] = cmd["price_ticks"]
    event = s.events[emit(s, EventKind.INDEX_SET, 0, cmd["contract_idx"])]
    event["price_ticks"] = cmd["price_ticks"]
    source = np.int64(TriggerBy.INDEX)
    see_price(s, np.int64(cmd["contract_idx"]), source, np.int64(cmd["price_ticks"]))
    return Code.OK


@cold_kernel
def move_orders(s, contract_idx, mark_ticks):
    """Write a new mark and its bands, and revalue resting orders, of its combinations too.

    As many as one taker may meet; of more, the losses of their accounts are to be left unknown.
    Whoever has an order in a combination has a position in each of its legs.

    Returns: what a lot gained, usd micros; whether orders were too many
    """
    contract = s.contracts[contract_idx]
    gain_ticks = mark_ticks - contract["mark_ticks"]
    room = revalue_orders(s, contract_idx, mark_ticks, np.int64(s.meta[0]["makers_max"]))
    for place in range(contract["combinations_count"]):
        room = revalue_orders(s, combination_of(s, contract_idx, place), mark_ticks, room)
    wake_pegs(s, contract_idx)
    wake_implied(s, contract_idx)
    return contract["tick_value_usd_micros"] * gain_ticks, room < 0


@cold_kernel
def move_mark(s, contract_idx, mark_ticks):
    """Revalue resting orders and bands, of its combinations too, and positions."""
    lot_gain_usd_micros, forgets = move_orders(s, contract_idx, mark_ticks)
    position_idx = np.int64(s.contracts[contract_idx]["position_head"])
    while position_idx != 0:
        position = s.positions[position_idx]
        account = s.accounts[position["account_idx"]]
        gain_usd_micros = position["qty_lots"] * lot_gain_usd_micros
        position["unsettled_usd_micros"] += gain_usd_micros
        account["unsettled_usd_micros"] += gain_usd_micros
        if forgets:
            forget_losses(account)
        position_idx = np.int64(position["next_of_contract"])


@cold_kernel
def revalue_orders(s, contract_idx, mark_ticks, room):
    """Write a new mark, and revalue what rests on both sides: `room` orders at most.

    Returns: how many more there may be; -1 if there were too many
    """
    tick_value = s.contracts[contract_idx]["tick_value_usd_micros"]
    first_book_idx = 2 * contract_idx
    old_buy_key = np.int64(s.books[first_book_idx]["mark_key"])
    old_sell_key = np.int64(s.books[first_book_idx + 1]["mark_key"])
    set_mark_and_band(s, contract_idx, mark_ticks)
    room = revalue_book(s, first_book_idx, old_buy_key, tick_value, room)
    return revalue_book(s, first_book_idx + 1, old_sell_key, tick_value, room)


@cold_kernel
def revalue_book(s, book_idx, old_mark_key, tick_value, room):
    """Take the price loss of resting orders anew; only levels better than a mark have any."""
    new_mark_key = np.int64(s.books[book_idx]["mark_key"])
    if new_mark_key == old_mark_key or room < 0:
        return room
    key = np.int64(s.books[book_idx]["best_key"])
    end_key = min(max(old_mark_key, new_mark_key), s.meta[0]["price_top"] + 1)
    while key < end_key:
        more_ticks = max(np.int64(0), new_mark_key - key) - max(np.int64(0), old_mark_key - key)
        order_idx = np.int64(level_of(s, book_idx, key)["head"])
        while order_idx != 0:
            if room == 0:
                return np.int64(-1)
            room -= 1
            order = s.orders[order_idx]
            more_usd_micros = order["leaves_lots"] * tick_value * more_ticks
            s.accounts[order["account_idx"]]["claims_usd_micros"] += more_usd_micros
            order_idx = np.int64(order["next"])
        key = next_key(s, book_idx, key + 1) if key < s.meta[0]["price_top"] else end_key
    return room


@cold_kernel
def settle(s, cmd):
    """Mark to the settlement price, turn every unsettled gain into cash, end orders for the day."""
    code = check_mark(s, cmd)
    if code != Code.OK:
        return code
    contract_idx = np.int64(cmd["contract_idx"])
    price_ticks = np.int64(cmd["price_ticks"])
    lot_gain_usd_micros, forgets = move_orders(s, contract_idx, price_ticks)
    contract = s.contracts[contract_idx]
    contract["settle_ticks"] = cmd["price_ticks"]
    new_day(s, contract_idx)
    s.calls[contract_idx]["daily_stage"] = 0
    take_guard_price(s, contract_idx, price_ticks)
    reply = emit(s, EventKind.SETTLED, 0, contract_idx)
    paid_usd_micros = pay_all(s, contract_idx, price_ticks, lot_gain_usd_micros, forgets)
    event = s.events[reply]
    event["price_ticks"] = cmd["price_ticks"]
    event["amount_usd_micros"] = paid_usd_micros
    end_day(s, contract_idx, reply)
    for place in range(contract["combinations_count"]):
        end_day(s, combination_of(s, contract_idx, place), reply)
    see_mark(s, cmd)
    return Code.OK


@cold_kernel
def end_day(s, contract_idx, first_event):
    """End a contract's orders and stops for the day, as many as the command may."""
    let_end(s, contract_idx, np.int64(Tif.DAY))
    end_lives(s, contract_idx, first_event)


@kernel
def pay_variation(s, position, account, contract_idx, price_ticks, amount_usd_micros):
    """Pay one holder, or take from it, and have nothing of it unsettled."""
    unsettled_usd_micros = position["unsettled_usd_micros"]
    if unsettled_usd_micros != 0:
        account["unsettled_usd_micros"] -= unsettled_usd_micros
        position["unsettled_usd_micros"] = 0
    if amount_usd_micros != 0:
        account["cash_usd_micros"] += amount_usd_micros
        event = s.events[emit(s, EventKind.VARIATION, position["account_idx"], contract_idx)]
        event["price_ticks"] = price_ticks
        event["qty_lots"] = position["qty_lots"]
        event["amount_usd_micros"] = amount_usd_micros


@cold_kernel
def pay_all(s, contract_idx, price_ticks, lot_gain_usd_micros, forgets):
    """Pay what is unsettled of every position, and what its lots gain now besides.

    A new mark and its payments are one walk over the holders; `forgets` as `move_orders` returned.

    Returns: what the gaining ones received, usd micros
    """
    paid_usd_micros = np.int64(0)
    position_idx = np.int64(s.contracts[contract_idx]["position_head"])
    while position_idx != 0:
        position = s.positions[position_idx]
        account = s.accounts[position["account_idx"]]
        amount_usd_micros = np.int64(position["unsettled_usd_micros"])
        amount_usd_micros += position["qty_lots"] * lot_gain_usd_micros
        paid_usd_micros += min(max(np.int64(0), amount_usd_micros), INT64_SAFE - paid_usd_micros)
        pay_variation(s, position, account, contract_idx, price_ticks, amount_usd_micros)
        if forgets:
            forget_losses(account)
        position_idx = np.int64(position["next_of_contract"])
    return paid_usd_micros
