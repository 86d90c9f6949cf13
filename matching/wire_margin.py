"""What is added to the margin of the scenarios, by contract; numpy only.

STAGE_ADDONS, 0 for none: price_ticks half the spread, qty_lots the impact, amount_usd_micros the
fee, each usd micros of one lot; expires_ns lots of a day's volume, client_a lots that close within
the margin period, client_b lots that are a crowd; state ADDONS_BY_HAND if an operator says so,
else they are the nightly run's. They are live with the next SWAP_SCENARIOS.
SET_LEVEL: order_id the account's level in basis points of the member's requirement.
SET_PROFILE: state the account's Profile. SET_COVER: contract_idx, qty_lots the lots of it that the
account's pledged capacity covers, 0 for none; state CountMode.RELEASE: fewer if margin allows it.
SWAP_SCENARIOS: qty_lots the rows, order_id the n of its means; of the rows the last
amount_usd_micros are the long-run floor, the price_ticks before them stress; ref_id the basis
points of the standalone sum that no offset removes.
"""

from typing import Final

import numpy as np

ADDON: Final = np.dtype(
    [
        ("spread_usd_micros", "<i8"),  # half of it, of one lot
        ("impact_usd_micros", "<i8"),  # of one lot, when a day's volume is closed
        ("fee_usd_micros", "<i8"),  # the most that one side of a fill pays for a lot
        ("adv_lots", "<i8"),
        ("close_lots", "<i8"),  # more than this is concentrated
        ("crowd_lots", "<i8"),  # more than this costs half as much again
        # Requirement of one lot on its own; of a staged row 1 if an operator staged it.
        ("unit_usd_micros", "<i8"),
        (
            "slope_usd_micros",
            "<i8",
        ),  # most that one lot more adds, up to plain_lots; live rows only
    ]
)
assert ADDON.itemsize == 64

# What a position needs if it were alone, kept for the lots it was computed for; never saved.
ALONE: Final = np.dtype(
    [
        ("swaps", "<i8"),  # of which matrix, counted from 1
        ("up_lots", "<i8"),
        ("down_lots", "<i8"),
        ("standalone_usd_micros", "<i8"),
        ("addon_usd_micros", "<i8"),
    ]
)
assert ALONE.itemsize == 40
