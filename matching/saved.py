"""The saved form of a state: numpy only, so that readers need no kernels.

    8 bytes   magic and version
    8 bytes   length of the header, little endian
    header    JSON: counters, and the name, dtype and shape of each array
    arrays    their bytes, in the header's order

The form is canonical: the same history gives the same bytes, so its hash is the state's hash.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from matching.call_record import CALL
from matching.wire import (
    ACCOUNT,
    CONTRACT,
    DETAIL,
    LEG,
    ORDER,
    POSITION,
    WATCH,
)
from matching.wire_collateral import ASSET, COLLATERAL, HOLDING
from matching.wire_deals import DAY, DEAL, DEALER
from matching.wire_ids import CLIENT_ID, ORIGIN
from matching.wire_margin import ADDON
from matching.wire_protections import ACCOUNT_LIMITS, EXPIRY, LIFE, LIFE_LIST, MMP, TIMER

MAGIC: Final = b"WHSTATE4"
STATE_HASH_BYTES: Final = 16
PLAIN: Final = np.dtype("<i8")
HEADS: Final = np.dtype("<i4")

# The arrays of a saved state, in order. Row 0 of a pool (positions, orders, client ids, deals)
# is unused.
ARRAYS: Final[dict[str, np.dtype[Any]]] = {
    "accounts": ACCOUNT,
    "contracts": CONTRACT,
    "positions": POSITION,
    "orders": ORDER,
    "details": DETAIL,
    "legs": LEG,  # LEGS_MAX places of each contract
    "calls": CALL,
    "watches": WATCH,
    "trails": HEADS,
    "client_ids": CLIENT_ID,
    "origins": ORIGIN,
    "limits": ACCOUNT_LIMITS,
    "timers": TIMER,
    "expiries": EXPIRY,  # dead entries too: a TICK looks at so many of them
    "lives": LIFE,  # of each order
    "life_lists": LIFE_LIST,
    "mmps": MMP,
    "deals": DEAL,
    "dealers": DEALER,
    "days": DAY,
    "collaterals": COLLATERAL,
    "holdings": HOLDING,
    "assets": ASSET,
    "worst": PLAIN,  # (accounts, scenarios)
    "shocks": PLAIN,  # (contracts, scenarios)
    "staged": PLAIN,  # (contracts, most scenarios)
    "addons": ADDON,
    "addons_staged": ADDON,
    "covers": PLAIN,  # of each position
    "profiles": PLAIN,  # of each account
    "joints": PLAIN,  # of each contract
}


class Damaged(ValueError):
    """These bytes are no saved state, or not all of one."""


def parts(meta: Mapping[str, int], arrays: Mapping[str, np.ndarray]) -> list[bytes]:
    """Return the pieces of the saved form, in order."""
    ordered = {name: np.ascontiguousarray(arrays[name], dtype) for name, dtype in ARRAYS.items()}
    shapes = {name: list(rows.shape) for name, rows in ordered.items()}
    header = json.dumps({"meta": dict(meta), "shapes": shapes}, sort_keys=True).encode()
    head = MAGIC + len(header).to_bytes(8, "little") + header
    return [head, *(rows.tobytes() for rows in ordered.values())]


def pack(meta: Mapping[str, int], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return counters and arrays as one block."""
    return b"".join(parts(meta, arrays))


def hash_of(meta: Mapping[str, int], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return the hash of the saved form, 16 bytes."""
    digest = hashlib.blake2b(digest_size=STATE_HASH_BYTES)
    for part in parts(meta, arrays):
        digest.update(part)
    return digest.digest()


def unpack(blob: bytes) -> dict[str, Any]:
    """Return the counters under "meta", and each array under its name, read-only.

    Errors:
        Damaged: the bytes are not those of a saved state.
    """
    if blob[:8] != MAGIC:
        raise Damaged("not a saved state of this version")
    start = 16 + int.from_bytes(blob[8:16], "little")
    try:
        header = json.loads(blob[16:start])
        shapes = {name: tuple(header["shapes"][name]) for name in ARRAYS}
        found: dict[str, Any] = {"meta": {str(k): int(v) for k, v in header["meta"].items()}}
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged("the header cannot be read") from error
    for name, dtype in ARRAYS.items():
        count = math.prod(shapes[name])
        end = start + count * dtype.itemsize
        if end > len(blob):
            raise Damaged(f"{name} ends at byte {end}, the block at {len(blob)}")
        found[name] = np.frombuffer(blob, dtype, count, start).reshape(shapes[name])
        start = end
    if start != len(blob):
        raise Damaged(f"{len(blob) - start} bytes follow the last array")
    return found
