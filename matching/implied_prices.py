"""Implied prices: what the best orders of a combination and of its legs offer together.

Implied in: one order of each leg makes a price for an order of the combination, the sum of theirs
(of a strip the mean, rounded against the order that comes). Implied out: an order of the
combination and one of each other leg make a price for the leg that is left. Only best orders count,
and only while the combination and all its legs are in continuous trading.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of, opposite_key
from matching.codes import TradingState
from matching.implied_wake import wake_combination
from matching.legs import combination_of, is_spread, leg_of, spread_base

NO_SUM = np.int64(-(1 << 40))
NO_OFFER = np.int64(1 << 40)  # a key behind all others
NOWHERE = np.int64(-1)  # no leg
LOOKS, WAKES = np.int64(0), np.int64(1)


@kernel
def leg_side(s, contract_idx, place, side):
    """Return on which side of a leg an order of a side of its combination trades."""
    sold = np.int64(1) if leg_of(s, contract_idx, place)["ratio"] < 0 else np.int64(0)
    return side ^ sold


@kernel
def makers_book(s, contract_idx, place, side):
    """Return the book of those who trade a leg with an order of a side of its combination."""
    leg_idx = np.int64(leg_of(s, contract_idx, place)["contract_idx"])
    return 2 * leg_idx + (leg_side(s, contract_idx, place, side) ^ 1)


@kernel
def best_ticks(s, book_idx):
    """Return the best price of a book, 0 for none."""
    key = np.int64(s.books[book_idx]["best_key"])
    if key > s.meta[0]["price_top"]:
        return np.int64(0)
    return np.int64(key_of(s, book_idx & 1, key))


@kernel
def may_trade_at(s, contract_idx, price_ticks):
    """Return whether a leg may trade at a price: within its band and its guards."""
    contract, sells = s.contracts[contract_idx], s.books[2 * contract_idx + 1]
    low_ticks = max(contract["band_low_ticks"], np.int64(sells["guard_best_key"]))
    high_ticks = min(contract["band_high_ticks"], np.int64(sells["guard_key"]))
    return price_ticks >= low_ticks and price_ticks <= high_ticks


@cold_kernel
def all_trade(s, contract_idx):
    """Return whether a combination and its legs are in continuous trading, with implied prices."""
    contract = s.contracts[contract_idx]
    if contract["implied"] == 0 or contract["state"] != TradingState.CONTINUOUS:
        return False
    for place in range(contract["legs_count"]):
        leg_idx = leg_of(s, contract_idx, place)["contract_idx"]
        if s.contracts[leg_idx]["state"] != TradingState.CONTINUOUS:
            return False
    return True


@cold_kernel
def sum_of_legs(s, contract_idx, side, but_place):
    """Return what the legs cost an order of the combination, without one of them.

    Returns: the signed sum of the best prices, NO_SUM where nobody rests; and whether each leg may
    trade at its price
    """
    total_ticks, allowed = np.int64(0), True
    for place in range(s.contracts[contract_idx]["legs_count"]):
        if place == but_place:
            continue
        book_idx = makers_book(s, contract_idx, place, side)
        ticks = best_ticks(s, book_idx)
        if ticks == 0:
            return NO_SUM, allowed
        allowed &= may_trade_at(s, book_idx >> 1, ticks)
        total_ticks += ticks * leg_of(s, contract_idx, place)["ratio"]
    return total_ticks, allowed


@cold_kernel
def price_in(s, contract_idx, side):
    """Return what the legs offer to an order of the combination.

    Returns: the price in ticks, 0 for none; and whether it may be traded at
    """
    if not all_trade(s, contract_idx):
        return np.int64(0), False
    total_ticks, allowed = sum_of_legs(s, contract_idx, side, NOWHERE)
    if total_ticks == NO_SUM:
        return np.int64(0), False
    count = np.int64(s.contracts[contract_idx]["legs_count"])
    price_ticks = spread_base(s) + total_ticks
    if not is_spread(s, contract_idx):
        price_ticks = -(-total_ticks // count) if side == 0 else total_ticks // count
    inside = min(max(np.int64(1), price_ticks), s.meta[0]["price_top"])
    return inside, allowed and inside == price_ticks


@cold_kernel
def price_out(s, contract_idx, place, side):
    """Return what the best order of a side of a combination offers, with the other legs, to one.

    Returns: the price in ticks, 0 for none; and whether it may be traded at
    """
    order_ticks = best_ticks(s, 2 * contract_idx + side)
    if order_ticks == 0 or not all_trade(s, contract_idx):
        return np.int64(0), False
    others_ticks, allowed = sum_of_legs(s, contract_idx, side, place)
    if others_ticks == NO_SUM:
        return np.int64(0), False
    left_ticks = order_ticks - spread_base(s) - others_ticks
    if not is_spread(s, contract_idx):
        left_ticks = order_ticks * s.contracts[contract_idx]["legs_count"] - others_ticks
    leg = leg_of(s, contract_idx, place)
    price_ticks = np.int64(left_ticks * leg["ratio"])
    inside = min(max(np.int64(1), price_ticks), s.meta[0]["price_top"])
    allowed &= may_trade_at(s, np.int64(leg["contract_idx"]), inside)
    return inside, allowed and inside == price_ticks


@kernel
def place_of(s, contract_idx, leg_idx):
    """Return which leg of a combination a contract is."""
    place = np.int64(0)
    while leg_of(s, contract_idx, place)["contract_idx"] != leg_idx:
        place += 1
    return place


@kernel
def side_for(s, contract_idx, place, side):
    """Return the side of a combination's orders that trade with an order of a side of a leg."""
    return leg_side(s, contract_idx, place, side ^ 1)


