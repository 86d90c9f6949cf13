"""Records of collateral: what is counted, what is held, what it is worth; numpy only.

Part of the saved state, so whoever reads one may import this; the rest of the records is `wire.py`.

SET_COLLATERAL: amount_usd_micros what is counted; state CountMode.
CHARGE: amount_usd_micros what the account pays, negative when it is paid; state Charge; ref_id.
SEND_CASH: order_id the account that receives, amount_usd_micros, ref_id as of a withdrawal.
MOVE_ASSET: order_id the asset, price_ticks its smallest units, state AssetMove, ref_id; of a
  RESERVE amount_usd_micros is what is counted once they are gone.
TAKE_ASSET: account_idx gives units and gets cash, ref_id is the account_idx that takes them and
  pays; state the asset, price_ticks its units, amount_usd_micros the cash, order_id the
  liquidation it belongs to. Its event says the asset in code.
PRICE_ASSET: order_id the asset, price_ticks usd micros of one whole, expires_ns when it was so,
  state PriceSource.
SET_FEES: price_ticks maker, qty_lots taker, amount_usd_micros clearing, each in micro-dollars per
  GPU-hour; FEES_SET says all three in amount_usd_micros, as COLLATERAL.fee_rates has them.
"""

from typing import Final

import numpy as np

# What an account has beside cash; its counted part is in ACCOUNT.claims_usd_micros as well.
COLLATERAL: Final = np.dtype(
    [
        ("counted_usd_micros", "<i8"),
        ("last_charge_id", "<i8"),
        ("last_move_id", "<i8"),  # of its assets, 1, 2, 3, ...
        ("fee_rates", "<i8"),  # maker, taker << 20, clearing << 40: usd micros per GPU-hour
    ]
)
assert COLLATERAL.itemsize == 32

# One account's units of one asset.
HOLDING: Final = np.dtype(
    [
        ("units", "<i8"),
        ("leaving_units", "<i8"),  # reserved by a withdrawal, and not paid yet
    ]
)
assert HOLDING.itemsize == 16

# The last price of an asset that anybody said.
ASSET: Final = np.dtype(
    [
        ("price_usd_micros", "<i8"),  # of one whole; 0: none yet
        ("priced_ns", "<i8"),
        ("source", "<i8"),  # PriceSource
        ("reserved", "<i8"),
    ]
)
assert ASSET.itemsize == 32
