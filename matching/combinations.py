"""Combinations as contracts: listed by their legs, marked and margined by them, ended with them."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import Code, EventKind, TradingState
from matching.emit import emit
from matching.guards import take_guard_price
from matching.implied_wake import let_legs_know, wake_combination
from matching.legs import is_spread, leg_of, spread_base
from matching.limits import (
    COMBINATIONS_PER_LEG_MAX,
    LEGS_MAX,
    QTY_LOTS_MAX,
    TICK_VALUE_USD_MICROS_MAX,
)
from matching.pool import count_trading
from matching.triggers import empty_ladders
from matching.units import take_units_of
from matching.wire import LEG_BITS, LEGS_PER_WORD

BPS = 10_000
UNUSED_BITS = 64 - LEG_BITS


@kernel
def named_leg(cmd, place):
    """Return a leg as a listing names it: its index plus one, negative when sold, 0 for none."""
    word = np.int64(cmd["price_ticks"])
    if place >= 2 * LEGS_PER_WORD:
        word = np.int64(cmd["expires_ns"])
    elif place >= LEGS_PER_WORD:
        word = np.int64(cmd["amount_usd_micros"])
    return (word << (UNUSED_BITS - LEG_BITS * (place % LEGS_PER_WORD))) >> UNUSED_BITS


@kernel
def legs_named(cmd):
    """Return how many legs a listing names."""
    count = np.int64(0)
    while count < LEGS_MAX and named_leg(cmd, count) != 0:
        count += 1
    return count


@cold_kernel
def check_leg(s, cmd, place):
    """Refuse a leg that cannot be one, or cannot stand in this place."""
    named = named_leg(cmd, place)
    leg_idx = abs(named) - 1
    if leg_idx >= s.meta[0]["contracts_count"] or s.contracts[leg_idx]["legs_count"] != 0:
        return Code.COMBINATION_LEGS_INVALID
    if named < 0 and (place != 1 or legs_named(cmd) != 2):
        return Code.COMBINATION_LEGS_INVALID
    for before in range(place):
        if abs(named_leg(cmd, before)) == abs(named):
            return Code.COMBINATION_LEGS_INVALID
    if s.contracts[leg_idx]["state"] == TradingState.EXPIRED:
        return Code.CONTRACT_EXPIRED
    if s.contracts[leg_idx]["combinations_count"] == COMBINATIONS_PER_LEG_MAX:
        return Code.LEG_COMBINATIONS_FULL
    return Code.OK


@cold_kernel
def tick_value_of_legs(s, cmd):
    """Return what a tick of the combination is worth, of one lot.

    A tick of a strip moves every leg by one, a tick of a spread the leg of the larger value.
    """
    added = largest = np.int64(0)
    for place in range(legs_named(cmd)):
        leg_idx = abs(named_leg(cmd, place)) - 1
        tick_value = s.contracts[leg_idx]["tick_value_usd_micros"]
        added += tick_value
        largest = max(largest, tick_value)
    return largest if named_leg(cmd, np.int64(1)) < 0 else added


@cold_kernel
def check_combination(s, cmd):
    """Refuse a combination that is not sound."""
    meta = s.meta[0]
    if cmd["contract_idx"] < meta["contracts_count"]:
        return Code.CONTRACT_EXISTS
    if cmd["contract_idx"] > meta["contracts_count"]:
        return Code.CONTRACT_UNKNOWN
    if meta["contracts_count"] == meta["contracts_max"]:
        return Code.CONTRACTS_FULL
    count = legs_named(cmd)
    if count < 2:
        return Code.COMBINATION_LEGS_INVALID
    for place in range(count):
        code = check_leg(s, cmd, np.int64(place))
        if code != Code.OK:
            return code
    if tick_value_of_legs(s, cmd) > TICK_VALUE_USD_MICROS_MAX:
        return Code.TICK_VALUE_INVALID
    if cmd["qty_lots"] <= 0:
        return Code.QTY_NOT_POSITIVE
    if cmd["qty_lots"] > QTY_LOTS_MAX:
        return Code.QTY_TOO_LARGE
    if cmd["order_id"] < 0 or cmd["order_id"] > BPS:
        return Code.BAND_INVALID
    if not state_suits(cmd["state"]):
        return Code.STATE_INVALID
    if cmd["ref_id"] < 0 or cmd["ref_id"] > 1:
        return Code.IMPLIED_INVALID
    return Code.OK


@kernel
def state_suits(state):
    """Return whether a combination may be in a state: it has no auctions and no positions."""
    if state == TradingState.PRE_OPEN or state == TradingState.HALT:
        return True
    return state == TradingState.CONTINUOUS or state == TradingState.EXPIRED


@cold_kernel
def list_combination(s, cmd):
    """List a combination as the next contract."""
    code = check_combination(s, cmd)
    if code != Code.OK:
        return code
    contract_idx = np.int64(cmd["contract_idx"])
    contract = s.contracts[contract_idx]
    contract["tick_value_usd_micros"] = tick_value_of_legs(s, cmd)
    contract["qty_max_lots"] = cmd["qty_lots"]
    contract["band_bps"] = cmd["order_id"]
    contract["state"] = cmd["state"]
    contract["symbol_a"] = cmd["client_a"]
    contract["symbol_b"] = cmd["client_b"]
    contract["symbol_c"] = cmd["client_c"]
    contract["symbol_d"] = cmd["client_d"]
    contract["legs_count"] = legs_named(cmd)
    contract["implied"] = cmd["ref_id"]
    take_legs(s, cmd, contract_idx)
    join_legs(s, contract_idx)
    mark_by_legs(s, contract_idx)
    contract["settle_ticks"] = contract["mark_ticks"]
    shock_by_legs(s, contract_idx)
    for book_idx in range(2 * contract_idx, 2 * contract_idx + 2):
        s.books[book_idx]["best_key"] = s.meta[0]["price_top"] + 1
    take_units_of(s, contract_idx)
    take_guard_price(s, contract_idx, np.int64(contract["mark_ticks"]))
    empty_ladders(s, contract_idx)
    s.meta[0]["contracts_count"] += 1
    count_trading(s)
    event = s.events[emit(s, EventKind.COMBINATION_LISTED, 0, contract_idx)]
    event["price_ticks"] = contract["mark_ticks"]
    return Code.OK


@cold_kernel
def set_implied(s, cmd):
    """Let a combination's orders trade with those of its legs, or no longer: `state` 1 or 0."""
    meta = s.meta[0]
    if cmd["contract_idx"] < 0 or cmd["contract_idx"] >= meta["contracts_count"]:
        return Code.CONTRACT_UNKNOWN
    contract_idx = np.int64(cmd["contract_idx"])
    contract = s.contracts[contract_idx]
    if contract["legs_count"] == 0 or cmd["state"] < 0 or cmd["state"] > 1:
        return Code.IMPLIED_INVALID
    if contract["state"] == TradingState.EXPIRED:
        return Code.CONTRACT_EXPIRED
    contract["implied"] = cmd["state"]
    contract["implied_waits"] = 0
    let_legs_know(s, contract_idx)
    wake_combination(s, contract_idx)
    event = s.events[emit(s, EventKind.IMPLIED_SET, 0, contract_idx)]
    event["qty_lots"] = cmd["state"]
    return Code.OK


