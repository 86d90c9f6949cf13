"""Collateral that is counted, charges, and cash between two accounts.

What is counted is kept per account and taken off its claims, so that every check of margin sees it
without a word of its own; withdrawals of cash leave it out.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.accounts import account_known, cash_may_leave, check_transfer
from matching.codes import AccountState, Charge, Code, CountMode, EventKind
from matching.emit import emit
from matching.limits import (
    COLLATERAL_USD_MICROS_MAX,
    FEE_RATE_BITS,
    FEE_RATE_MAX,
    MONEY_USD_MICROS_MAX,
    TRANSFER_USD_MICROS_MAX,
)
from matching.risk import shortfall


@kernel
def count_collateral(s, account_idx, counted_usd_micros):
    """Count so much for an account from now on."""
    collateral = s.collaterals[account_idx]
    account = s.accounts[account_idx]
    account["claims_usd_micros"] += collateral["counted_usd_micros"] - counted_usd_micros
    collateral["counted_usd_micros"] = counted_usd_micros


@cold_kernel
def may_release(s, account_idx, counted_usd_micros):
    """Return whether margin allows that so much is counted and no more."""
    account = s.accounts[account_idx]
    less_usd_micros = s.collaterals[account_idx]["counted_usd_micros"] - counted_usd_micros
    if less_usd_micros <= 0:
        return True
    required_usd_micros = shortfall(s, account_idx, np.int64(0), np.int64(0))
    room_usd_micros = (
        account["cash_usd_micros"]
        + account["unsettled_usd_micros"]
        - account["claims_usd_micros"]
        - less_usd_micros
    )
    return required_usd_micros <= room_usd_micros


@cold_kernel
def set_collateral(s, cmd):
    """Set what is counted for an account: by its value, or less because some is wanted back."""
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    if cmd["state"] != CountMode.VALUE and cmd["state"] != CountMode.RELEASE:
        return Code.COLLATERAL_INVALID
    counted_usd_micros = cmd["amount_usd_micros"]
    if counted_usd_micros < 0 or counted_usd_micros > COLLATERAL_USD_MICROS_MAX:
        return Code.COLLATERAL_INVALID
    account_idx = np.int64(cmd["account_idx"])
    if cmd["state"] == CountMode.RELEASE and not may_release(s, account_idx, counted_usd_micros):
        return Code.COLLATERAL_NEEDED
    count_collateral(s, account_idx, counted_usd_micros)
    event = s.events[emit(s, EventKind.COLLATERAL_SET, account_idx, 0)]
    event["amount_usd_micros"] = counted_usd_micros
    return Code.OK


@cold_kernel
def charge(s, cmd):
    """Take a fee out of an account's cash, or pay it a rebate; whatever its margin says."""
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    amount_usd_micros = cmd["amount_usd_micros"]
    if cmd["state"] < Charge.TRADING_FEE or cmd["state"] > Charge.REBATE or amount_usd_micros == 0:
        return Code.CHARGE_INVALID
    # Without abs: the least int64 has none.
    if amount_usd_micros > TRANSFER_USD_MICROS_MAX or amount_usd_micros < -TRANSFER_USD_MICROS_MAX:
        return Code.AMOUNT_TOO_LARGE
    collateral = s.collaterals[cmd["account_idx"]]
    if cmd["ref_id"] != 0 and cmd["ref_id"] <= collateral["last_charge_id"]:
        return Code.TRANSFER_REPEATED
    account = s.accounts[cmd["account_idx"]]
    if abs(account["cash_usd_micros"] - amount_usd_micros) > MONEY_USD_MICROS_MAX:
        return Code.ACCOUNT_MONEY_LIMIT
    account["cash_usd_micros"] -= amount_usd_micros
    if cmd["ref_id"] != 0:
        collateral["last_charge_id"] = cmd["ref_id"]
    event = s.events[emit(s, EventKind.CHARGED, cmd["account_idx"], 0)]
    event["amount_usd_micros"] = amount_usd_micros
    event["order_id"] = cmd["state"]
    return Code.OK


@cold_kernel
def set_fees(s, cmd):
    """Set what an account pays from here on; its fills are billed by it, not by this core."""
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    maker, taker = np.int64(cmd["price_ticks"]), np.int64(cmd["qty_lots"])
    clearing = np.int64(cmd["amount_usd_micros"])
    if maker < 0 or maker > taker or taker > FEE_RATE_MAX:
        return Code.FEES_INVALID
    if clearing < 0 or clearing > FEE_RATE_MAX:
        return Code.FEES_INVALID
    rates = maker + (taker << FEE_RATE_BITS) + (clearing << (2 * FEE_RATE_BITS))
    s.collaterals[cmd["account_idx"]]["fee_rates"] = rates
    event = s.events[emit(s, EventKind.FEES_SET, cmd["account_idx"], 0)]
    event["amount_usd_micros"] = rates
    return Code.OK


@cold_kernel
def send_cash(s, cmd):
    """Move free cash from one account to another: judged as a withdrawal and a deposit."""
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    giver, receiver_idx = s.accounts[cmd["account_idx"]], cmd["order_id"]
    if giver["state"] == AccountState.FROZEN:
        return Code.ACCOUNT_FROZEN
    if receiver_idx < 0 or receiver_idx >= s.meta[0]["accounts_count"]:
        return Code.RECEIVER_UNKNOWN
    if receiver_idx == cmd["account_idx"]:
        return Code.RECEIVER_IS_SELF
    code = check_transfer(cmd, giver)
    if code != Code.OK:
        return code
    amount_usd_micros, receiver = cmd["amount_usd_micros"], s.accounts[receiver_idx]
    if receiver["cash_usd_micros"] + amount_usd_micros > MONEY_USD_MICROS_MAX:
        return Code.ACCOUNT_MONEY_LIMIT
    required_usd_micros = shortfall(s, np.int64(cmd["account_idx"]), np.int64(0), np.int64(0))
    if not cash_may_leave(s, cmd["account_idx"], amount_usd_micros, required_usd_micros):
        return Code.WITHDRAWAL_EXCEEDS_FREE
    giver["cash_usd_micros"] -= amount_usd_micros
    receiver["cash_usd_micros"] += amount_usd_micros
    if cmd["ref_id"] != 0:
        giver["last_ref_id"] = cmd["ref_id"]
    event = s.events[emit(s, EventKind.CASH_SENT, cmd["account_idx"], 0)]
    event["maker_account_idx"] = receiver_idx
    event["amount_usd_micros"] = amount_usd_micros
    return Code.OK
