"""Contracts: listing, trading states, price bands."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of
from matching.calls import begin_call, enter_call, leave_call, matches, remember_matching
from matching.clear import cancel_of_book, cancel_of_stops
from matching.codes import CallPhase, Code, EventKind, Side, TradingState
from matching.combinations import mark_by_legs, state_suits
from matching.days import check_block_rule, set_block_rule
from matching.deals import end_deals_of_contract
from matching.emit import emit, has_worked
from matching.guards import take_guard_price
from matching.implied_wake import wake_implied
from matching.legs import combination_of
from matching.limits import BPS, ENDS, POSITION_LOTS_MAX, QTY_LOTS_MAX, TICK_VALUE_USD_MICROS_MAX
from matching.peg_list import wake_pegs
from matching.pool import count_trading
from matching.state import STOP_BOOKS
from matching.triggers import empty_ladders, see_all
from matching.uncross import crossed, uncross
from matching.waiting import stop_book
from matching.words import high_half, low_half


@kernel
def contract_known(s, cmd):
    """Return whether the command names a contract there is."""
    return cmd["contract_idx"] >= 0 and cmd["contract_idx"] < s.meta[0]["contracts_count"]


@cold_kernel
def set_mark_and_band(s, contract_idx, mark_ticks):
    """Write a contract's mark, and what follows from it: band, and the keys of both books.

    A combination's mark is that of its legs, whatever is given.
    """
    contract = s.contracts[contract_idx]
    if contract["legs_count"] != 0:
        mark_by_legs(s, contract_idx)
        return
    top = s.meta[0]["price_top"]
    low_ticks = np.int64(1)
    high_ticks = top
    if contract["band_bps"] != 0:
        width_ticks = mark_ticks * contract["band_bps"] // BPS
        low_ticks = max(np.int64(1), mark_ticks - width_ticks)
        high_ticks = min(top, mark_ticks + width_ticks)
    contract["mark_ticks"] = mark_ticks
    contract["band_low_ticks"] = low_ticks
    contract["band_high_ticks"] = high_ticks
    for side in (np.int64(Side.BUY), np.int64(Side.SELL)):
        book = s.books[2 * contract_idx + side]
        book["gross_tick_value"] = contract["tick_value_usd_micros"]
        book["mark_key"] = key_of(s, side, mark_ticks)
        # The most aggressive price has the lowest key: the highest for a buy.
        book["band_key"] = key_of(s, side, low_ticks if side == Side.SELL else high_ticks)


@kernel
def check_listing(s, cmd):
    """Refuse a listing that is not sound."""
    meta = s.meta[0]
    if cmd["contract_idx"] < meta["contracts_count"]:
        return Code.CONTRACT_EXISTS
    if cmd["contract_idx"] > meta["contracts_count"]:
        return Code.CONTRACT_UNKNOWN
    if meta["contracts_count"] == meta["contracts_max"]:
        return Code.CONTRACTS_FULL
    if cmd["price_ticks"] < 1 or cmd["price_ticks"] > meta["price_top"]:
        return Code.PRICE_INVALID
    if cmd["amount_usd_micros"] < 1 or cmd["amount_usd_micros"] > TICK_VALUE_USD_MICROS_MAX:
        return Code.TICK_VALUE_INVALID
    if cmd["qty_lots"] <= 0:
        return Code.QTY_NOT_POSITIVE
    if cmd["qty_lots"] > QTY_LOTS_MAX:
        return Code.QTY_TOO_LARGE
    if cmd["order_id"] < 0 or cmd["order_id"] > BPS:
        return Code.BAND_INVALID
    if cmd["state"] < TradingState.PRE_OPEN or cmd["state"] > TradingState.EXPIRED:
        return Code.STATE_INVALID
    return check_block_rule(low_half(cmd["ref_id"]), high_half(cmd["ref_id"]))


@cold_kernel
def list_contract(s, cmd):
    """List the next contract; its index must be the count of contracts."""
    code = check_listing(s, cmd)
    if code != Code.OK:
        return code
    contract_idx = np.int64(cmd["contract_idx"])
    contract = s.contracts[contract_idx]
    contract["tick_value_usd_micros"] = cmd["amount_usd_micros"]
    contract["settle_ticks"] = cmd["price_ticks"]
    contract["qty_max_lots"] = cmd["qty_lots"]
    contract["plain_lots"] = POSITION_LOTS_MAX
    contract["band_bps"] = cmd["order_id"]
    contract["state"] = cmd["state"]
    contract["last_trade_ns"] = cmd["expires_ns"]
    contract["symbol_a"] = cmd["client_a"]
    contract["symbol_b"] = cmd["client_b"]
    contract["symbol_c"] = cmd["client_c"]
    contract["symbol_d"] = cmd["client_d"]
    set_block_rule(s, contract_idx, low_half(cmd["ref_id"]), high_half(cmd["ref_id"]))
    set_mark_and_band(s, contract_idx, np.int64(cmd["price_ticks"]))
    for book_idx in range(2 * contract_idx, 2 * contract_idx + 2):
        s.books[book_idx]["best_key"] = s.meta[0]["price_top"] + 1
    take_guard_price(s, contract_idx, np.int64(cmd["price_ticks"]))
    remember_matching(s, contract_idx, cmd["state"])
    if cmd["state"] == TradingState.AUCTION:
        enter_call(s, contract_idx, np.int64(CallPhase.MANUAL))
    empty_ladders(s, contract_idx)
    s.meta[0]["contracts_count"] += 1
    count_trading(s)
    event = s.events[emit(s, EventKind.LISTED, 0, contract_idx)]
    event["price_ticks"] = cmd["price_ticks"]
    return Code.OK


@cold_kernel
def set_state(s, cmd):
    """Set a contract's trading state; its end cancels every order, best first.

    Then the combinations of which it is a leg end the same way, in the order of their listing.
    """
    if not contract_known(s, cmd):
        return Code.CONTRACT_UNKNOWN
    if cmd["state"] < TradingState.PRE_OPEN or cmd["state"] > TradingState.EXPIRED:
        return Code.STATE_INVALID
    contract = s.contracts[cmd["contract_idx"]]
    if contract["state"] == TradingState.EXPIRED:
        return Code.CONTRACT_EXPIRED
    stays = cmd["state"] == TradingState.HALT or cmd["state"] == TradingState.EXPIRED
    if contract["ended"] != 0 and not stays:
        return Code.TRADING_ENDED
    if contract["delivers"] == 1 and cmd["state"] == TradingState.EXPIRED:
        return Code.CONTRACT_IN_DELIVERY
    if contract["legs_count"] != 0 and not state_suits(cmd["state"]):
        return Code.STATE_INVALID
    if s.meta[0]["halted"] != 0 and would_trade_in(s, cmd["contract_idx"], cmd["state"]):
        return Code.EXCHANGE_HALTED
    if cmd["state"] == TradingState.EXPIRED:
        first_event = np.int64(s.meta[0]["events_count"])
        end_contract(s, np.int64(cmd["contract_idx"]), first_event)
        end_combinations(s, np.int64(cmd["contract_idx"]), first_event)
        return Code.OK
    emit(s, EventKind.STATE_SET, 0, cmd["contract_idx"])
    change_state(s, np.int64(cmd["contract_idx"]), np.int64(cmd["state"]))
    wake_pegs(s, np.int64(cmd["contract_idx"]))
    wake_implied(s, np.int64(cmd["contract_idx"]))
    return Code.OK


@cold_kernel
def end_contract(s, contract_idx, first_event):
    """End a contract and cancel its orders, as many as a command may whose events begin here.

    What is left can do nothing any more, and goes behind the next commands.
    """
    emit(s, EventKind.STATE_SET, 0, contract_idx)
    change_state(s, contract_idx, np.int64(TradingState.EXPIRED))
    if not has_worked(s, first_event):
        cancel_of_contract(s, contract_idx, first_event)
    wake_end(s, contract_idx)
    end_deals_of_contract(s, contract_idx)


@cold_kernel
def cancel_of_contract(s, contract_idx, first_event):
    """Cancel orders of a contract that has ended: buys, sells, then stops, best first."""
    meta = s.meta[0]
    room = meta["command_events"] - (meta["events_count"] - first_event)
    for book_idx in range(2 * contract_idx, 2 * contract_idx + 2):
        room -= cancel_of_book(s, book_idx, room, Code.CONTRACT_ENDED)
    cancel_of_stops(s, contract_idx, room, Code.CONTRACT_ENDED)


@cold_kernel
def orders_left(s, contract_idx):
    """Return whether a contract has orders, or stops that do not sleep."""
    top = s.meta[0]["price_top"]
    best_key = min(s.books[2 * contract_idx]["best_key"], s.books[2 * contract_idx + 1]["best_key"])
    first_book_idx = stop_book(s, contract_idx, np.int64(0), np.int64(0))
    for book_idx in range(first_book_idx, first_book_idx + STOP_BOOKS):
        best_key = min(best_key, s.books[book_idx]["best_key"])
    return best_key <= top or s.watches[contract_idx]["queue_head"] != 0


@cold_kernel
def wake_end(s, contract_idx):
    """Have what is left of a contract that has ended go behind the next commands, if anything is.

    META.ends_first is where they look from: nothing is left of the contracts before it.
    """
    meta = s.meta[0]
    if orders_left(s, contract_idx):
        if (meta["aftermath"] & ENDS) == 0 or contract_idx < meta["ends_first"]:
            meta["ends_first"] = contract_idx
        meta["aftermath"] |= ENDS


@cold_kernel
def next_ended(s, contract_idx, end_idx):
    """Return the first contract from here on that has ended and has orders left, or `end_idx`."""
    while contract_idx < end_idx:
        contract = s.contracts[contract_idx]
        ended = contract["state"] == TradingState.EXPIRED or contract["delivers"] != 0
        if ended and orders_left(s, contract_idx):
            break
        contract_idx += 1
    return contract_idx


@cold_kernel
def end_step(s, first_event):
    """Cancel what is left of the first contract that has ended, or find that nothing is.

    Of all contracts there ever were most have ended; each step goes on where the last one was.
    """
    meta = s.meta[0]
    count, first_idx = np.int64(meta["contracts_count"]), np.int64(meta["ends_first"])
    contract_idx = np.int64(next_ended(s, first_idx, count))
    if contract_idx == count:
        contract_idx = np.int64(next_ended(s, np.int64(0), first_idx))
        if contract_idx == first_idx:
            meta["aftermath"] &= ~ENDS
            return
    meta["ends_first"] = contract_idx
    cancel_of_contract(s, contract_idx, first_event)


@cold_kernel
def end_combinations(s, leg_idx, first_event):
    """End what a contract that has ended is a leg of."""
    for place in range(s.contracts[leg_idx]["combinations_count"]):
        contract_idx = combination_of(s, leg_idx, place)
        if s.contracts[contract_idx]["state"] != TradingState.EXPIRED:
            end_contract(s, contract_idx, first_event)


@cold_kernel
def would_trade_in(s, contract_idx, state):
    """Return whether a state would uncross a contract: it leaves a call, or was crossed in a halt.

    Nothing trades while the exchange is halted, so it stays as it is until trading goes on.
    """
    if not matches(state):
        return False
    return s.calls[contract_idx]["phase"] != CallPhase.NONE or crossed(s, np.int64(contract_idx))


@cold_kernel
def change_state(s, contract_idx, state):
    """Go over to a state; where orders meet in it, nothing may be crossed any more."""
    contract, call = s.contracts[contract_idx], s.calls[contract_idx]
    remember_matching(s, contract_idx, state)
    if state == TradingState.AUCTION:
        none, phase = np.int64(0), np.int64(CallPhase.MANUAL)
        begin_call(s, contract_idx, phase, none, none, none)
    elif call["phase"] != CallPhase.NONE:
        leave_call(s, contract_idx, state)
    else:
        contract["state"] = state
        if matches(state) and crossed(s, contract_idx):
            uncross(s, contract_idx, np.int64(CallPhase.NONE), state)
        see_all(s, contract_idx)


@cold_kernel
def set_band(s, cmd):
    """Set how far from the mark an order may be priced; 0 for no band.

    With COMMAND.state 1 it is the protection of market orders that is set.
    """
    if not contract_known(s, cmd):
        return Code.CONTRACT_UNKNOWN
    if cmd["order_id"] < 0 or cmd["order_id"] > BPS:
        return Code.BAND_INVALID
    if cmd["state"] < 0 or cmd["state"] > 1:
        return Code.BAND_INVALID
    contract_idx = np.int64(cmd["contract_idx"])
    contract = s.contracts[contract_idx]
    if cmd["state"] == 1 and contract["legs_count"] != 0:
        return Code.COMBINATION_FOLLOWS_LEGS  # a share of a difference means nothing
    if cmd["state"] == 1:
        contract["protection_bps"] = cmd["order_id"]
    else:
        contract["band_bps"] = cmd["order_id"]
    set_mark_and_band(s, contract_idx, np.int64(contract["mark_ticks"]))
    wake_pegs(s, contract_idx)
    wake_implied(s, contract_idx)
    emit(s, EventKind.BAND_SET, 0, contract_idx)
    return Code.OK
