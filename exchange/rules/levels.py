"""Price levels: what one GPU-hour of a series costs today, from standing offers.

A level follows the first of these rules that has enough to stand on:

* `hub_median`: the weighted median of the hub's own offers, if five providers speak;
* `glb_median`: for GLB, the weighted median of all offers, if five providers speak;
* `glb_basis`: the GLB median times the hub's basis.

The basis of a hub compares each provider with itself, so it says nothing about
which providers happen to be there: the median of its offers in the hub over the
middle of its hubs' medians, then the median of that ratio over providers.

Offers have one vote per provider, split over its offers. Firm grades read
on-demand offers, grade X reads spot offers; offers of peer hosts and committed
prices are never part of a level.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from exchange.rules.contracts import Series
from exchange.rules.median import median, weighted_median
from exchange.rules.money import BPS, div_half_even
from exchange.rules.quotes import Quote, standing_quotes
from exchange.rules.regions import GLB
from exchange.rules.skus import Sku

PROVIDERS_MIN: Final = 5
HUBS_MIN: Final = 3  # a provider in fewer hubs has no basis to speak of
JUNK_FACTOR: Final = 3  # an offer this far from its own provider's median is a catalogue error
VOTE: Final = 720_720  # one provider's vote: divisible by every count up to 16


class LevelRule(StrEnum):
    """How a level was found."""

    HUB_MEDIAN = "hub_median"
    GLB_MEDIAN = "glb_median"
    GLB_BASIS = "glb_basis"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What a GPU-hour costs today, and what says so."""

    usd_micros: int
    rule: LevelRule
    providers: int  # whose offers were counted
    offers: int
    basis_bps: int  # 10,000 but for glb_basis
    basis_providers: int  # 0 but for glb_basis
    as_of: date  # the newest day the price data know of


@dataclass(frozen=True, slots=True)
class _Median:
    usd_micros: int
    providers: int
    offers: int


def levels(offers: Iterable[Quote], series: Iterable[Series], as_of: date) -> dict[Series, Level]:
    """Return the level of each series that has one; a series without data is left out.

    Args:
        offers: in order of day.
        as_of: quotes after this day are not looked at.
    """
    standing = standing_quotes(offers, as_of)
    found: dict[Series, Level] = {}
    for one in series:
        level = _level(_own_offers(standing, one.sku, one.grade.quote_kind), one, as_of)
        if level is not None:
            found[one] = level
    return found


def _own_offers(standing: Iterable[Quote], sku: Sku, kind: str) -> list[Quote]:
    """Return the offers of a SKU and kind, junk left out."""
    offers = [q for q in standing if q.raw_sku in sku.raw_names and q.kind == kind]
    middle = {
        provider: median(q.usd_micros for q in quotes)
        for provider, quotes in _by_provider(offers).items()
    }
    return [
        q
        for q in offers
        if q.usd_micros * JUNK_FACTOR >= middle[q.provider]
        and q.usd_micros <= middle[q.provider] * JUNK_FACTOR
    ]


def _by_provider(offers: Iterable[Quote]) -> dict[str, list[Quote]]:
    groups: dict[str, list[Quote]] = defaultdict(list)
    for quote in offers:
        groups[quote.provider].append(quote)
    return groups


def _median_of_providers(offers: list[Quote]) -> _Median | None:
    """Return the weighted median of offers, or None when too few providers speak."""
    providers = _by_provider(offers)
    if len(providers) < PROVIDERS_MIN:
        return None
    votes = [
        (quote.usd_micros, VOTE // len(quotes)) for quotes in providers.values() for quote in quotes
    ]
    return _Median(weighted_median(votes), len(providers), len(offers))


def _level(offers: list[Quote], series: Series, as_of: date) -> Level | None:
    hub = series.hub.symbol
    if hub != GLB:
        own = _median_of_providers([quote for quote in offers if quote.hub == hub])
        if own is not None:
            return _made(own, LevelRule.HUB_MEDIAN, series, as_of)
    world = _median_of_providers(offers)
    if world is None:
        return None
    if hub == GLB:
        return _made(world, LevelRule.GLB_MEDIAN, series, as_of)
    ratios = basis_ratios(offers).get(hub, [])
    return _made(world, LevelRule.GLB_BASIS, series, as_of, ratios) if ratios else None


def _made(
    found: _Median, rule: LevelRule, series: Series, as_of: date, ratios: list[int] | None = None
) -> Level:
    basis_bps = median(ratios) if ratios else BPS
    return Level(
        usd_micros=div_half_even(found.usd_micros * basis_bps * series.grade.factor_bps, BPS * BPS),
        rule=rule,
        providers=found.providers,
        offers=found.offers,
        basis_bps=basis_bps,
        basis_providers=len(ratios or ()),
        as_of=as_of,
    )


def basis_ratios(offers: Iterable[Quote]) -> Mapping[str, list[int]]:
    """Return each hub's price over the middle hub's, in basis points, one per provider."""
    ratios: dict[str, list[int]] = defaultdict(list)
    for quotes in _by_provider(offers).values():
        in_hub: dict[str, list[int]] = defaultdict(list)
        for quote in quotes:
            if quote.hub is not None:
                in_hub[quote.hub].append(quote.usd_micros)
        if len(in_hub) < HUBS_MIN:
            continue
        medians = {hub: median(prices) for hub, prices in in_hub.items()}
        middle = median(medians.values())
        for hub, price in medians.items():
            ratios[hub].append(div_half_even(price * BPS, middle))
    return ratios
