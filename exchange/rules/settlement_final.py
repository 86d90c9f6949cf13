"""When a settlement price is final: at noon UTC of the day after."""

from typing import Final

from exchange.rules.tenors import DAY, date_of, ns_of

FINAL_HOUR: Final = 12


def final_ns(due_ns: int) -> int:
    """Return from when on the price of a moment is never changed (SETL_014)."""
    return ns_of(date_of(due_ns) + DAY, FINAL_HOUR)