@kernel
def take_legs(s, cmd, contract_idx):
    """Write the legs, and the end of trading: the first of theirs."""
    contract = s.contracts[contract_idx]
    for place in range(contract["legs_count"]):
        named = named_leg(cmd, np.int64(place))
        leg = leg_of(s, contract_idx, place)
        leg["contract_idx"] = abs(named) - 1
        leg["ratio"] = 1 if named > 0 else -1
        ends_ns = s.contracts[abs(named) - 1]["last_trade_ns"]
        if ends_ns != 0 and (contract["last_trade_ns"] == 0 or ends_ns < contract["last_trade_ns"]):
            contract["last_trade_ns"] = ends_ns


@cold_kernel
def join_legs(s, contract_idx):
    """Let each leg know the combination; the lists are rebuilt, never saved."""
    for place in range(s.contracts[contract_idx]["legs_count"]):
        leg_idx = np.int64(leg_of(s, contract_idx, place)["contract_idx"])
        count = np.int64(s.contracts[leg_idx]["combinations_count"])
        s.combinations[leg_idx * COMBINATIONS_PER_LEG_MAX + count] = contract_idx
        s.contracts[leg_idx]["combinations_count"] = count + 1


@cold_kernel
def mark_by_legs(s, contract_idx):
    """Write what follows from the marks of the legs: mark, band, and the keys of both books.

    A strip's mark is the mean of its legs': rounded down for buys and up for sells, so that no
    price loss is too small. A spread's may be outside the domain of its prices, its band is not.
    """
    contract = s.contracts[contract_idx]
    one, top, count = np.int64(1), s.meta[0]["price_top"], np.int64(contract["legs_count"])
    net_ticks = gross_ticks = np.int64(0)
    for place in range(count):
        leg = leg_of(s, contract_idx, place)
        mark_ticks = s.contracts[leg["contract_idx"]]["mark_ticks"]
        net_ticks += mark_ticks * leg["ratio"]
        gross_ticks += mark_ticks
    low_mark_ticks, high_mark_ticks, gross_lots = net_ticks // count, -(-net_ticks // count), one
    if is_spread(s, contract_idx):
        low_mark_ticks = high_mark_ticks = spread_base(s) + net_ticks
        gross_lots = np.int64(2)
    width_ticks = gross_ticks // count * contract["band_bps"] // BPS
    if contract["band_bps"] == 0:
        width_ticks = 2 * top
    contract["mark_ticks"] = low_mark_ticks
    contract["band_low_ticks"] = min(max(one, low_mark_ticks - width_ticks), top)
    contract["band_high_ticks"] = min(max(one, low_mark_ticks + width_ticks), top)
    buys, sells = s.books[2 * contract_idx], s.books[2 * contract_idx + 1]
    buys["mark_key"] = top - low_mark_ticks
    sells["mark_key"] = high_mark_ticks
    buys["band_key"] = top - contract["band_high_ticks"]
    sells["band_key"] = contract["band_low_ticks"]
    buys["gross_tick_value"] = gross_lots * contract["tick_value_usd_micros"]
    sells["gross_tick_value"] = gross_lots * contract["tick_value_usd_micros"]


@cold_kernel
def shock_by_legs(s, contract_idx):
    """Take a combination's live shocks from its legs'."""
    scenarios_max = s.meta[0]["scenarios_max"]
    for scenario in range(scenarios_max):
        shock = np.int64(0)
        for place in range(s.contracts[contract_idx]["legs_count"]):
            leg = leg_of(s, contract_idx, place)
            shock += s.shocks[leg["contract_idx"] * scenarios_max + scenario] * leg["ratio"]
        s.shocks[contract_idx * scenarios_max + scenario] = shock
