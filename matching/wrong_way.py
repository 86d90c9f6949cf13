"""Wrong-way risk: pledged capacity as cover, members whose business loses with their positions.

Up are the lots that lose when a price rises, down those that lose when it falls, resting orders at
their worst. Net compute is taken with all buys filled and no sell, so a fill never turns an
account long that was not. An account with a profile or a cover is always judged exactly.

    cover       ES(W without the covered lots) + 20 % of the ES of each covered part, if less
    NeoCloud    1.25 x the requirement when it may be long
    miner       at least what it loses when all of compute falls by 30 %
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.alone import linked_lots, lots_meant
from matching.codes import Profile, TradingState
from matching.legs import leg_of
from matching.limits import BPS, COVERED_BPS, JOINT_FALL_BPS, WRONG_WAY_BPS
from matching.tails import blended
from matching.units import capped, share_up
from matching.worst import shift_worst

WRONG_WAY = np.int8(8)  # a bit of ACCOUNT.limited: a profile or a cover
NONE = np.int64(0)


@cold_kernel
def take_joints(s):
    """Take what a long lot of each contract loses when all of compute falls, at its settlement."""
    for contract_idx in range(s.meta[0]["contracts_count"]):
        contract = s.contracts[contract_idx]
        value = np.int64(contract["tick_value_usd_micros"]) * contract["settle_ticks"]
        if contract["legs_count"] != 0 or contract["state"] == TradingState.EXPIRED:
            value = NONE
        s.joints[contract_idx] = share_up(value, np.int64(JOINT_FALL_BPS))


@kernel
def down_lots_of(s, account_idx, position):
    """Return what an account may be long of a contract, all of its combinations counted in."""
    contract_idx = np.int64(position["contract_idx"])
    down_lots = np.int64(position["qty_lots"] + position["buy_lots"])
    if s.contracts[contract_idx]["combinations_count"] != 0:
        down_lots += linked_lots(s, account_idx, contract_idx)[1]
    return down_lots


@cold_kernel
def net_compute(s, account_idx, contract_idx, up_lots, down_lots):
    """Return what an account gains by a tick of all prices, and loses when compute falls.

    Args:
        contract_idx, up_lots, down_lots: an order that is judged
    """
    gain = loss = NONE
    position_idx = np.int64(s.accounts[account_idx]["position_head"])
    while position_idx != 0:
        position = s.positions[position_idx]
        held_idx = np.int64(position["contract_idx"])
        if s.contracts[held_idx]["legs_count"] == 0:
            lots = down_lots_of(s, account_idx, position)
            gain += lots * s.contracts[held_idx]["tick_value_usd_micros"]
            loss += lots * s.joints[held_idx]
        position_idx = np.int64(position["next_of_account"])
    legs_count = np.int64(s.contracts[contract_idx]["legs_count"])
    for place in range(max(np.int64(1), legs_count)):
        leg_idx = np.int64(contract_idx)
        if legs_count != 0:
            leg_idx = np.int64(leg_of(s, contract_idx, place)["contract_idx"])
        lots = lots_meant(s, leg_idx, contract_idx, up_lots, down_lots)[1]
        gain += lots * s.contracts[leg_idx]["tick_value_usd_micros"]
        loss += lots * s.joints[leg_idx]
    return gain, loss


@kernel
def covered_lots(s, position_idx, contract_idx, up_lots, down_lots):
    """Return the covered lots of a position as up and down, and its own; lots of an order count."""
    position, cover_lots = s.positions[position_idx], s.covers[position_idx]
    up = np.int64(position["sell_lots"] - position["qty_lots"])
    down = np.int64(position["buy_lots"] + position["qty_lots"])
    if position["contract_idx"] == contract_idx:
        up += up_lots
        down += down_lots
    covered_up = min(max(NONE, up), cover_lots)
    covered_down = min(max(NONE, -down), cover_lots)
    return covered_up, covered_down, up, down


@cold_kernel
def combines(s, account_idx, contract_idx, more_lots):
    """Return whether orders of combinations rest: they hedge leg by leg, which a cover breaks.

    `more_lots` is the order that is judged.
    """
    position_idx = np.int64(s.accounts[account_idx]["position_head"])
    while position_idx != 0:
        position = s.positions[position_idx]
        lots = np.int64(position["buy_lots"] + position["sell_lots"])
        if position["contract_idx"] == contract_idx:
            lots += more_lots
            more_lots = NONE
        if lots != 0 and s.contracts[position["contract_idx"]]["legs_count"] != 0:
            return True
        position_idx = np.int64(position["next_of_account"])
    return more_lots != 0 and s.contracts[contract_idx]["legs_count"] != 0


@cold_kernel
def shift_covers(s, account_idx, contract_idx, up_lots, down_lots, sign):
    """Take the covered lots out of W (sign 1), or put them back (-1)."""
    position_idx = np.int64(s.accounts[account_idx]["position_head"])
    while position_idx != 0:
        if s.covers[position_idx] != 0:
            up, down, _, _ = covered_lots(s, position_idx, contract_idx, up_lots, down_lots)
            held_idx = np.int64(s.positions[position_idx]["contract_idx"])
            shift_worst(s, account_idx, held_idx, -sign * up, sign * down)
        position_idx = np.int64(s.positions[position_idx]["next_of_account"])


@cold_kernel
def sum_covers(s, account_idx, contract_idx, up_lots, down_lots):
    """Return what covered parts pay, and how much less all contracts need each alone."""
    pays = less = NONE
    position_idx = np.int64(s.accounts[account_idx]["position_head"])
    while position_idx != 0:
        if s.covers[position_idx] != 0:
            held_idx = np.int64(s.positions[position_idx]["contract_idx"])
            covered_up, covered_down, up, down = covered_lots(
                s, position_idx, contract_idx, up_lots, down_lots
            )
            part = blended(s, NONE, NONE, held_idx, covered_up, -covered_down)
            own = share_up(part, np.int64(COVERED_BPS))
            less += blended(s, NONE, NONE, held_idx, up, down) - own
            less -= blended(s, NONE, NONE, held_idx, up - covered_up, down + covered_down)
            pays += own
        position_idx = np.int64(s.positions[position_idx]["next_of_account"])
    return pays, less


@cold_kernel
def portfolio_covered(s, account_idx, contract_idx, up_lots, down_lots, standalone):
    """Return IM1 with the covers."""
    pays, less = sum_covers(s, account_idx, contract_idx, up_lots, down_lots)
    shift_covers(s, account_idx, contract_idx, up_lots, down_lots, np.int64(1))
    rest = blended(s, account_idx, np.int64(1), contract_idx, up_lots, down_lots)
    shift_covers(s, account_idx, contract_idx, up_lots, down_lots, np.int64(-1))
    return capped(s, rest + pays, standalone - less)


@cold_kernel
def portfolio_wrong_way(s, account_idx, contract_idx, up_lots, down_lots, portfolio, standalone):
    """Return IM1 of an account with a profile or covers, and what multiplies its requirement."""
    gain, loss = net_compute(s, account_idx, contract_idx, up_lots, down_lots)
    profile = s.profiles[account_idx]
    found, times_bps = capped(s, portfolio, standalone), np.int64(BPS)
    if gain <= 0 and not combines(s, account_idx, contract_idx, up_lots + down_lots):
        with_cover = portfolio_covered(s, account_idx, contract_idx, up_lots, down_lots, standalone)
        found = min(found, with_cover)
    if profile == Profile.MINER:
        found = max(found, loss)
    if profile == Profile.NEOCLOUD and gain > 0:
        times_bps = np.int64(WRONG_WAY_BPS)
    return found, times_bps
