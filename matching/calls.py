"""Call auctions: orders gather and may cross, then all trade at one price.

A call begins by command or because a guard was touched, says its indicative price at most once a
second, and ends by command or on the first TICK at or after its end, which is drawn from the
number and the time of the command that began it.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import (
    CallPhase,
    Code,
    EventKind,
    Tif,
    TradingState,
)
from matching.emit import emit, has_worked
from matching.equilibrium import equilibrium
from matching.guards import beyond_day, set_guard_keys
from matching.implied_wake import wake_implied
from matching.life_ends import end_all_of
from matching.lifetimes import let_end
from matching.limits import DRAW_PRIME, INDICATIVE_EVERY_NS
from matching.peg_list import wake_pegs
from matching.triggers import see_all
from matching.uncross import say_price, uncross

NONE = np.int64(0)


@kernel
def matches(state):
    """Return whether orders meet in this state, so that its book may not be crossed."""
    return state == TradingState.CONTINUOUS or state == TradingState.CLOSE_ONLY


@kernel
def remember_matching(s, contract_idx, state):
    """Remember the last state in which orders met: a call goes back to it, behind a halt too."""
    if matches(state):
        s.calls[contract_idx]["after"] = state


@kernel
def wake_by(s, ts_ns):
    """Have a TICK come at this time, 0 for none."""
    meta = s.meta[0]
    if ts_ns != 0 and (meta["next_call_ns"] == 0 or ts_ns < meta["next_call_ns"]):
        meta["next_call_ns"] = ts_ns


@cold_kernel
def drawn_ns(s, contract_idx, window_ns):
    """Draw a part of a window from the journal: from the command's number and its time.

    Rounds of a multiplicative generator; every product is below 2^48.
    """
    seq, ts_ns = s.meta[0]["seq"], s.meta[0]["now_ns"]
    drawn = np.int64(1)
    for word in (seq, ts_ns, seq // DRAW_PRIME, ts_ns // DRAW_PRIME, contract_idx, NONE, NONE):
        drawn = (drawn * 48_271 + word % DRAW_PRIME) % DRAW_PRIME
    return drawn * (window_ns // 1_000) // DRAW_PRIME * 1_000


@cold_kernel
def enter_call(s, contract_idx, phase):
    """Put a contract into a call without a time; one that runs keeps its market orders' limits."""
    contract, call = s.contracts[contract_idx], s.calls[contract_idx]
    if call["phase"] == CallPhase.NONE:
        if not matches(call["after"]):
            call["after"] = TradingState.CONTINUOUS
        call["edge_low_ticks"] = contract["band_low_ticks"]
        call["edge_high_ticks"] = contract["band_high_ticks"]
    contract["state"] = TradingState.AUCTION
    call["phase"] = phase
    call["ends_ns"] = 0
    call["ends_after_ns"] = 0
    call["ends_before_ns"] = 0
    call["indicative_due_ns"] = s.meta[0]["now_ns"] + INDICATIVE_EVERY_NS
    wake_by(s, call["indicative_due_ns"])


@cold_kernel
def begin_call(s, contract_idx, phase, ends_after_ns, window_ns, code):
    """Begin a call, or give the one that runs another phase and end, and say so."""
    enter_call(s, contract_idx, phase)
    call = s.calls[contract_idx]
    if ends_after_ns != 0:
        call["ends_after_ns"] = ends_after_ns
        call["ends_before_ns"] = ends_after_ns + window_ns
        call["ends_ns"] = ends_after_ns + drawn_ns(s, contract_idx, window_ns)
        wake_by(s, call["ends_ns"])
    event = s.events[emit(s, EventKind.CALL_STARTED, 0, contract_idx)]
    event["order_id"] = phase
    event["code"] = code
    event["price_ticks"] = s.contracts[contract_idx]["mark_ticks"]
    event["amount_usd_micros"] = ends_after_ns
    let_end(s, contract_idx, np.int64(Tif.GFN))


@cold_kernel
def call_for_volatility(s, contract_idx, code):
    """Begin the call that a guard asks for; a daily limit once reached gives way to the next."""
    call = s.calls[contract_idx]
    if code == Code.PRICE_MOVED_FAR:
        call["daily_stage"] += 1
        set_guard_keys(s, contract_idx)
    ends_after_ns = s.meta[0]["now_ns"] + call["call_ns"]
    phase = np.int64(CallPhase.VOLATILITY)
    begin_call(s, contract_idx, phase, ends_after_ns, np.int64(call["window_ns"]), code)


@cold_kernel
def say_indicative(s, contract_idx):
    """Say the indicative price if it is another one than was said last."""
    call = s.calls[contract_idx]
    call["indicative_due_ns"] = s.meta[0]["now_ns"] + INDICATIVE_EVERY_NS
    price_ticks, lots, imbalance_lots = equilibrium(s, contract_idx)
    same = price_ticks == call["indicative_ticks"] and lots == call["indicative_lots"]
    if same and imbalance_lots == call["imbalance_lots"]:
        return
    call["indicative_ticks"] = price_ticks
    call["indicative_lots"] = lots
    call["imbalance_lots"] = imbalance_lots
    say_price(s, EventKind.INDICATIVE, contract_idx, price_ticks, lots, imbalance_lots)


@cold_kernel
def leave_call(s, contract_idx, state):
    """End a call: trade if orders meet in the next state, and cancel what was for the call only."""
    call = s.calls[contract_idx]
    phase = np.int64(call["phase"])
    s.contracts[contract_idx]["state"] = state
    call["phase"] = CallPhase.NONE
    call["ends_ns"] = 0
    call["ends_after_ns"] = 0
    call["ends_before_ns"] = 0
    call["indicative_due_ns"] = 0
    call["indicative_ticks"] = 0
    call["indicative_lots"] = 0
    call["imbalance_lots"] = 0
    if matches(state):
        uncross(s, contract_idx, phase, np.int64(state))
    end_all_of(s, contract_idx, np.int64(Tif.GFA), Code.AUCTION_ENDED)
    wake_pegs(s, contract_idx)
    wake_implied(s, contract_idx)
    see_all(s, contract_idx)


@cold_kernel
def end_in_time(s, contract_idx):
    """End a call whose time has come; a price beyond the daily limit calls again instead."""
    call = s.calls[contract_idx]
    price_ticks, lots, _ = equilibrium(s, contract_idx)
    if lots > 0 and beyond_day(s, contract_idx, price_ticks):
        call_for_volatility(s, contract_idx, np.int64(Code.PRICE_MOVED_FAR))
        return
    leave_call(s, contract_idx, np.int64(call["after"]))


@cold_kernel
def run_calls(s, first_event):
    """Do what is due in the calls: end them, or say their indicative price; what a TICK may.

    While the exchange is halted nothing is: the first tick behind the halt comes back to it.
    """
    meta = s.meta[0]
    now_ns = meta["now_ns"]
    if meta["next_call_ns"] == 0 or now_ns < meta["next_call_ns"] or meta["halted"] != 0:
        return
    meta["next_call_ns"] = 0
    for contract_idx in range(meta["contracts_count"]):
        call = s.calls[contract_idx]
        if call["phase"] == CallPhase.NONE:
            continue
        if has_worked(s, first_event):
            pass
        elif call["ends_ns"] != 0 and now_ns >= call["ends_ns"]:
            end_in_time(s, np.int64(contract_idx))
        elif now_ns >= call["indicative_due_ns"]:
            say_indicative(s, np.int64(contract_idx))
        wake_by(s, call["ends_ns"])
        wake_by(s, call["indicative_due_ns"])
