"""Records of blocks and requests for quotes in a saved state: numpy only, as `wire.py` is."""

from typing import Final

import numpy as np

# A block proposal or a request for quotes that is open.
DEAL: Final = np.dtype(
    [
        ("deal_id", "<i8"),  # 0 when the slot is free
        ("expires_ns", "<i8"),
        ("price_ticks", "<i8"),  # 0 of a request
        ("request_id", "<i8"),  # the request for quotes it answers, 0 for none
        ("client_a", "<i8"),
        ("client_b", "<i8"),
        ("client_c", "<i8"),
        ("client_d", "<i8"),
        ("created_ns", "<i8"),
        ("qty_lots", "<i4"),
        ("account_idx", "<i4"),  # who proposed or asked
        ("counterparty_idx", "<i4"),  # -1 of a request
        ("contract_idx", "<i4"),
        ("next", "<i4"),  # ends later, or in the free list
        ("prev", "<i4"),
        ("next_own", "<i4"),  # of the same account, oldest first
        ("prev_own", "<i4"),
        ("kind", "i1"),  # DealKind
        ("side", "i1"),  # of who proposed; of a request: 0 for either, or side + 1
        ("reserved_a", "i1", (6,)),
        ("reserved_b", "<i8", (2,)),
    ]
)
assert DEAL.itemsize == 128

# What an account has open and has asked for, one record an account.
DEALER: Final = np.dtype(
    [
        ("deal_head", "<i4"),
        ("deal_tail", "<i4"),
        ("deals_open", "<i4"),
        ("requests", "<i4"),  # for quotes, in the window
        ("window", "<i8"),  # number of the window of time
        ("reserved", "<i8"),
    ]
)
assert DEALER.itemsize == 32

# A contract's day, from one settlement to the next, and what it takes as a block.
DAY: Final = np.dtype(
    [
        ("low_ticks", "<i8"),  # of the book's trades, 0 for none yet
        ("high_ticks", "<i8"),
        ("block_min_lots", "<i8"),  # 0: no blocks
        ("block_range_bps", "<i8"),  # beyond the day's prices
    ]
)
assert DAY.itemsize == 32
