"""What an account's contracts would need if each were alone: the offset cap, add-ons, fees.

The resting orders of a combination count at its legs, since their fills go there: so no fill ever
raises what is taken contract by contract. What was computed for a position is kept until its lots
or the matrix change.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.addons import addon_usd_micros
from matching.legs import combination_of, leg_of
from matching.pool import find_position
from matching.tails import blended


@kernel
def lots_meant(s, leg_idx, contract_idx, up_lots, down_lots):
    """Return what lots of a contract mean for another: the same, a leg's, or nothing.

    Up are the lots that lose when the price rises, down those that lose when it falls.
    """
    if leg_idx == contract_idx:
        return up_lots, down_lots
    for place in range(s.contracts[contract_idx]["legs_count"]):
        leg = leg_of(s, contract_idx, place)
        if leg["contract_idx"] == leg_idx:
            if leg["ratio"] > 0:
                return up_lots, down_lots
            return down_lots, up_lots
    return np.int64(0), np.int64(0)


@cold_kernel
def linked_lots(s, account_idx, contract_idx):
    """Return what resting orders of combinations may sell and buy of a leg, as up and down."""
    up_lots = down_lots = np.int64(0)
    for place in range(s.contracts[contract_idx]["combinations_count"]):
        combination_idx = combination_of(s, contract_idx, place)
        resting = s.positions[find_position(s, account_idx, combination_idx)]
        sells, buys = np.int64(resting["sell_lots"]), np.int64(resting["buy_lots"])
        up, down = lots_meant(s, contract_idx, combination_idx, sells, buys)
        up_lots += up
        down_lots += down
    return up_lots, down_lots


@cold_kernel
def part_of(s, account_idx, position_idx, contract_idx, up_more, down_more):
    """Return one contract's part: standalone IM0, add-ons, fee reserve.

    Args:
        position_idx: 0 for none yet
        up_more, down_more: lots of an order that is judged
    """
    position, none = s.positions[position_idx], np.int64(0)
    up_lots = position["sell_lots"] - position["qty_lots"] + up_more
    down_lots = position["buy_lots"] + position["qty_lots"] + down_more
    if s.contracts[contract_idx]["combinations_count"] != 0:
        up_linked, down_linked = linked_lots(s, account_idx, contract_idx)
        up_lots += up_linked
        down_lots += down_linked
    if up_lots == 0 and down_lots == 0:
        return none, none, none
    # The position is long in one and short in the other: what is left of the sum rests.
    fees_usd_micros = (up_lots + down_lots) * s.addons[contract_idx]["fee_usd_micros"]
    kept = s.alone[position_idx]
    swaps = s.meta[0]["swaps"]
    if kept["swaps"] != swaps or kept["up_lots"] != up_lots or kept["down_lots"] != down_lots:
        kept["swaps"], kept["up_lots"], kept["down_lots"] = swaps, up_lots, down_lots
        standalone = blended(s, none, none, contract_idx, up_lots, down_lots)
        kept["standalone_usd_micros"] = standalone
        largest_lots = max(up_lots, down_lots)
        kept["addon_usd_micros"] = addon_usd_micros(s, contract_idx, largest_lots)
        if position_idx == 0:
            kept["swaps"] = 0
    return (
        np.int64(kept["standalone_usd_micros"]),
        np.int64(kept["addon_usd_micros"]),
        fees_usd_micros,
    )


@cold_kernel
def sum_alone(s, account_idx, contract_idx, up_lots, down_lots):
    """Return the parts of all contracts, summed, with lots of an order added."""
    standalone = addons = fees = np.int64(0)
    position_idx = np.int64(s.accounts[account_idx]["position_head"])
    while position_idx != 0:
        held_idx = np.int64(s.positions[position_idx]["contract_idx"])
        if s.contracts[held_idx]["legs_count"] == 0:
            up, down = lots_meant(s, held_idx, contract_idx, up_lots, down_lots)
            one, two, three = part_of(s, account_idx, position_idx, held_idx, up, down)
            standalone += one
            addons += two
            fees += three
        position_idx = np.int64(s.positions[position_idx]["next_of_account"])
    one, two, three = sum_new(s, account_idx, contract_idx, up_lots, down_lots)
    return standalone + one, addons + two, fees + three


@cold_kernel
def sum_new(s, account_idx, contract_idx, up_lots, down_lots):
    """Return the parts of what an order is the account's first of: a contract, or legs."""
    standalone = addons = fees = none = np.int64(0)
    if up_lots == 0 and down_lots == 0:
        return none, none, none
    legs_count = np.int64(s.contracts[contract_idx]["legs_count"])
    if legs_count == 0:
        if find_position(s, account_idx, contract_idx) != 0:
            return none, none, none
        return part_of(s, account_idx, none, contract_idx, up_lots, down_lots)
    for place in range(legs_count):
        leg_idx = np.int64(leg_of(s, contract_idx, place)["contract_idx"])
        if find_position(s, account_idx, leg_idx) == 0:
            up, down = lots_meant(s, leg_idx, contract_idx, up_lots, down_lots)
            one, two, three = part_of(s, account_idx, none, leg_idx, up, down)
            standalone += one
            addons += two
            fees += three
    return standalone, addons, fees
