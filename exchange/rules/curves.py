"""The shape of the forward curve, from prices for one and three years of commitment.

Let a year's price be `d` times the year before it. The three-year price over the
one-year price is then (1 + d + d^2) / 3, whatever the discount for committing at
all: that discount is in both and cancels. So `d` follows from the ratio.

A three-year buyer is paid for the longer promise too, and no data part that from
the price to come: `EXPECTED_SHARE_BPS` of the slope is taken as expectation.

Within a year the decay is even, day by day, and a period's factor is the mean over
its days. Means of means are exact, so strips add up: a quarter is the hour-weighted
mean of its months, up to the rounding of each to a tick.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from math import isqrt
from typing import Final

from exchange.rules.median import median
from exchange.rules.money import BPS, DECIMAL, div_half_even
from exchange.rules.quotes import Quote, standing_quotes
from exchange.rules.skus import SKUS
from exchange.rules.tenors import Period

EXPECTED_SHARE_BPS: Final = 5_000  # judgement: half of the slope
PAIRS_MIN: Final = 10  # pairs of committed prices that make a SKU's own curve
DAYS_A_YEAR: Final = 365
_RATIO_SCALE: Final = 1_000_000


class CurveRule(StrEnum):
    """Where a curve's slope comes from."""

    OWN = "own_commitments"
    POOLED = "pooled_commitments"  # the middle of the SKUs that have their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A forward curve: each year costs `year_bps` of the year before, in basis points."""

    year_bps: int
    rule: CurveRule
    pairs: int  # of committed prices behind it


def curves(reserved: Iterable[Quote], as_of: date) -> dict[str, Curve]:
    """Return the curve of every SKU by its symbol.

    Args:
        reserved: committed prices, in order of day.
        as_of: prices after this day are not looked at.

    Errors:
        ValueError: no SKU has enough pairs of committed prices.
    """
    by_raw_sku = _ratios(standing_quotes(reserved, as_of))
    own = {raw: median(r) for raw, r in by_raw_sku.items() if len(r) >= PAIRS_MIN}
    if not own:
        raise ValueError(f"no curve: fewer than {PAIRS_MIN} pairs of committed prices by {as_of}")
    pooled = Curve(
        year_bps=_year_bps(median(own.values())),
        rule=CurveRule.POOLED,
        pairs=sum(len(by_raw_sku[raw]) for raw in own),
    )
    found: dict[str, Curve] = {}
    for sku in SKUS:
        ratios = [ratio for raw in sku.raw_names if raw in own for ratio in by_raw_sku[raw]]
        found[sku.symbol] = (
            Curve(year_bps=_year_bps(median(ratios)), rule=CurveRule.OWN, pairs=len(ratios))
            if ratios
            else pooled
        )
    return found


def _ratios(standing: Iterable[Quote]) -> Mapping[str, list[int]]:
    """Return three-year over one-year prices in millionths, by raw SKU.

    Where the catalogue lost its committed prices it repeats the on-demand price for
    both: a ratio of one or more is no curve, and is left out.
    """
    pairs: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    for quote in standing:
        pairs[quote.raw_sku, quote.region, quote.instance][quote.kind] = quote.usd_micros
    ratios: dict[str, list[int]] = defaultdict(list)
    for (raw_sku, _, _), price in pairs.items():
        if len(price) == 2 and price["reserved-3y"] < price["reserved-1y"]:
            ratio = div_half_even(price["reserved-3y"] * _RATIO_SCALE, price["reserved-1y"])
            ratios[raw_sku].append(ratio)
    return ratios


def _year_bps(ratio: int) -> int:
    """Solve 1 + d + d^2 = 3 ratio for d, and keep the expected share of its slope."""
    root_bps = isqrt(max(0, 12 * ratio - 3 * _RATIO_SCALE) * (BPS * BPS // _RATIO_SCALE))
    decay_bps = max(0, root_bps - BPS) // 2
    return BPS - div_half_even((BPS - decay_bps) * EXPECTED_SHARE_BPS, BPS)


@lru_cache(maxsize=64)
def _day_factor(year_bps: int) -> Decimal:
    year = DECIMAL.divide(Decimal(year_bps), Decimal(BPS))
    return DECIMAL.exp(DECIMAL.divide(DECIMAL.ln(year), Decimal(DAYS_A_YEAR)))


def factor(curve: Curve, period: Period, on: date) -> Decimal:
    """Return the mean price over the period's days, as a multiple of the price of day `on`.

    Days of delivery that have passed count as today.
    """
    first = max(0, (period.start - on).days)
    last = max(first + 1, (period.end - on).days)
    day = _day_factor(curve.year_bps)
    if day == 1:
        return Decimal(1)
    start, end = DECIMAL.power(day, first), DECIMAL.power(day, last)
    days = DECIMAL.multiply(DECIMAL.subtract(Decimal(1), day), Decimal(last - first))
    return DECIMAL.divide(DECIMAL.subtract(start, end), days)
