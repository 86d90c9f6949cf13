"""Variation cycles: what is unsettled becomes cash between two daily settlements."""

import numpy as np

from matching._jit import cold_kernel
from matching.codes import Code, Cycle, EventKind, TradingState
from matching.contracts import contract_known
from matching.emit import emit
from matching.marks import pay_all


@cold_kernel
def collect(s, cmd):
    """Turn every unsettled gain of a contract into cash, at its mark; nothing else changes.

    Work: the holders of the contract, as in a settlement.
    """
    if not contract_known(s, cmd):
        return Code.CONTRACT_UNKNOWN
    contract = s.contracts[cmd["contract_idx"]]
    if contract["legs_count"] != 0:
        return Code.COMBINATION_FOLLOWS_LEGS
    if contract["state"] == TradingState.EXPIRED:
        return Code.CONTRACT_EXPIRED
    if cmd["state"] < Cycle.MIDDAY or cmd["state"] > Cycle.MEMBER_LOST:
        return Code.CYCLE_INVALID
    contract_idx, price_ticks = np.int64(cmd["contract_idx"]), np.int64(contract["mark_ticks"])
    reply = emit(s, EventKind.COLLECTED, 0, contract_idx)
    paid_usd_micros = pay_all(s, contract_idx, price_ticks)
    event = s.events[reply]
    event["price_ticks"] = price_ticks
    event["order_id"] = cmd["state"]
    event["amount_usd_micros"] = paid_usd_micros
    return Code.OK
