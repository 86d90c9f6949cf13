"""Protections as commands: the dead man's timer, the kill switch, the halt, the sweep."""

import numpy as np

from matching._jit import cold_kernel
from matching.accounts import account_known
from matching.clear import (
    ALL_CONTRACTS,
    BOTH_SIDES,
    cancel_of_book,
    cancel_of_stops,
    cancel_orders,
    say_cancelled,
)
from matching.codes import AccountState, Code, EventKind
from matching.emit import emit
from matching.expiry import add_expiry
from matching.implied_wake import wake_combination
from matching.limits import CANCEL_AFTER_NS_MAX, SWEEP_ORDERS_MAX, TIMERS_PER_ACCOUNT
from matching.peg_list import wake_pegs
from matching.pool import count_trading
from matching.timers import disarm, entry_id, timer_place
from matching.triggers import see_all


@cold_kernel
def cancel_all_after(s, cmd):
    """Arm a timer, put it off, or disarm it with 0."""
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    if cmd["state"] < 0 or cmd["state"] >= TIMERS_PER_ACCOUNT:
        return Code.TIMEOUT_INVALID
    if cmd["expires_ns"] < 0 or cmd["expires_ns"] > CANCEL_AFTER_NS_MAX:
        return Code.TIMEOUT_INVALID
    place = timer_place(cmd["account_idx"], np.int64(cmd["state"]))
    timer = s.timers[place]
    due_ns = np.int64(0)
    if cmd["expires_ns"] != 0:
        due_ns = s.meta[0]["now_ns"] + cmd["expires_ns"]
    timer["due_ns"] = due_ns
    if due_ns != 0 and (timer["wake_ns"] == 0 or due_ns < timer["wake_ns"]):
        timer["wake_ns"] = due_ns
        add_expiry(s, due_ns, entry_id(place))
    reply = emit(s, EventKind.TIMER_SET, cmd["account_idx"], ALL_CONTRACTS)
    s.events[reply]["side"] = cmd["state"]
    return Code.OK


@cold_kernel
def kill_account(s, cmd):
    """Freeze an account and cancel everything it has; if that is much, the same command goes on."""
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    account_idx = np.int64(cmd["account_idx"])
    s.accounts[account_idx]["state"] = AccountState.FROZEN
    disarm(s, account_idx)
    reply = emit(s, EventKind.ACCOUNT_KILLED, account_idx, ALL_CONTRACTS)
    count, more, behind_id = cancel_orders(
        s, account_idx, ALL_CONTRACTS, BOTH_SIDES, np.int64(0), Code.CANCELLED_BY_KILL
    )
    say_cancelled(s, reply, account_idx, count, more, behind_id)
    return Code.OK


@cold_kernel
def halt_exchange(s, cmd):
    """Halt the whole exchange, or resume; cancels are always allowed."""
    if cmd["state"] != 0 and cmd["state"] != 1:
        return Code.STATE_INVALID
    s.meta[0]["halted"] = cmd["state"]
    count_trading(s)
    for contract_idx in range(s.meta[0]["contracts_count"]):
        wake_pegs(s, np.int64(contract_idx))
        wake_combination(s, np.int64(contract_idx))
    reply = emit(s, EventKind.HALT_SET, 0, ALL_CONTRACTS)
    s.events[reply]["qty_lots"] = cmd["state"]
    for contract_idx in range(s.meta[0]["contracts_count"]):
        see_all(s, np.int64(contract_idx))
    return Code.OK


@cold_kernel
def sweep(s, cmd):
    """Cancel at most so many orders, of all contracts in turn or of one; say what is left."""
    meta = s.meta[0]
    if cmd["contract_idx"] < -1 or cmd["contract_idx"] >= meta["contracts_count"]:
        return Code.CONTRACT_UNKNOWN
    if cmd["qty_lots"] < 1:
        return Code.QTY_NOT_POSITIVE
    if cmd["qty_lots"] > SWEEP_ORDERS_MAX:
        return Code.QTY_TOO_LARGE
    reply = emit(s, EventKind.SWEPT, 0, cmd["contract_idx"])
    first, end = np.int64(0), np.int64(meta["contracts_count"])
    if cmd["contract_idx"] >= 0:
        first, end = np.int64(cmd["contract_idx"]), np.int64(cmd["contract_idx"]) + 1
    count = np.int64(0)
    for book_idx in range(2 * first, 2 * end):
        left = cmd["qty_lots"] - count
        count += cancel_of_book(s, np.int64(book_idx), left, Code.CANCELLED_BY_KILL)
    for contract_idx in range(first, end):
        left = cmd["qty_lots"] - count
        count += cancel_of_stops(s, np.int64(contract_idx), left, Code.CANCELLED_BY_KILL)
    s.events[reply]["qty_lots"] = count
    s.events[reply]["leaves_lots"] = meta["orders_open"]
    return Code.OK
