"""What a lot is worth in delivery, and at last: from the final index prints of its days.

A UTC day has 24 hours, so the hour-weighted mean of a period is the plain mean of its days.

* Day k of N is fixed by its final print. Until all are, the days to come count at the newest print:
  `24 x (sum of k prints + (N - k) x the newest)` micro-dollars a lot, exactly.
* With all N the price is their mean, to four decimals, half to even (FNST_001); a lot is worth
  `24 N x price`, which is whole micro-dollars.

What was used is named by a digest in the settlement's own command, so that the journal's chain
holds it: SHA-256 of the symbol and of each day's date, price and print.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from exchange.rules.money import div_half_even
from exchange.rules.tenors import DAY, NS_PER_DAY, Period, ns_of

# Raised only when an old settlement would come out otherwise: an old export stays provable.
SETTLEMENT_RULES: Final = "1"
PRICE_STEP_USD_MICROS: Final = 100  # four decimals
ACCRUAL_HOUR: Final = 12  # UTC of the day after: the day's print is final
PROVISIONAL_NS: Final = NS_PER_DAY  # so long a settlement stays open to objections
GRACE_NS: Final = NS_PER_DAY // 24  # all that is settled at noon takes a moment
NOTHING_FIXED: Final = bytes(32)  # digest of the settlement that begins delivery
HOURS_A_DAY: Final = 24


class DayPrint(NamedTuple):
    """The final index print of a day, as far as a settlement asks."""

    day: date
    price_usd_micros: int  # of one GPU-hour
    digest: str  # of the print, 64 hex digits


def final_price_usd_micros(prices_usd_micros: Sequence[int]) -> int:
    """Return the mean of a period's daily prices, four decimals, half to even (FNST_001)."""
    count = len(prices_usd_micros)
    return PRICE_STEP_USD_MICROS * div_half_even(
        sum(prices_usd_micros), count * PRICE_STEP_USD_MICROS
    )


def lot_worth_usd_micros(days: int, prices_usd_micros: Sequence[int]) -> int:
    """Return what a lot of a period is worth when its first days are fixed (FNST_002).

    Args:
        days: of the period.
        prices_usd_micros: of the days that are fixed, from the first on; one at least.
    """
    fixed = len(prices_usd_micros)
    assert 1 <= fixed <= days
    if fixed == days:
        return HOURS_A_DAY * days * final_price_usd_micros(prices_usd_micros)
    rest_usd_micros = (days - fixed) * prices_usd_micros[-1]
    return HOURS_A_DAY * (sum(prices_usd_micros) + rest_usd_micros)


def prints_digest(symbol: str, prints: Sequence[DayPrint]) -> bytes:
    """Return the digest of what a settlement was reached from, 32 bytes (FNST_003)."""
    if not prints:
        return NOTHING_FIXED
    rows = [[one.day.isoformat(), one.price_usd_micros, one.digest] for one in prints]
    text = json.dumps([symbol, rows], separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).digest()


def accrues_ns(day: date) -> int:
    """Return when a day of delivery is fixed: at noon of the next day, its print being final."""
    return ns_of(day + DAY, ACCRUAL_HOUR)


def provisional_ns(period: Period) -> int:
    """Return when the settlement over a whole period is there: noon after its last day."""
    return accrues_ns(period.end - DAY)


def final_ns(period: Period, accrued_ns: int = 0) -> int:
    """Return when a settlement is final: at the noon that leaves it a day (FNST_004).

    Args:
        accrued_ns: when all days were fixed; more than an hour late it has its whole day, too.
    """
    due_ns = provisional_ns(period)
    late_days = max(0, -(-(accrued_ns - due_ns - GRACE_NS) // NS_PER_DAY))
    return due_ns + late_days * NS_PER_DAY + PROVISIONAL_NS


class FixedDays:
    """The final prints of every series, by day."""

    def __init__(self) -> None:
        self._days: dict[str, dict[date, DayPrint]] = {}
        self.version = 0  # rises with every print

    def add(self, name: str, one: DayPrint) -> None:
        """Take a final print; a second one of the same day changes nothing."""
        days = self._days.setdefault(name, {})
        if one.day not in days:
            days[one.day] = one
            self.version += 1

    def of(self, name: str, period: Period) -> list[DayPrint]:
        """Return the prints of a period from its first day on, up to one that is missing."""
        days: Mapping[date, DayPrint] = self._days.get(name, {})
        found: list[DayPrint] = []
        day = period.start
        while day < period.end and day in days:
            found.append(days[day])
            day += DAY
        return found
