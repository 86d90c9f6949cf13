"""How old a fill may be that is given up: its price is further from the market with each day."""

from typing import Final

FILL_AGE_NS_MAX: Final = 3 * 24 * 3600 * 1_000_000_000  # of core time, since the trade


def is_too_old(traded_ns: int, now_ns: int) -> bool:
    """Say whether a fill is too old to be offered (GIVE_005)."""
    return now_ns - traded_ns > FILL_AGE_NS_MAX
