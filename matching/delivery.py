"""A contract in delivery: nobody trades it, and days of it are fixed one by one.

The mean of daily prints is no whole number of ticks. So a lot is worth whole micro-dollars: its
mark, and a part of a tick beyond it, which every holder has alike. What is moved between accounts
meanwhile goes at a price and that part.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import Code, EventKind, TradingState
from matching.contracts import contract_known, wake_end
from matching.deals import end_deals_of_contract
from matching.emit import emit
from matching.guards import take_guard_price
from matching.limits import DELIVERY_DAYS_MAX
from matching.marks import move_mark, pay_all

FIRST, FINALLY = 1, 2  # CONTRACT.delivers


@kernel
def check_days(cmd):
    """Refuse days that cannot be: the last settlement has all of them."""
    days, of_days = np.int64(cmd["ref_id"]), np.int64(cmd["qty_lots"])
    if of_days < 1 or of_days > DELIVERY_DAYS_MAX or days < 0 or days > of_days:
        return Code.DELIVERY_DAYS_INVALID
    if cmd["state"] == 1 and days != of_days:
        return Code.DELIVERY_DAYS_INVALID
    return Code.OK


@cold_kernel
def check_accrual(s, cmd):
    """Refuse an accrual that is not sound, not due, or not the next one."""
    if not contract_known(s, cmd):
        return Code.CONTRACT_UNKNOWN
    contract = s.contracts[cmd["contract_idx"]]
    if contract["legs_count"] != 0:
        return Code.COMBINATION_FOLLOWS_LEGS
    if contract["state"] == TradingState.EXPIRED:
        return Code.CONTRACT_EXPIRED
    if contract["ended"] == 0:
        return Code.TRADING_NOT_ENDED
    if contract["delivers"] == FINALLY:
        return Code.SETTLED_FINALLY
    if cmd["order_id"] != contract["accruals"] + 1:
        return Code.ACCRUAL_OUT_OF_TURN
    if cmd["state"] < 0 or cmd["state"] > 1:
        return Code.STATE_INVALID
    price_ticks = cmd["amount_usd_micros"] // contract["tick_value_usd_micros"]
    if price_ticks < 1 or price_ticks > s.meta[0]["price_top"]:
        return Code.PRICE_INVALID
    return check_days(cmd)


@cold_kernel
def move_fine(s, contract_idx, fine_usd_micros):
    """Let every lot be worth another part of a tick."""
    contract = s.contracts[contract_idx]
    more_usd_micros = fine_usd_micros - contract["fine_usd_micros"]
    contract["fine_usd_micros"] = fine_usd_micros
    position_idx = np.int64(contract["position_head"])
    while position_idx != 0:
        position = s.positions[position_idx]
        gain_usd_micros = position["qty_lots"] * more_usd_micros
        position["unsettled_usd_micros"] += gain_usd_micros
        s.accounts[position["account_idx"]]["unsettled_usd_micros"] += gain_usd_micros
        position_idx = np.int64(position["next_of_contract"])


@cold_kernel
def accrue(s, cmd):
    """Settle a contract whose trading has ended at what a lot is worth; the first begins delivery.

    Work: the holders of the contract, as in a settlement; orders that still rest end behind it.
    """
    code = check_accrual(s, cmd)
    if code != Code.OK:
        return code
    contract_idx = np.int64(cmd["contract_idx"])
    contract = s.contracts[contract_idx]
    worth_usd_micros = np.int64(cmd["amount_usd_micros"])
    tick_value = np.int64(contract["tick_value_usd_micros"])
    price_ticks = worth_usd_micros // tick_value
    contract["delivers"] = FINALLY if cmd["state"] == 1 else FIRST
    contract["accruals"] += 1
    contract["accrued_ns"] = s.meta[0]["now_ns"]
    contract["days_fixed"] = cmd["ref_id"]
    contract["settle_ticks"] = price_ticks
    move_mark(s, contract_idx, price_ticks)
    take_guard_price(s, contract_idx, price_ticks)
    move_fine(s, contract_idx, worth_usd_micros - price_ticks * tick_value)
    reply = emit(s, EventKind.ACCRUED, 0, contract_idx)
    paid_usd_micros = pay_all(s, contract_idx, price_ticks, np.int64(0), False)
    event = s.events[reply]
    event["order_id"] = worth_usd_micros
    event["maker_order_id"] = np.int64(contract["accruals"])
    event["side"] = cmd["state"]
    event["price_ticks"] = price_ticks
    event["qty_lots"] = cmd["ref_id"]
    event["leaves_lots"] = cmd["qty_lots"]
    event["amount_usd_micros"] = paid_usd_micros
    wake_end(s, contract_idx)
    end_deals_of_contract(s, contract_idx)
    return Code.OK
