"""Accounts and their cash."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.clear import ALL_CONTRACTS, BOTH_SIDES, cancel_orders, say_cancelled
from matching.codes import AccountState, Code, EventKind
from matching.emit import emit
from matching.limits import MONEY_USD_MICROS_MAX, TRANSFER_USD_MICROS_MAX
from matching.partners import drop_waiting
from matching.risk import shortfall, take_bound
from matching.waiting import waits


@kernel
def account_known(s, cmd):
    """Return whether the command names an account there is."""
    return cmd["account_idx"] >= 0 and cmd["account_idx"] < s.meta[0]["accounts_count"]


@cold_kernel
def open_account(s, cmd):
    """Open the next account; its index must be the count of accounts."""
    meta = s.meta[0]
    if cmd["account_idx"] < meta["accounts_count"]:
        return Code.ACCOUNT_EXISTS
    if cmd["account_idx"] > meta["accounts_count"]:
        return Code.ACCOUNT_UNKNOWN
    if meta["accounts_count"] == meta["accounts_max"]:
        return Code.ACCOUNTS_FULL
    meta["accounts_count"] += 1
    emit(s, EventKind.ACCOUNT_OPENED, cmd["account_idx"], 0)
    return Code.OK


@cold_kernel
def set_account(s, cmd):
    """Set what an account may do."""
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    if cmd["state"] < AccountState.ACTIVE or cmd["state"] > AccountState.FROZEN:
        return Code.ACCOUNT_STATE_INVALID
    s.accounts[cmd["account_idx"]]["state"] = cmd["state"]
    reply = emit(s, EventKind.ACCOUNT_SET, cmd["account_idx"], 0)
    account_idx = np.int64(cmd["account_idx"])
    if cmd["state"] != AccountState.FROZEN:
        return Code.OK
    if cmd["qty_lots"] == 1:
        count, more, behind_id = cancel_orders(
            s, account_idx, ALL_CONTRACTS, BOTH_SIDES, np.int64(0), Code.ACCOUNT_FROZEN
        )
        say_cancelled(s, reply, account_idx, count, more, behind_id)
    else:
        drop_stops(s, account_idx)
    return Code.OK


@cold_kernel
def drop_stops(s, account_idx):
    """Cancel an account's stops, contract by contract, the oldest first.

    Of its orders META.cancels_max are looked at; a stop behind them ends when it is triggered.
    """
    account = s.accounts[account_idx]
    room = np.int64(s.meta[0]["cancels_max"])
    position_idx = np.int64(account["position_head"])
    while position_idx != 0 and account["stops"] > 0 and room > 0:
        order_idx = np.int64(s.positions[position_idx]["order_head"])
        while order_idx != 0 and room > 0:
            room -= 1
            following = np.int64(s.orders[order_idx]["next_own"])
            if waits(s, order_idx):
                drop_waiting(s, order_idx, Code.ACCOUNT_FROZEN)
            order_idx = following
        position_idx = np.int64(s.positions[position_idx]["next_of_account"])


@kernel
def check_transfer(cmd, account):
    """Refuse an amount or a reference that is not sound."""
    if cmd["amount_usd_micros"] <= 0:
        return Code.AMOUNT_NOT_POSITIVE
    if cmd["amount_usd_micros"] > TRANSFER_USD_MICROS_MAX:
        return Code.AMOUNT_TOO_LARGE
    if cmd["ref_id"] != 0 and cmd["ref_id"] <= account["last_ref_id"]:
        return Code.TRANSFER_REPEATED
    return Code.OK


@kernel
def move_cash(s, cmd, amount_usd_micros):
    """Book a transfer that was judged."""
    account = s.accounts[cmd["account_idx"]]
    account["cash_usd_micros"] += amount_usd_micros
    if cmd["ref_id"] != 0:
        account["last_ref_id"] = cmd["ref_id"]
    event = s.events[emit(s, EventKind.CASH_MOVED, cmd["account_idx"], 0)]
    event["amount_usd_micros"] = amount_usd_micros


@cold_kernel
def deposit(s, cmd):
    """Credit an account."""
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    account = s.accounts[cmd["account_idx"]]
    code = check_transfer(cmd, account)
    if code != Code.OK:
        return code
    if account["cash_usd_micros"] + cmd["amount_usd_micros"] > MONEY_USD_MICROS_MAX:
        return Code.ACCOUNT_MONEY_LIMIT
    move_cash(s, cmd, cmd["amount_usd_micros"])
    return Code.OK


@kernel
def cash_may_leave(s, account_idx, amount_usd_micros, required_usd_micros):
    """Return whether so much cash may leave: collateral that is counted beside it frees none."""
    account = s.accounts[account_idx]
    room_usd_micros = (
        account["cash_usd_micros"]
        + account["unsettled_usd_micros"]
        - account["claims_usd_micros"]
        - s.collaterals[account_idx]["counted_usd_micros"]
        - amount_usd_micros
    )
    if amount_usd_micros > account["cash_usd_micros"]:
        return False
    return required_usd_micros <= room_usd_micros


@cold_kernel
def withdraw(s, cmd):
    """Debit an account by no more than it has free, by the exact requirement."""
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    account = s.accounts[cmd["account_idx"]]
    if account["state"] == AccountState.FROZEN:
        return Code.ACCOUNT_FROZEN
    code = check_transfer(cmd, account)
    if code != Code.OK:
        return code
    required_usd_micros = shortfall(s, np.int64(cmd["account_idx"]), np.int64(0), np.int64(0))
    if not cash_may_leave(s, cmd["account_idx"], cmd["amount_usd_micros"], required_usd_micros):
        return Code.WITHDRAWAL_EXCEEDS_FREE
    take_bound(s, np.int64(cmd["account_idx"]), required_usd_micros)
    move_cash(s, cmd, -cmd["amount_usd_micros"])
    return Code.OK
