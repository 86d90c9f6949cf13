"""The margin matrix: staged in pieces, made live for everybody at once."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import Code, EventKind
from matching.combinations import shock_by_legs
from matching.contracts import contract_known
from matching.emit import emit
from matching.limits import BPS, SHOCK_TICKS_MAX, SHOCKS_PER_COMMAND, WORST_COUNT_MAX
from matching.risk import forget_bounds
from matching.units import take_units
from matching.wrong_way import take_joints


@kernel
def shocks_of(cmd):
    """Return the eight shocks a command carries in its words 5 to 12."""
    return (
        cmd["price_ticks"],
        cmd["qty_lots"],
        cmd["amount_usd_micros"],
        cmd["expires_ns"],
        cmd["client_a"],
        cmd["client_b"],
        cmd["client_c"],
        cmd["client_d"],
    )


@cold_kernel
def stage_shocks(s, cmd):
    """Write eight scenarios of one contract into the matrix to come."""
    if not contract_known(s, cmd):
        return Code.CONTRACT_UNKNOWN
    if s.contracts[cmd["contract_idx"]]["legs_count"] != 0:
        return Code.COMBINATION_FOLLOWS_LEGS
    scenarios_max = s.meta[0]["scenarios_max"]
    first = np.int64(cmd["order_id"])
    if first < 0 or first >= scenarios_max or first % SHOCKS_PER_COMMAND != 0:
        return Code.SCENARIO_INVALID
    tick_value = s.contracts[cmd["contract_idx"]]["tick_value_usd_micros"]
    shock_max_usd_micros = tick_value * SHOCK_TICKS_MAX
    for shock in shocks_of(cmd):
        if shock > shock_max_usd_micros or shock < -shock_max_usd_micros:
            return Code.SHOCK_TOO_LARGE
    place = np.int64(cmd["contract_idx"]) * scenarios_max + first
    for shock in shocks_of(cmd):
        s.staged[place] = shock
        place += 1
    emit(s, EventKind.SHOCKS_STAGED, 0, cmd["contract_idx"])
    return Code.OK


@cold_kernel
def swap_scenarios(s, cmd):
    """Make the staged matrix live; W and requirement of an account are taken anew when asked for.

    Work: the contracts, and a word of each account.
    """
    meta = s.meta[0]
    if cmd["qty_lots"] < 1 or cmd["qty_lots"] > meta["scenarios_max"]:
        return Code.SCENARIO_INVALID
    if cmd["order_id"] < 1 or cmd["order_id"] > min(WORST_COUNT_MAX, cmd["qty_lots"]):
        return Code.SCENARIO_INVALID
    if not sound_tail(cmd):
        return Code.SCENARIO_INVALID
    meta["scenarios_count"] = cmd["qty_lots"]
    meta["worst_count"] = cmd["order_id"]
    meta["stress_count"] = cmd["price_ticks"]
    meta["floor_count"] = cmd["amount_usd_micros"]
    meta["kept_bps"] = cmd["ref_id"]
    meta["swaps"] += 1
    copy_staged(s)
    take_units(s)
    take_joints(s)
    forget_bounds(s)
    emit(s, EventKind.SCENARIOS_SWAPPED, 0, 0)
    return Code.OK


@kernel
def sound_tail(cmd):
    """Return whether enough rows are neither stress nor floor, and the kept share is one."""
    stress, floor = cmd["price_ticks"], cmd["amount_usd_micros"]
    if stress < 0 or floor < 0 or stress > cmd["qty_lots"] or floor > cmd["qty_lots"]:
        return False
    if stress + floor > cmd["qty_lots"] - cmd["order_id"]:
        return False
    return cmd["ref_id"] >= 0 and cmd["ref_id"] <= BPS


@kernel
def copy_staged(s):
    """Copy the scenarios that are live, and the add-ons.

    A combination comes behind its legs and takes theirs.
    """
    meta = s.meta[0]
    scenarios_max = meta["scenarios_max"]
    for contract_idx in range(meta["contracts_count"]):
        first = contract_idx * scenarios_max
        for scenario in range(scenarios_max):
            shock = np.int64(0)
            if scenario < meta["scenarios_count"]:
                shock = s.staged[first + scenario]
            s.shocks[first + scenario] = shock
        if s.contracts[contract_idx]["legs_count"] != 0:
            shock_by_legs(s, np.int64(contract_idx))
        live, staged = s.addons[contract_idx], s.addons_staged[contract_idx]
        live["spread_usd_micros"] = staged["spread_usd_micros"]
        live["impact_usd_micros"] = staged["impact_usd_micros"]
        live["fee_usd_micros"] = staged["fee_usd_micros"]
        live["adv_lots"] = staged["adv_lots"]
        live["close_lots"] = staged["close_lots"]
        live["crowd_lots"] = staged["crowd_lots"]
