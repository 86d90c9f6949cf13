"""Call auctions and guards as commands."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.calls import begin_call, call_for_volatility, leave_call, matches
from matching.codes import CALL_IF_DUE, CallPhase, Code, EventKind, TradingState
from matching.contracts import contract_known
from matching.emit import emit
from matching.guards import take_guard_price
from matching.limits import BPS, CALL_NS_MAX, CALL_WINDOW_NS_MAX, GUARDS
from matching.words import high_half, low_half


@kernel
def check_start(s, cmd):
    """Refuse a call that is not sound."""
    if not contract_known(s, cmd):
        return Code.CONTRACT_UNKNOWN
    if s.contracts[cmd["contract_idx"]]["legs_count"] != 0:
        return Code.COMBINATION_FOLLOWS_LEGS
    if cmd["state"] < CallPhase.OPENING or cmd["state"] > CallPhase.MANUAL:
        return Code.AUCTION_INVALID
    if cmd["amount_usd_micros"] < 0 or cmd["amount_usd_micros"] > CALL_WINDOW_NS_MAX:
        return Code.AUCTION_INVALID
    now_ns = s.meta[0]["now_ns"]
    if cmd["expires_ns"] == 0:
        if cmd["amount_usd_micros"] != 0:
            return Code.AUCTION_INVALID
    elif cmd["expires_ns"] <= now_ns or cmd["expires_ns"] - now_ns > CALL_NS_MAX:
        return Code.AUCTION_INVALID
    if s.contracts[cmd["contract_idx"]]["state"] == TradingState.EXPIRED:
        return Code.CONTRACT_EXPIRED
    if s.contracts[cmd["contract_idx"]]["ended"] != 0:
        return Code.TRADING_ENDED
    if cmd["flags"] == CALL_IF_DUE and not call_due(s, cmd):
        return Code.CALL_NOT_DUE
    return Code.OK


@kernel
def call_due(s, cmd):
    """Return whether a contract is in the state that a call of the calendar begins from."""
    state = s.contracts[cmd["contract_idx"]]["state"]
    if cmd["state"] == CallPhase.OPENING:
        return state == TradingState.PRE_OPEN
    return matches(state)


@cold_kernel
def start_call(s, cmd):
    """Begin a call: COMMAND.state is its phase, expires_ns its earliest end (0: END_CALL ends it).

    It lasts up to amount_usd_micros nanoseconds longer; nobody knows how long before it ends. With
    flags CALL_IF_DUE it begins only from the state that it is meant for: of two that begin the same
    call one does, and what an operator halted meanwhile stays halted.
    """
    code = check_start(s, cmd)
    if code != Code.OK:
        return code
    contract_idx, phase = np.int64(cmd["contract_idx"]), np.int64(cmd["state"])
    ends_after_ns, window_ns = np.int64(cmd["expires_ns"]), np.int64(cmd["amount_usd_micros"])
    begin_call(s, contract_idx, phase, ends_after_ns, window_ns, np.int64(Code.OK))
    return Code.OK


@cold_kernel
def end_call(s, cmd):
    """End a call now: uncross, then the state it came from."""
    if not contract_known(s, cmd):
        return Code.CONTRACT_UNKNOWN
    contract_idx = np.int64(cmd["contract_idx"])
    if s.contracts[contract_idx]["state"] != TradingState.AUCTION:
        return Code.AUCTION_NOT_RUNNING
    if s.meta[0]["halted"] != 0:
        return Code.EXCHANGE_HALTED
    leave_call(s, contract_idx, np.int64(s.calls[contract_idx]["after"]))
    return Code.OK


@kernel
def check_guard(s, cmd):
    """Refuse guards that are not sound."""
    if not contract_known(s, cmd):
        return Code.CONTRACT_UNKNOWN
    if s.contracts[cmd["contract_idx"]]["legs_count"] != 0:
        return Code.COMBINATION_FOLLOWS_LEGS
    velocity_bps, velocity_ns = cmd["price_ticks"], cmd["amount_usd_micros"]
    daily_bps, daily_next_bps = low_half(cmd["order_id"]), high_half(cmd["order_id"])
    call_ns, window_ns = cmd["expires_ns"], cmd["qty_lots"]
    if velocity_bps < 0 or velocity_bps > BPS or velocity_ns < 0 or velocity_ns > CALL_NS_MAX:
        return Code.GUARD_INVALID
    if (velocity_bps == 0) != (velocity_ns == 0):
        return Code.GUARD_INVALID
    if daily_bps < 0 or daily_bps > BPS or daily_next_bps < 0 or daily_next_bps > BPS:
        return Code.GUARD_INVALID
    if daily_next_bps != 0 and (daily_bps == 0 or daily_next_bps <= daily_bps):
        return Code.GUARD_INVALID
    if call_ns < 0 or call_ns > CALL_NS_MAX or window_ns < 0 or window_ns > CALL_WINDOW_NS_MAX:
        return Code.GUARD_INVALID
    if call_ns == 0 and (velocity_bps | daily_bps | window_ns) != 0:
        return Code.GUARD_INVALID
    return Code.OK


@cold_kernel
def set_guard(s, cmd):
    """Set the guards of a contract.

    price_ticks: basis points of the velocity guard, amount_usd_micros: its window in ns; order_id:
    the daily limit in basis points (low half) and the next one (high half); expires_ns: how long
    the call lasts that they start, qty_lots: and how much longer at most, in ns. Zeros: none.
    """
    code = check_guard(s, cmd)
    if code != Code.OK:
        return code
    contract_idx = np.int64(cmd["contract_idx"])
    call = s.calls[contract_idx]
    call["velocity_bps"] = cmd["price_ticks"]
    call["velocity_ns"] = cmd["amount_usd_micros"]
    call["daily_bps"] = low_half(cmd["order_id"])
    call["daily_next_bps"] = high_half(cmd["order_id"])
    call["call_ns"] = cmd["expires_ns"]
    call["window_ns"] = cmd["qty_lots"]
    call["guard_set"] = 1
    take_guard_price(s, contract_idx, np.int64(s.contracts[contract_idx]["mark_ticks"]))
    emit(s, EventKind.GUARD_SET, 0, contract_idx)
    return Code.OK


@cold_kernel
def guard_step(s):
    """Begin the call of the first contract whose guard was touched, or find that there is none."""
    for contract_idx in range(s.meta[0]["contracts_count"]):
        call = s.calls[contract_idx]
        if call["breach"] != 0:
            code = np.int64(call["breach"])
            call["breach"] = 0
            if matches(s.contracts[contract_idx]["state"]):
                call_for_volatility(s, np.int64(contract_idx), code)
            return
    s.meta[0]["aftermath"] &= ~GUARDS
