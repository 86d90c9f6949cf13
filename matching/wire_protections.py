"""Records of what protects members: limits of an account, timers, quote groups; numpy only.

Part of the saved state, so whoever reads one may import this; the rest of the records is `wire.py`.
"""

from typing import Final

import numpy as np

# An account's own limits, 0 for none; read only if its record says `limited`.
ACCOUNT_LIMITS: Final = np.dtype(
    [
        ("qty_max_lots", "<i8"),  # of one order
        ("notional_max_usd_micros", "<i8"),  # of one order
        ("position_max_lots", "<i8"),  # in one contract, all that rests on a side counted in
        ("orders_per_second_max", "<i8"),
        ("open_orders_max", "<i8"),
        ("second", "<i8"),  # which second of the core's clock was counted last
        ("second_orders", "<i8"),  # orders taken in it
        ("level_more_bps", "<i8"),  # of the requirement, beyond that of a member
    ]
)
assert ACCOUNT_LIMITS.itemsize == 64

# A timer that cancels everything; two an account, see `Timer`.
TIMER: Final = np.dtype(
    [
        ("due_ns", "<i8"),  # 0: not armed
        ("wake_ns", "<i8"),  # of its entry in the heap, never after due_ns; 0 for none
    ]
)
assert TIMER.itemsize == 16

# An order's end; or, with a negative id, a timer's (expiry.py).
EXPIRY: Final = np.dtype([("expires_ns", "<i8"), ("order_id", "<i8")])

# An order in a list of those that end with a call or a day, and such a list (lifetimes.py).
LIFE: Final = np.dtype(
    [
        ("next", "<i4"),
        ("prev", "<i4"),
        ("which", "<i4"),  # the list it joined, plus one; 0: in none
        ("b", "<i4"),
    ]
)
LIFE_LIST: Final = np.dtype([("head", "<i4"), ("tail", "<i4")])
assert LIFE.itemsize == 16 and LIFE_LIST.itemsize == 8

# Market-maker protection of one quote group.
MMP: Final = np.dtype(
    [
        ("window_ns", "<i8"),  # 0: no protection
        ("qty_max_lots", "<i4"),  # filled in a window; 0 for no limit, as below
        ("delta_max_lots", "<i4"),  # bought less sold, either way
        ("fills_max", "<i4"),
        ("frozen", "<i4"),  # 1: a limit was hit; no quotes until a reset
        ("start_ns", "<i8"),  # of the window, 0 for none
        ("qty_lots", "<i8"),
        ("delta_lots", "<i8"),
        ("fills", "<i8"),
        ("next_hit", "<i8"),  # scratch: what else was hit in this command, place + 1
    ]
)
assert MMP.itemsize == 64
