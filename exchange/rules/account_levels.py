"""At which level a new account is held, and which wrong-way rule it has.

A row a kind (MRGN_107, COLL_119, COLL_121). Both are set in the core right behind the opening
(SET_LEVEL, SET_PROFILE); an operator may set others afterwards, and nothing here sets them back.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from exchange.rules.requirement import CLIENT_LEVEL_BPS, MEMBER_LEVEL_BPS
from matching.codes import Profile
from matching.limits import LEVEL_BPS_MAX, LEVEL_BPS_MIN

# Kinds of accounts that stand in for themselves; who is of any other kind is a client.
LEVEL_BPS_BY_KIND: Final[Mapping[str, int]] = MappingProxyType(
    {
        "member": MEMBER_LEVEL_BPS,
        "neocloud": MEMBER_LEVEL_BPS,
        "miner": MEMBER_LEVEL_BPS,
        "house": MEMBER_LEVEL_BPS,
        "simulated": MEMBER_LEVEL_BPS,  # the demo market's own
    }
)
assert all(LEVEL_BPS_MIN <= bps <= LEVEL_BPS_MAX for bps in LEVEL_BPS_BY_KIND.values())

# What an administrator may open; the exchange opens its own (operator, fund) by itself.
OPENED_KINDS: Final = frozenset({"customer", "market_maker", *LEVEL_BPS_BY_KIND})

PROFILE_BY_KIND: Final[Mapping[str, Profile]] = MappingProxyType(
    {"neocloud": Profile.NEOCLOUD, "miner": Profile.MINER}
)


def opening_profile(kind: str) -> Profile:
    """Return the wrong-way rule of a new account of a kind."""
    return PROFILE_BY_KIND.get(kind, Profile.NONE)


def opening_level_bps(kind: str) -> int:
    """Return the level of a new account of a kind."""
    return LEVEL_BPS_BY_KIND.get(kind, CLIENT_LEVEL_BPS)
