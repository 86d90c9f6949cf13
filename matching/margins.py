"""Commands that say what is added to the margin of the scenarios: add-ons, levels of accounts."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.accounts import account_known
from matching.codes import Code, EventKind
from matching.contracts import contract_known
from matching.emit import emit
from matching.limits import (
    ADDON_LOTS_MAX,
    ADDONS_BY_HAND,
    FEE_TICKS_MAX,
    LEVEL_BPS_MAX,
    LEVEL_BPS_MIN,
    SHOCK_TICKS_MAX,
)
from matching.risk import shortfall, take_bound
from matching.units import take_units


@cold_kernel
def stage_addons(s, cmd):
    """Write the add-ons of one contract, live with the next matrix."""
    if not contract_known(s, cmd):
        return Code.CONTRACT_UNKNOWN
    contract = s.contracts[cmd["contract_idx"]]
    if contract["legs_count"] != 0:
        return Code.COMBINATION_FOLLOWS_LEGS
    if not sound_addon(cmd, np.int64(contract["tick_value_usd_micros"])):
        return Code.ADDON_INVALID
    staged = s.addons_staged[cmd["contract_idx"]]
    staged["spread_usd_micros"] = cmd["price_ticks"]
    staged["impact_usd_micros"] = cmd["qty_lots"]
    staged["fee_usd_micros"] = cmd["amount_usd_micros"]
    staged["adv_lots"] = cmd["expires_ns"]
    staged["close_lots"] = cmd["client_a"]
    staged["crowd_lots"] = cmd["client_b"]
    staged["unit_usd_micros"] = 1 if cmd["state"] == ADDONS_BY_HAND else 0
    emit(s, EventKind.ADDONS_STAGED, 0, cmd["contract_idx"])
    return Code.OK


@kernel
def sound_addon(cmd, tick_value):
    """Return whether no word is below zero or above what one lot can be worth."""
    most = tick_value * SHOCK_TICKS_MAX
    if cmd["price_ticks"] < 0 or cmd["price_ticks"] > most:
        return False
    if cmd["qty_lots"] < 0 or cmd["qty_lots"] > most:
        return False
    if cmd["amount_usd_micros"] < 0 or cmd["amount_usd_micros"] > tick_value * FEE_TICKS_MAX:
        return False
    for lots in (np.int64(cmd["expires_ns"]), np.int64(cmd["client_a"]), np.int64(cmd["client_b"])):
        if lots < 0 or lots > ADDON_LOTS_MAX:
            return False
    return cmd["qty_lots"] == 0 or cmd["expires_ns"] > 0


@cold_kernel
def set_level(s, cmd):
    """Set at which level of the member's requirement an account is held."""
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    if cmd["order_id"] < LEVEL_BPS_MIN or cmd["order_id"] > LEVEL_BPS_MAX:
        return Code.LEVEL_INVALID
    meta, account_idx = s.meta[0], np.int64(cmd["account_idx"])
    more_bps = cmd["order_id"] - LEVEL_BPS_MIN
    s.limits[account_idx]["level_more_bps"] = more_bps
    if more_bps > meta["level_more_max_bps"]:
        meta["level_more_max_bps"] = more_bps
        take_units(s)
    none = np.int64(0)
    required_usd_micros = shortfall(s, account_idx, none, none)
    take_bound(s, account_idx, required_usd_micros)
    event = s.events[emit(s, EventKind.LEVEL_SET, account_idx, 0)]
    event["amount_usd_micros"] = required_usd_micros
    return Code.OK
