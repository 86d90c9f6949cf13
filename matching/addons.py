"""Liquidity and concentration: what a contract's lots cost beyond their scenarios.

    lots x (spread + impact x sqrt(lots / adv))                          liquidity
    lots x unit x (sqrt(lots / close) - 1), x 1.5 above crowd            concentration

Both only for the largest position that fills may lead to, each step rounded up, and together at
most what the widest shock takes of a lot. See `exchange/rules/addons.py`.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.limits import (
    CROWD_DENOMINATOR,
    CROWD_NUMERATOR,
    POSITION_LOTS_MAX,
    ROOT_BITS,
    ROOT_LOTS_MAX,
    SHOCK_TICKS_MAX,
)

ROOT_ONE = np.int64(1 << ROOT_BITS)
LOW_BITS = ROOT_ONE - 1
SQUARE_BITS = 62  # of what a root is taken of


@kernel
def root_down(square):
    """Return the largest number whose square is not above, bit by bit."""
    root, rest = np.int64(0), square
    bit = np.int64(1) << SQUARE_BITS
    while bit > rest:
        bit >>= 2
    while bit != 0:
        if rest >= root + bit:
            rest -= root + bit
            root = (root >> 1) + bit
        else:
            root >>= 1
        bit >>= 2
    return root


@kernel
def root_up(lots, unit_lots):
    """Return sqrt(lots / unit_lots) in parts of 2^ROOT_BITS, rounded up; lots above zero."""
    square = -(-(lots << (2 * ROOT_BITS)) // unit_lots)
    if square <= 1:
        return square
    return root_down(square - 1) + 1


@kernel
def times_root(amount, root):
    """Return amount x root / 2^ROOT_BITS, rounded up; neither below zero."""
    return (amount >> ROOT_BITS) * root - (-((amount & LOW_BITS) * root) >> ROOT_BITS)


@kernel
def liquidity_per_lot(addon, lots, most_usd_micros):
    """Return the liquidity add-on of one of so many lots."""
    cost = np.int64(addon["spread_usd_micros"])
    if addon["impact_usd_micros"] != 0:
        if lots >= ROOT_LOTS_MAX:
            return most_usd_micros
        root = root_up(lots, np.int64(addon["adv_lots"]))
        cost += times_root(np.int64(addon["impact_usd_micros"]), root)
    return min(cost, most_usd_micros)


@kernel
def concentration_per_lot(addon, lots, most_usd_micros):
    """Return the concentration add-on of one of so many lots."""
    close_lots = np.int64(addon["close_lots"])
    if close_lots == 0 or lots <= close_lots:
        return np.int64(0)
    if lots >= ROOT_LOTS_MAX:
        return most_usd_micros
    above = root_up(lots, close_lots) - ROOT_ONE
    unit_usd_micros = np.int64(addon["unit_usd_micros"])
    if addon["crowd_lots"] == 0 or lots <= addon["crowd_lots"]:
        return min(most_usd_micros, times_root(unit_usd_micros, above))
    crowded = times_root(unit_usd_micros * CROWD_NUMERATOR, above)
    return min(most_usd_micros, -(-crowded // CROWD_DENOMINATOR))


@cold_kernel
def addon_usd_micros(s, contract_idx, lots):
    """Return both add-ons of a contract's lots."""
    if lots <= 0:
        return np.int64(0)
    addon = s.addons[contract_idx]
    most = s.contracts[contract_idx]["tick_value_usd_micros"] * SHOCK_TICKS_MAX
    liquidity = liquidity_per_lot(addon, lots, most)
    return lots * (liquidity + concentration_per_lot(addon, lots, most - liquidity))


@cold_kernel
def take_slope(s, contract_idx):
    """Take how many lots an account may have for the straight line, and what a lot adds until then.

    Up to there nothing is concentrated and the impact is convex, so no lot adds more than the last,
    3/2 of its impact. What rounding may add to one lot is (impact / 2^19 + 1) x lots at most.
    """
    addon, contract = s.addons[contract_idx], s.contracts[contract_idx]
    impact = np.int64(addon["impact_usd_micros"])
    addon["slope_usd_micros"] = addon["spread_usd_micros"]
    contract["plain_lots"] = POSITION_LOTS_MAX
    if addon["close_lots"] != 0:
        contract["plain_lots"] = min(POSITION_LOTS_MAX, addon["close_lots"])
    if impact == 0:
        return
    plain_lots = min(contract["plain_lots"], addon["adv_lots"], ROOT_LOTS_MAX - 1)
    most = contract["tick_value_usd_micros"] * SHOCK_TICKS_MAX
    last = times_root(impact, root_up(plain_lots, np.int64(addon["adv_lots"])))
    rounding = plain_lots * ((impact >> (ROOT_BITS - 1)) + 2)
    slope = addon["spread_usd_micros"] + last + (last >> 1) + 1 + rounding
    contract["plain_lots"] = plain_lots
    addon["slope_usd_micros"] = slope
    if slope > most:  # the bound would say nothing: every order is judged exactly
        contract["plain_lots"] = 0
        addon["slope_usd_micros"] = 0
