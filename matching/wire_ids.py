"""Records of what must not come twice: client order ids, and the requests of gateways."""

from typing import Final

import numpy as np

# A client order id that may not be used again yet, with the body it came with.
CLIENT_ID: Final = np.dtype(
    [
        ("client_a", "<i8"),
        ("client_b", "<i8"),
        ("client_c", "<i8"),
        ("client_d", "<i8"),
        ("order_id", "<i8"),
        ("accepted_ns", "<i8"),
        ("price_ticks", "<i8"),
        ("qty_lots", "<i8"),
        ("expires_ns", "<i8"),
        ("amount_usd_micros", "<i8"),
        ("ref_id", "<i8"),
        ("account_idx", "<i4"),
        ("contract_idx", "<i4"),
        ("side", "i1"),
        ("order_type", "i1"),
        ("tif", "i1"),
        ("stp", "i1"),
        ("flags", "<i2"),
        ("state", "i1"),
        ("reserved_a", "i1"),
        ("next", "<i4"),  # newer in the ring, or in the free list
        ("prev", "<i4"),  # older
        ("chain", "<i4"),  # next in the same bucket; rebuilt, never saved
        ("reserved_b", "<i4"),
        ("link_id", "<i8"),
    ]
)
assert CLIENT_ID.itemsize == 128

# The last request taken from each gateway.
ORIGIN: Final = np.dtype([("origin_id", "<i8"), ("last_request_id", "<i8")])
assert ORIGIN.itemsize == 16
