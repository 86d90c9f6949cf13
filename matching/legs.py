"""The legs of combinations: the table, and what it means for orders.

A combination is a contract with its own book and no position: a fill goes to its legs. A spread
has two legs, the first bought and the second sold; a strip has two to twelve, all bought.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import BY_LEGS, Code, Flag, OrderType, TradingState
from matching.limits import (
    COMBINATION_LOTS_MAX,
    COMBINATIONS_PER_LEG_MAX,
    LEGS_MAX,
    POSITION_LOTS_MAX,
)
from matching.pool import add_position, find_position

SPREAD_LEGS = 2
_NO_LOTS = 1 << 40  # more than any position
FLAGS_OF_COMBINATIONS = int(Flag.POST_ONLY | Flag.REDUCE_ONLY)


@kernel
def leg_of(s, contract_idx, place):
    """Return a leg's record."""
    return s.legs[contract_idx * LEGS_MAX + place]


@kernel
def is_spread(s, contract_idx):
    """Return whether a combination is a spread; else it is a strip."""
    return leg_of(s, contract_idx, 1)["ratio"] < 0


@kernel
def spread_base(s):
    """Return the price in ticks that stands for a differential of zero."""
    return (s.meta[0]["price_top"] + 1) >> 1


@kernel
def zero_ticks(s, contract_idx):
    """Return the price in ticks that is shown as zero."""
    if s.contracts[contract_idx]["legs_count"] != 0 and is_spread(s, contract_idx):
        return spread_base(s)
    return np.int64(0)


@kernel
def combination_of(s, contract_idx, place):
    """Return the index of a combination of which a contract is a leg."""
    return np.int64(s.combinations[contract_idx * COMBINATIONS_PER_LEG_MAX + place])


@cold_kernel
def leg_lots_if_all_fill(s, account_idx, contract_idx, side):
    """Return the position in a contract, as seen from a side, if all fills that would move it so.

    That is what rests on this side of its own book, and of the combinations of which it is a leg.
    """
    position = s.positions[find_position(s, account_idx, contract_idx)]
    resting_lots = position["sell_lots"] if side == 1 else position["buy_lots"]
    lots = np.int64(position["qty_lots"]) * (1 - 2 * side) + resting_lots
    for place in range(s.contracts[contract_idx]["combinations_count"]):
        combination_idx = combination_of(s, contract_idx, place)
        position = s.positions[find_position(s, account_idx, combination_idx)]
        sells = side if bought_with(s, combination_idx, contract_idx) else 1 - side
        lots += position["sell_lots"] if sells == 1 else position["buy_lots"]
    return lots


@kernel
def bought_with(s, combination_idx, contract_idx):
    """Return whether a leg is bought when its combination is."""
    second = leg_of(s, combination_idx, 1)
    return second["contract_idx"] != contract_idx or second["ratio"] > 0


@cold_kernel
def legs_lots_if_all_fill(s, account_idx, contract_idx, side):
    """Return the largest of that over the legs of a combination; of any other contract, its own."""
    count = s.contracts[contract_idx]["legs_count"]
    if count == 0:
        return leg_lots_if_all_fill(s, account_idx, contract_idx, side)
    most_lots = np.int64(-_NO_LOTS)
    for place in range(count):
        leg = leg_of(s, contract_idx, place)
        leg_side = side if leg["ratio"] > 0 else 1 - side
        leg_idx = np.int64(leg["contract_idx"])
        most_lots = max(most_lots, leg_lots_if_all_fill(s, account_idx, leg_idx, leg_side))
    return most_lots


@cold_kernel
def check_combination_order(cmd):
    """Refuse what only orders of single contracts can be."""
    if cmd["order_type"] != OrderType.LIMIT and cmd["order_type"] != OrderType.MARKET:
        return Code.COMBINATION_ORDER_UNUSUAL
    if (cmd["flags"] & ~FLAGS_OF_COMBINATIONS) != 0 or (cmd["state"] & ~BY_LEGS) != 0:
        return Code.COMBINATION_ORDER_UNUSUAL
    if (cmd["amount_usd_micros"] | cmd["ref_id"] | cmd["order_id"]) != 0:
        return Code.COMBINATION_ORDER_UNUSUAL
    return Code.OK


@cold_kernel
def check_legs_trade(s, contract_idx):
    """Refuse an order while a leg is not in continuous trading."""
    for place in range(s.contracts[contract_idx]["legs_count"]):
        leg_idx = leg_of(s, contract_idx, place)["contract_idx"]
        if s.contracts[leg_idx]["state"] != TradingState.CONTINUOUS:
            return Code.LEG_NOT_TRADING
    return Code.OK


@cold_kernel
def positions_wanted(s, account_idx, contract_idx):
    """Return how many positions an account's first order of a combination opens."""
    wanted = np.int64(1)
    for place in range(s.contracts[contract_idx]["legs_count"]):
        leg_idx = np.int64(leg_of(s, contract_idx, place)["contract_idx"])
        if find_position(s, account_idx, leg_idx) == 0:
            wanted += 1
    return wanted


@cold_kernel
def add_leg_positions(s, account_idx, contract_idx):
    """Open the positions that fills of a combination will move, where there are none yet."""
    for place in range(s.contracts[contract_idx]["legs_count"]):
        leg_idx = np.int64(leg_of(s, contract_idx, place)["contract_idx"])
        if find_position(s, account_idx, leg_idx) == 0:
            add_position(s, account_idx, leg_idx)


@cold_kernel
def legs_have_room(s, order, more_lots):
    """Return whether what rests in a combination, and each leg's lots, stay within their limits."""
    resting = s.positions[order.position_idx]
    if resting["buy_lots"] + resting["sell_lots"] + more_lots > COMBINATION_LOTS_MAX:
        return False
    for place in range(s.contracts[order.contract_idx]["legs_count"]):
        leg_idx = np.int64(leg_of(s, order.contract_idx, place)["contract_idx"])
        leg = s.positions[find_position(s, order.account_idx, leg_idx)]
        held_lots = abs(leg["qty_lots"]) + leg["buy_lots"] + leg["sell_lots"]
        if held_lots + more_lots > POSITION_LOTS_MAX:
            return False
    return True
