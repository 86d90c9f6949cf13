"""Variation cycles: what is unsettled becomes cash between two daily settlements."""

import numpy as np

from matching._jit import cold_kernel
from matching.codes import Code, Cycle, EventKind, TradingState
from matching.contracts import contract_known
from matching.emit import emit
from matching.guards import set_guard_keys
from matching.implied_wake import wake_implied
from matching.marks import pay_all


@cold_kernel
def check_correction(s, cmd):
    """Refuse a settlement price for another one than the last, or too late; the first is taken."""
    if cmd["price_ticks"] < 1 or cmd["price_ticks"] > s.meta[0]["price_top"]:
        return Code.PRICE_INVALID
    if s.contracts[cmd["contract_idx"]]["delivers"] != 0:
        return Code.CONTRACT_IN_DELIVERY
    if cmd["ts_ns"] >= cmd["amount_usd_micros"]:
        return Code.SETTLEMENT_FINAL
    if s.contracts[cmd["contract_idx"]]["settle_ticks"] != cmd["qty_lots"]:
        return Code.SETTLEMENT_MOVED
    return Code.OK


@cold_kernel
def correct_settlement(s, cmd):
    """Take another price for the last settlement's; the daily limit measures from it now."""
    contract_idx = np.int64(cmd["contract_idx"])
    s.contracts[contract_idx]["settle_ticks"] = cmd["price_ticks"]
    set_guard_keys(s, contract_idx)
    wake_implied(s, contract_idx)


@cold_kernel
def collect(s, cmd):
    """Turn every unsettled gain of a contract into cash, at its mark; nothing else changes.

    A correction replaces the last settlement price, too. Who was paid by the price that was wrong
    and has closed since is paid what it lacks like everybody: no cash depends on that price then.

    Work: the holders of the contract, as in a settlement.
    """
    if not contract_known(s, cmd):
        return Code.CONTRACT_UNKNOWN
    contract = s.contracts[cmd["contract_idx"]]
    if contract["legs_count"] != 0:
        return Code.COMBINATION_FOLLOWS_LEGS
    if contract["state"] == TradingState.EXPIRED:
        return Code.CONTRACT_EXPIRED
    if cmd["state"] < Cycle.MIDDAY or cmd["state"] > Cycle.CORRECTION:
        return Code.CYCLE_INVALID
    if cmd["state"] == Cycle.CORRECTION:
        code = check_correction(s, cmd)
        if code != Code.OK:
            return code
        correct_settlement(s, cmd)
    contract_idx, price_ticks = np.int64(cmd["contract_idx"]), np.int64(contract["mark_ticks"])
    reply = emit(s, EventKind.COLLECTED, 0, contract_idx)
    paid_usd_micros = pay_all(s, contract_idx, price_ticks, np.int64(0), False)
    event = s.events[reply]
    event["price_ticks"] = price_ticks
    event["order_id"] = cmd["state"]
    event["amount_usd_micros"] = paid_usd_micros
    return Code.OK
