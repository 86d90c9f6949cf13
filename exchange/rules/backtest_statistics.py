"""Tests of a margin against what happened: coverage, Kupiec, Christoffersen, Acerbi-Szekely.

Exact up to Decimal's 34 digits. Likelihood ratios are compared with the 5 % points of chi-squared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

import numpy as np

from exchange.rules.money import BPS, DECIMAL
from exchange.rules.scenario_factors import HORIZON_DAYS

LEVEL_BPS: Final = 9_900  # what the margin must cover
CHI2_1_PCT5: Final = Decimal("3.841")
CHI2_2_PCT5: Final = Decimal("5.991")
Z2_PCT5: Final = Decimal("-0.70")  # Acerbi and Szekely 2014: hardly depends on the tails
PEAK_TO_TROUGH_MAX: Final = 3
_TAIL: Final = Decimal(BPS - LEVEL_BPS).scaleb(-4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a backtest of one portfolio gave."""

    days: int
    exceeded: int  # days on which the loss was above the margin
    worst_excess_ppm: int  # how far, of notional
    kupiec: Decimal
    christoffersen: Decimal  # independence of exceedances of windows that do not overlap
    z2: Decimal
    peak_ppm: int
    trough_ppm: int

    @property
    def covers(self) -> bool:
        """Return whether at least 99 % of the days were covered."""
        return BPS * (self.days - self.exceeded) >= LEVEL_BPS * self.days

    @property
    def coverage_bps(self) -> int:
        """Return the share of days that were covered, in basis points, rounded down."""
        return BPS * (self.days - self.exceeded) // max(1, self.days)

    @property
    def kupiec_says(self) -> str:
        """Return whether exceedances are as many as 1 %: ok, too many or too few."""
        if self.kupiec <= CHI2_1_PCT5:
            return "ok"
        return "too few" if self.covers else "too many"

    @property
    def is_calm(self) -> bool:
        """Return whether the margin's peak is at most three times its trough."""
        return self.peak_ppm <= PEAK_TO_TROUGH_MAX * self.trough_ppm

    @property
    def peak_to_trough(self) -> Decimal:
        """Return peak over trough."""
        return DECIMAL.divide(Decimal(self.peak_ppm), Decimal(max(1, self.trough_ppm)))


def outcome(losses: np.ndarray, required: np.ndarray) -> Outcome:
    """Return the statistics of one portfolio's tested days, in their order."""
    over = losses > required
    return Outcome(
        days=len(losses),
        exceeded=int(over.sum()),
        worst_excess_ppm=int((losses - required).max(initial=0)),
        kupiec=kupiec(len(losses), int(over.sum())),
        christoffersen=christoffersen([bool(one) for one in over[::HORIZON_DAYS]]),
        z2=acerbi_szekely(losses.tolist(), required.tolist()),
        peak_ppm=int(required.max(initial=0)),
        trough_ppm=int(required.min(initial=1 << 40)) if len(required) else 0,
    )


def _log(count: int, share: Decimal) -> Decimal:
    """Return count x ln(share), nothing for no count."""
    return DECIMAL.multiply(Decimal(count), DECIMAL.ln(share)) if count else Decimal(0)


def kupiec(days: int, exceeded: int) -> Decimal:
    """Return the likelihood ratio that exceedances are 1 % of the days: one degree of freedom."""
    if days == 0:
        return Decimal(0)
    share = DECIMAL.divide(Decimal(exceeded), Decimal(days))
    kept = days - exceeded
    expected = _log(kept, 1 - _TAIL) + _log(exceeded, _TAIL)
    found = _log(kept, 1 - share) + _log(exceeded, share)
    return max(Decimal(0), 2 * (found - expected))


def christoffersen(over: Sequence[bool]) -> Decimal:
    """Return the likelihood ratio that exceedances do not cluster: one degree of freedom."""
    counts = {(before, after): 0 for before in (False, True) for after in (False, True)}
    for pair in pairwise(over):
        counts[pair] += 1
    quiet, started = counts[False, False], counts[False, True]
    ended, went_on = counts[True, False], counts[True, True]
    joined = _split(quiet + ended, started + went_on)
    return max(Decimal(0), 2 * (_split(quiet, started) + _split(ended, went_on) - joined))


def _split(no: int, yes: int) -> Decimal:
    """Return the log likelihood of outcomes at their own frequency."""
    if no + yes == 0:
        return Decimal(0)
    share = DECIMAL.divide(Decimal(yes), Decimal(no + yes))
    return _log(no, 1 - share) + _log(yes, share)


def acerbi_szekely(losses: Sequence[int], required: Sequence[int]) -> Decimal:
    """Return Z2: 0 when losses beyond the margin are as many and as large as expected.

    Positive is a margin that was too high, negative one too low. The margin, a mean of the worst,
    stands for the expected shortfall and for the quantile as well.
    """
    if not losses:
        return Decimal(0)
    total = Decimal(0)
    for loss, margin in zip(losses, required, strict=True):
        if loss > margin:
            total += DECIMAL.divide(Decimal(loss), Decimal(max(1, margin)))
    return 1 - DECIMAL.divide(total, len(losses) * _TAIL)
