"""What one more lot adds to a requirement at most: of each book, taken anew with each matrix.

The requirement is sub-additive in all parts but the add-ons, which are convex: up to `plain_lots`
of a contract no lot adds more than `slope`. Beyond them the exact requirement is taken.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.addons import take_slope
from matching.legs import leg_of
from matching.limits import BPS, POSITION_LOTS_MAX
from matching.tails import blended


@kernel
def share_up(amount, bps):
    """Return a share of an amount that is not negative, rounded up; no product overflows."""
    return amount // BPS * bps - (-(amount % BPS * bps) // BPS)


@kernel
def capped(s, portfolio, standalone):
    """Return IM1: IM0 and the share of its offsets that does not count."""
    offset = max(np.int64(0), standalone - portfolio)
    return portfolio + share_up(offset, s.meta[0]["kept_bps"])


@cold_kernel
def unit_of_book(s, book_idx):
    """Return what one resting lot adds to a requirement at most, at the highest level there is."""
    contract_idx, side = book_idx >> 1, np.int64(book_idx & 1)
    legs_count = np.int64(s.contracts[contract_idx]["legs_count"])
    none = np.int64(0)
    own = blended(s, none, none, contract_idx, side, 1 - side)
    standalone, slope = own, np.int64(s.addons[contract_idx]["slope_usd_micros"])
    fee = np.int64(s.addons[contract_idx]["fee_usd_micros"])
    if legs_count != 0:
        standalone = slope = fee = none
    for place in range(legs_count):
        leg = leg_of(s, contract_idx, place)
        leg_idx = np.int64(leg["contract_idx"])
        up = side if leg["ratio"] > 0 else 1 - side
        standalone += blended(s, none, none, leg_idx, up, 1 - up)
        slope += s.addons[leg_idx]["slope_usd_micros"]
        fee += s.addons[leg_idx]["fee_usd_micros"]
    level = BPS + s.meta[0]["level_more_max_bps"]
    return share_up(capped(s, own, standalone) + slope, level) + fee


@cold_kernel
def take_units_of(s, contract_idx):
    """Take the units of a contract's two books, and how far they hold; legs come first."""
    contract, none, one = s.contracts[contract_idx], np.int64(0), np.int64(1)
    if contract["legs_count"] == 0:
        addon = s.addons[contract_idx]
        up = blended(s, none, none, contract_idx, one, none)
        addon["unit_usd_micros"] = max(up, blended(s, none, none, contract_idx, none, one))
        take_slope(s, contract_idx)
    else:
        contract["plain_lots"] = POSITION_LOTS_MAX
        for place in range(contract["legs_count"]):
            leg_idx = leg_of(s, contract_idx, place)["contract_idx"]
            if s.contracts[leg_idx]["plain_lots"] != POSITION_LOTS_MAX:
                contract["plain_lots"] = 0
    for book_idx in range(2 * contract_idx, 2 * contract_idx + 2):
        s.books[book_idx]["es_unit_usd_micros"] = unit_of_book(s, np.int64(book_idx))


@cold_kernel
def take_units(s):
    """Take the units of all contracts, and whether there is anything beyond the scenarios."""
    meta = s.meta[0]
    any_addon = meta["kept_bps"]
    for contract_idx in range(meta["contracts_count"]):
        addon = s.addons[contract_idx]
        any_addon |= addon["spread_usd_micros"] | addon["impact_usd_micros"]
        any_addon |= addon["fee_usd_micros"] | addon["close_lots"]
        take_units_of(s, np.int64(contract_idx))
    meta["extras"] = 1 if any_addon != 0 else 0
