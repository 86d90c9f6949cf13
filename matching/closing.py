"""The last two commands of a contract's life: when its trading ends, and what closes positions."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import Code, EventKind, TradingState
from matching.contracts import contract_known
from matching.emit import emit
from matching.ending import wake_for_end
from matching.limits import INT64_SAFE
from matching.marks import pay_variation
from matching.risk import forget_bound
from matching.uncross import EVENT_LOTS_MAX
from matching.worst import forget_worst

NONE = np.int64(0)


@cold_kernel
def set_last_trade(s, cmd):
    """Set the last moment of trading, expires_ns; 0 for never. A later one than now begins anew.

    A contract that was halted at its end stays so until it is set to another state.
    """
    if not contract_known(s, cmd):
        return Code.CONTRACT_UNKNOWN
    contract_idx = np.int64(cmd["contract_idx"])
    contract = s.contracts[contract_idx]
    if contract["legs_count"] != 0:
        return Code.COMBINATION_FOLLOWS_LEGS
    if cmd["expires_ns"] < 0:
        return Code.EXPIRY_INVALID
    if contract["state"] == TradingState.EXPIRED:
        return Code.CONTRACT_EXPIRED
    if contract["delivers"] != 0:
        return Code.CONTRACT_IN_DELIVERY
    contract["last_trade_ns"] = cmd["expires_ns"]
    contract["timed"] = 1 if cmd["expires_ns"] != 0 else 0
    if cmd["expires_ns"] == 0 or cmd["expires_ns"] > s.meta[0]["now_ns"]:
        contract["ended"] = 0
    wake_for_end(s, contract_idx)
    event = s.events[emit(s, EventKind.LAST_TRADE_SET, 0, contract_idx)]
    event["amount_usd_micros"] = cmd["expires_ns"]
    return Code.OK


@kernel
def close_position(s, position, contract_idx):
    """Take a position's lots away: gross, margin and open interest go with them."""
    qty_lots = np.int64(position["qty_lots"])
    if qty_lots == 0:
        return
    account_idx = np.int64(position["account_idx"])
    position["qty_lots"] = 0
    s.contracts[contract_idx]["open_interest_lots"] -= max(NONE, qty_lots)
    gross_tick_value = abs(qty_lots) * s.books[2 * contract_idx]["gross_tick_value"]
    s.accounts[account_idx]["gross_tick_value"] -= gross_tick_value
    forget_worst(s, account_idx)
    forget_bound(s, account_idx)  # it may have been one leg of a hedge


@cold_kernel
def close_out(s, cmd):
    """Close every position of an expired contract at its mark, and pay what is unsettled.

    Work: the holders of the contract, as in a settlement.
    """
    if not contract_known(s, cmd):
        return Code.CONTRACT_UNKNOWN
    contract_idx = np.int64(cmd["contract_idx"])
    contract = s.contracts[contract_idx]
    if contract["legs_count"] != 0:
        return Code.COMBINATION_FOLLOWS_LEGS
    if contract["state"] != TradingState.EXPIRED:
        return Code.CONTRACT_NOT_EXPIRED
    price_ticks = np.int64(contract["mark_ticks"])
    reply = emit(s, EventKind.POSITIONS_CLOSED, 0, contract_idx)
    s.events[reply]["qty_lots"] = min(EVENT_LOTS_MAX, np.int64(contract["open_interest_lots"]))
    paid_usd_micros = np.int64(0)
    position_idx = np.int64(contract["position_head"])
    while position_idx != 0:
        position = s.positions[position_idx]
        account = s.accounts[position["account_idx"]]
        amount_usd_micros = np.int64(position["unsettled_usd_micros"])
        paid_usd_micros += min(max(NONE, amount_usd_micros), INT64_SAFE - paid_usd_micros)
        pay_variation(s, position, account, contract_idx, price_ticks, amount_usd_micros)
        close_position(s, position, contract_idx)
        position_idx = np.int64(position["next_of_contract"])
    event = s.events[reply]
    event["price_ticks"] = price_ticks
    event["amount_usd_micros"] = paid_usd_micros
    return Code.OK
