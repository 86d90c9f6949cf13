"""How well a contract hedges a place or a provider: regressions and the basis, from real prices.

The change of a price over four weeks is regressed on the change of what the hedge settles to:

    own = alpha + beta x hedge        R^2 = squared correlation

Windows do not overlap. Changes are those of `scenario_history.py`, of matched offers alone, so a
panel that changes says nothing. List prices stand still for months: a window in which neither
moved says nothing either, and is not counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from exchange.rules.contracts import Series
from exchange.rules.hedge_strip import worldwide
from exchange.rules.levels import levels
from exchange.rules.money import BPS, div_half_even
from exchange.rules.quotes import PriceData, Quote
from exchange.rules.regions import GLB
from exchange.rules.scenario_history import Cell, History, history
from exchange.rules.skus import SKU_BY_SYMBOL
from exchange.rules.tenors import DAY, month_start

WINDOW_DAYS: Final = 28
WINDOWS_MIN: Final = 6  # fewer say nothing
RATIO_MAX_BPS: Final = 20_000  # a hedge of more than two lots a GPU is a guess
BASIS_MONTHS: Final = 36


@dataclass(frozen=True, slots=True)
class Fit:
    """A regression; ratios in basis points, None where too few windows say anything."""

    windows: int
    beta_bps: int | None = None
    r2_bps: int | None = None


@dataclass(frozen=True, slots=True)
class BasisPoint:
    """A hub's level over the worldwide one at the end of a month, in basis points."""

    month: date
    ratio_bps: int


@dataclass(frozen=True, slots=True)
class Basis:
    """What is known of how a series moves with what hedges it.

    Attributes:
        own: of the sites that the plan is about against the other sites of their hub, pooled.
        world: of the hub against the world without it; empty for the worldwide series itself.
    """

    series: Series
    own: Fit
    world: Fit
    points: tuple[BasisPoint, ...]
    as_of: date


def regression(own: Sequence[int], hedge: Sequence[int]) -> Fit:
    """Return the regression of one row of changes on another, exact but for the last rounding."""
    pairs = [(y, x) for y, x in zip(own, hedge, strict=True) if y or x]
    count = len(pairs)
    if count < WINDOWS_MIN:
        return Fit(count)
    sum_y, sum_x = sum(y for y, _ in pairs), sum(x for _, x in pairs)
    # count squared times the variances and the covariance: whole numbers
    var_x = count * sum(x * x for _, x in pairs) - sum_x * sum_x
    var_y = count * sum(y * y for y, _ in pairs) - sum_y * sum_y
    both = count * sum(y * x for y, x in pairs) - sum_y * sum_x
    if not var_x or not var_y:
        return Fit(count)
    beta_bps = div_half_even(BPS * both, var_x)
    return Fit(count, beta_bps, div_half_even(BPS * both * both, var_x * var_y))


def ratio_bps(fit: Fit) -> int:
    """Return the lots a GPU takes of a hedge that is not its own: beta, within reason."""
    if fit.beta_bps is None:
        return BPS
    return min(max(0, fit.beta_bps), RATIO_MAX_BPS)


def _windows(found: History, cell: Cell) -> dict[int, int]:
    """Return the change of each window on whose first and last day the cell had a price."""
    row = found.changes.get(cell, {})
    sums: dict[int, int] = {}
    for number in range(found.days // WINDOW_DAYS):
        last = (number + 1) * WINDOW_DAYS - 1
        if last in row and last - WINDOW_DAYS + 1 in row:
            days = range(last - WINDOW_DAYS + 1, last + 1)
            sums[number] = sum(row.get(day, 0) for day in days)
    return sums


Site = tuple[str, str]  # provider, region


class _Whose(NamedTuple):
    """Which offers speak: of one site or all, without one site, without one hub."""

    site: Site | None = None
    but_site: Site | None = None
    but_hub: str = ""

    def has(self, quote: Quote) -> bool:
        """Return whether an offer is one of them."""
        site = quote.provider, quote.region
        if self.site not in (None, site) or site == self.but_site:
            return False
        return not self.but_hub or quote.hub != self.but_hub


@lru_cache(maxsize=256)
def _windows_of(data: PriceData, sku: str, hub: str, whose: _Whose) -> dict[int, int]:
    """Return the windows of a SKU at a hub as some of the offers have them."""
    raw_names = SKU_BY_SYMBOL[sku].raw_names
    offers = tuple(q for q in data.offers if q.raw_sku in raw_names and whose.has(q))
    if not offers:
        return {}
    # Days are numbered from the first committed price on, which is the same for all.
    found = history(PriceData(offers, data.reserved[:1], data.steps), data.last_day)
    return _windows(found, (sku, hub))


@lru_cache(maxsize=64)
def basis_of(data: PriceData, series: Series, provider: str, region: str) -> Basis:
    """Return what is known of a series; it takes half a second, and is kept.

    Nobody is compared with itself: a site (a provider's region) with all other sites of its hub,
    a hub with the world without it.

    Args:
        provider, region: whose prices are to be hedged, as the price data spell it; empty for all.
    """
    sku, hub = series.sku.symbol, series.hub.symbol
    own: list[int] = []
    hedge: list[int] = []
    for site in sites_known(data, series, provider, region):
        mine = _windows_of(data, sku, hub, _Whose(site))
        theirs = _windows_of(data, sku, hub, _Whose(but_site=site)) if mine else {}
        shared = _shared(mine, theirs)
        own += shared[0]
        hedge += shared[1]
    level = _windows_of(data, sku, hub, _Whose())
    elsewhere = {} if hub == GLB else _windows_of(data, sku, GLB, _Whose(but_hub=hub))
    return Basis(
        series=series,
        own=regression(own, hedge),
        world=regression(*_shared(level, elsewhere)),
        points=_points(data, series),
        as_of=data.last_day,
    )


def sites_known(data: PriceData, series: Series, provider: str, region: str) -> list[Site]:
    """Return the sites that offer a SKU in a hub, those of one provider or region or all."""
    hub, raw_names = series.hub.symbol, series.sku.raw_names
    return sorted(
        {
            (quote.provider, quote.region)
            for quote in data.offers
            if quote.raw_sku in raw_names
            and hub in (quote.hub, GLB)
            and provider in (quote.provider, "")
            and region in (quote.region, "")
        }
    )


def _shared(own: dict[int, int], hedge: dict[int, int]) -> tuple[list[int], list[int]]:
    """Return the changes of both in the windows that both have."""
    numbers = sorted(own.keys() & hedge.keys())
    return [own[n] for n in numbers], [hedge[n] for n in numbers]


def _points(data: PriceData, series: Series) -> tuple[BasisPoint, ...]:
    """Return the basis at the end of each month, as far as both levels are known."""
    if series.hub.symbol == GLB:
        return ()
    world = worldwide(series)
    found = []
    for back in range(BASIS_MONTHS, -1, -1):
        month = month_start(data.last_day, -back)
        on = min(month_start(month, 1) - DAY, data.last_day)
        known = levels(data.offers, (series, world), on)
        if len(known) == 2:
            level, base = known[series].usd_micros, known[world].usd_micros
            found.append(BasisPoint(month, div_half_even(level * BPS, base)))
    return tuple(found)
