"""Commands about wrong-way risk: what kind of member an account is, and what its pledges cover."""

import numpy as np

from matching._jit import cold_kernel
from matching.accounts import account_known
from matching.codes import Code, CountMode, EventKind, Profile
from matching.contracts import contract_known
from matching.emit import emit
from matching.limits import POSITION_LOTS_MAX
from matching.pool import add_position, find_position
from matching.risk import shortfall, take_bound
from matching.wrong_way import WRONG_WAY

NONE = np.int64(0)


@cold_kernel
def judge_from_now(s, account_idx):
    """Mark whether an account has a profile or a cover, and take its requirement anew.

    Returns: the requirement, usd micros
    """
    account = s.accounts[account_idx]
    wrong_way = s.profiles[account_idx] != 0
    position_idx = np.int64(account["position_head"])
    while position_idx != 0:
        wrong_way = wrong_way or s.covers[position_idx] != 0
        position_idx = np.int64(s.positions[position_idx]["next_of_account"])
    account["limited"] &= ~WRONG_WAY
    if wrong_way:
        account["limited"] |= WRONG_WAY
    required_usd_micros = shortfall(s, account_idx, NONE, NONE)
    take_bound(s, account_idx, required_usd_micros)
    return required_usd_micros


@cold_kernel
def set_profile(s, cmd):
    """Say what kind of member an account is, for its wrong-way risk."""
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    if cmd["state"] < Profile.NONE or cmd["state"] > Profile.MINER:
        return Code.PROFILE_INVALID
    account_idx = np.int64(cmd["account_idx"])
    s.profiles[account_idx] = cmd["state"]
    required_usd_micros = judge_from_now(s, account_idx)
    event = s.events[emit(s, EventKind.PROFILE_SET, account_idx, 0)]
    event["amount_usd_micros"] = required_usd_micros
    return Code.OK


@cold_kernel
def may_uncover(s, account_idx, position_idx, cover_lots):
    """Return whether margin allows that so many lots are covered and no more."""
    account, held_lots = s.accounts[account_idx], np.int64(s.covers[position_idx])
    if cover_lots >= held_lots:
        return True
    before_usd_micros = shortfall(s, account_idx, NONE, NONE)
    s.covers[position_idx] = cover_lots
    required_usd_micros = shortfall(s, account_idx, NONE, NONE)
    s.covers[position_idx] = held_lots
    equity_usd_micros = (
        account["cash_usd_micros"] + account["unsettled_usd_micros"] - account["claims_usd_micros"]
    )
    return required_usd_micros <= max(equity_usd_micros, before_usd_micros)


@cold_kernel
def set_cover(s, cmd):
    """Say how many lots of a contract an account's pledged capacity covers, if it is short.

    COMMAND.state CountMode.RELEASE: some of the pledge is wanted back, if margin allows it.
    """
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    if not contract_known(s, cmd):
        return Code.CONTRACT_UNKNOWN
    account_idx, contract_idx = np.int64(cmd["account_idx"]), np.int64(cmd["contract_idx"])
    if s.contracts[contract_idx]["legs_count"] != 0:
        return Code.COMBINATION_FOLLOWS_LEGS
    if cmd["qty_lots"] < 0 or cmd["qty_lots"] > POSITION_LOTS_MAX:
        return Code.COVER_INVALID
    position_idx = np.int64(find_position(s, account_idx, contract_idx))
    if position_idx == 0 and cmd["qty_lots"] != 0:
        meta = s.meta[0]
        if meta["positions_count"] + 1 > meta["positions_max"] - 1:
            return Code.POSITIONS_FULL
        position_idx = np.int64(add_position(s, account_idx, contract_idx))
    if cmd["state"] == CountMode.RELEASE and not may_uncover(
        s, account_idx, position_idx, np.int64(cmd["qty_lots"])
    ):
        return Code.COVER_NEEDED
    s.covers[position_idx] = cmd["qty_lots"]
    required_usd_micros = judge_from_now(s, account_idx)
    event = s.events[emit(s, EventKind.COVER_SET, account_idx, contract_idx)]
    event["amount_usd_micros"] = required_usd_micros
    return Code.OK
