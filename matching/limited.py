"""Limits that an account has of its own: rate, size, notional, open orders, position.

An account without any is told by one word of its record, and takes the straight line.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.accounts import account_known
from matching.book import key_of
from matching.codes import COMBINED, Code, EventKind, Tif
from matching.emit import emit
from matching.legs import is_spread, leg_of, legs_lots_if_all_fill, spread_base
from matching.limits import LIMIT_MAX, NS_PER_SECOND, POSITION_LOTS_MAX
from matching.pool import find_position

OWN_LIMITS = np.int8(1)  # a bit of ACCOUNT.limited
OF_LEGS = np.int8(4)  # another: what rests in combinations counts in the positions of their legs


@cold_kernel
def set_limits(s, cmd):
    """Set all limits of an account at once; 0 is none."""
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    any_limit = np.int64(0)
    for limit in (
        np.int64(cmd["qty_lots"]), np.int64(cmd["amount_usd_micros"]), np.int64(cmd["order_id"]),
        np.int64(cmd["price_ticks"]), np.int64(cmd["ref_id"]),
    ):  # fmt: skip
        if limit < 0 or limit > LIMIT_MAX:
            return Code.LIMIT_INVALID
        any_limit |= limit
    limits = s.limits[cmd["account_idx"]]
    limits["qty_max_lots"] = cmd["qty_lots"]
    limits["notional_max_usd_micros"] = cmd["amount_usd_micros"]
    limits["position_max_lots"] = cmd["order_id"]
    limits["orders_per_second_max"] = cmd["price_ticks"]
    limits["open_orders_max"] = cmd["ref_id"]
    account = s.accounts[cmd["account_idx"]]
    limited = np.int64(account["limited"]) & ~(OWN_LIMITS | OF_LEGS)
    if any_limit != 0:
        limited |= OWN_LIMITS | ((np.int64(cmd["state"]) & 1) * OF_LEGS)
    account["limited"] = limited
    emit(s, EventKind.LIMITS_SET, cmd["account_idx"], 0)
    return Code.OK


@kernel
def orders_of_second(s, limits):
    """Return how many orders were taken in the current second of the core's clock."""
    if limits["second"] != s.meta[0]["now_ns"] // NS_PER_SECOND:
        return np.int64(0)
    return np.int64(limits["second_orders"])


@kernel
def breaks(limit, value):
    """Return whether a value is above a limit, of which 0 is none."""
    return limit != 0 and value > limit


@cold_kernel
def check_own_limits(s, order, lots, is_new):
    """Refuse what is beyond the account's own limits."""
    limits = s.limits[order.account_idx]
    if breaks(limits["orders_per_second_max"], orders_of_second(s, limits) + 1):
        return Code.ORDER_RATE_LIMIT
    if breaks(limits["qty_max_lots"], order.qty_lots):
        return Code.ORDER_SIZE_LIMIT
    price_ticks = shown_price_ticks(s, order)
    # Divided, since the product of the three may not fit: the gross limit comes later.
    most = limits["notional_max_usd_micros"] // max(np.int64(1), price_ticks)
    limited = limits["notional_max_usd_micros"] != 0 and price_ticks != 0
    if limited and lots * order.tick_value > most:
        return Code.NOTIONAL_LIMIT
    rests = order.tif != Tif.IOC and order.tif != Tif.FOK
    open_orders = np.int64(s.accounts[order.account_idx]["open_orders"])
    if is_new and rests and breaks(limits["open_orders_max"], open_orders + 1):
        return Code.OPEN_ORDERS_LIMIT
    by_legs = np.int64(s.accounts[order.account_idx]["limited"]) & OF_LEGS
    if breaks(limits["position_max_lots"], lots_if_all_fill(s, order, lots, by_legs)):
        return Code.POSITION_LIMIT
    return Code.OK


@kernel
def shown_price_ticks(s, order):
    """Return the price of an order, without its sign if it is one of a spread."""
    price_ticks = key_of(s, order.book_idx & 1, order.key)
    if (order.flags & COMBINED) != 0 and is_spread(s, order.contract_idx):
        return abs(price_ticks - spread_base(s))
    return price_ticks


@kernel
def lots_if_all_fill(s, order, lots, by_legs):
    """Return the position, as seen from the order's side, if everything on that side fills.

    Of a combination, the largest of its legs' positions.
    """
    if by_legs != 0:
        side = order.book_idx & 1
        most_lots = legs_lots_if_all_fill(s, order.account_idx, order.contract_idx, side)
        return most_lots - order.held_lots + lots
    position = s.positions[order.position_idx]
    side = order.book_idx & 1
    resting_lots = position["sell_lots"] if side == 1 else position["buy_lots"]
    held_lots = np.int64(position["qty_lots"]) * (1 - 2 * side)
    if (order.flags & COMBINED) != 0:
        held_lots = largest_leg_lots(s, order)
    return held_lots + resting_lots - order.held_lots + lots


@cold_kernel
def largest_leg_lots(s, order):
    """Return the largest position in a leg, as seen from the side of a combination's order."""
    largest_lots = np.int64(-POSITION_LOTS_MAX)
    for place in range(s.contracts[order.contract_idx]["legs_count"]):
        leg = leg_of(s, order.contract_idx, place)
        position_idx = find_position(s, order.account_idx, np.int64(leg["contract_idx"]))
        sign = np.int64(leg["ratio"]) * (1 - 2 * (order.book_idx & 1))
        largest_lots = max(largest_lots, np.int64(s.positions[position_idx]["qty_lots"]) * sign)
    return largest_lots


@cold_kernel
def count_order(s, account_idx):
    """Count an order that was taken against the rate of its second."""
    limits = s.limits[account_idx]
    limits["second_orders"] = orders_of_second(s, limits) + 1
    limits["second"] = s.meta[0]["now_ns"] // NS_PER_SECOND
