"""What a hub costs above or below the world, from the providers that are in several hubs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from exchange.rules.index.method import Method
from exchange.rules.index.panel import Panel, by_provider
from exchange.rules.median import median
from exchange.rules.money import BPS, div_half_even
from exchange.rules.observations import Offer


class Spread(NamedTuple):
    """The spread of a hub on a day."""

    day: str
    usd_micros: int  # signed
    providers: int


def hub_spreads(world: Panel, hubs: Mapping[str, Panel], method: Method) -> dict[str, Spread]:
    """Return the spread of each hub over a worldwide panel that has a quorum (INDX_009).

    A hub with a quorum of its own speaks for itself. Of another one, every provider in three hubs
    or more is compared with itself: its median there over the middle of its hubs' medians.
    """
    found: dict[str, Spread] = {}
    ratios = ratios_bps(world.offers, method.spread_hubs_min)
    for hub, panel in hubs.items():
        if panel.has_quorum:
            found[hub] = Spread("", panel.usd_micros - world.usd_micros, panel.providers)
        elif hub in ratios:
            ratio = median(ratios[hub]) - BPS
            micros = div_half_even(world.usd_micros * ratio, BPS)
            found[hub] = Spread("", micros, len(ratios[hub]))
    return found


def ratios_bps(offers: Iterable[Offer], hubs_min: int) -> dict[str, list[int]]:
    """Return each hub's price over the provider's middle hub, in basis points, one a provider."""
    ratios: dict[str, list[int]] = defaultdict(list)
    for group in by_provider(offers).values():
        in_hub: dict[str, list[int]] = defaultdict(list)
        for offer in group:
            if offer.hub:
                in_hub[offer.hub].append(offer.price_usd_micros)
        if len(in_hub) < hubs_min:
            continue
        medians = {hub: median(prices) for hub, prices in in_hub.items()}
        mid = median(medians.values())
        for hub, price in medians.items():
            ratios[hub].append(div_half_even(price * BPS, mid))
    return ratios