@cold_kernel
def best_offer(s, contract_idx, side, limit_key, wakes):
    """Return the best implied price for an order of a side; of equal ones that listed first.

    One that only a band or a guard forbids wakes its combination, if `wakes` is WAKES.

    Returns: the combination; the place of the order's leg in it, NOWHERE if the order is its own;
    the price as a key of the opposite book, NO_OFFER for none within the limit
    """
    if s.contracts[contract_idx]["legs_count"] != 0:
        ticks, allowed = price_in(s, contract_idx, side)
        key = np.int64(key_of(s, side ^ 1, ticks))
        if ticks == 0 or key > limit_key:
            return contract_idx, NOWHERE, NO_OFFER
        if not allowed:
            if wakes != 0:
                wake_combination(s, contract_idx)
            return contract_idx, NOWHERE, NO_OFFER
        return contract_idx, NOWHERE, key
    found_idx, found_place, found_key = NOWHERE, NOWHERE, NO_OFFER
    for number in range(s.contracts[contract_idx]["combinations_count"]):
        combination_idx = combination_of(s, contract_idx, number)
        if s.contracts[combination_idx]["implied"] == 0:
            continue
        place = place_of(s, combination_idx, contract_idx)
        resting_side = side_for(s, combination_idx, place, side)
        ticks, allowed = price_out(s, combination_idx, place, resting_side)
        key = np.int64(key_of(s, side ^ 1, ticks))
        if ticks == 0 or key > limit_key:
            continue
        if not allowed:
            if wakes != 0:
                wake_combination(s, combination_idx)
        elif key < found_key:
            found_idx, found_place, found_key = combination_idx, place, key
    return found_idx, found_place, found_key


@cold_kernel
def implied_for(s, contract_idx):
    """Return whether orders of a contract may meet implied prices, and forget it if not.

    Those of a combination always; those of a leg while an order of a combination rests.
    """
    contract = s.contracts[contract_idx]
    if contract["legs_count"] != 0:
        return True
    for number in range(contract["combinations_count"]):
        combination_idx = combination_of(s, contract_idx, number)
        if s.contracts[combination_idx]["implied"] != 0:
            for book_idx in range(2 * combination_idx, 2 * combination_idx + 2):
                if s.books[book_idx]["best_key"] <= s.meta[0]["price_top"]:
                    return True
    contract["implied"] = 0
    return False


@cold_kernel
def meets_implied(s, order):
    """Return whether an order would trade at an implied price now."""
    if s.contracts[order.contract_idx]["state"] != TradingState.CONTINUOUS:
        return False
    limit_key = opposite_key(s, order.key)
    offer = best_offer(s, order.contract_idx, order.book_idx & 1, limit_key, LOOKS)
    return offer[2] != NO_OFFER
