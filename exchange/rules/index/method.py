"""The method's parameters: one table, whose hash is part of every print (INDX_001)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from exchange.rules.observations import OfferKind
from exchange.rules.quotes import SOURCES


class SourceLife(NamedTuple):
    """How long a price holds: since its source last spoke, or since it was said itself."""

    days: int
    by_source: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """Every number the index depends on. Another number is another method."""

    version: str = "1"
    providers_min: int = 5  # below it there is no quorum
    offers_min: int = 5
    provider_cap_bps: int = 2_500  # of the weight of a panel
    capacity_max_gpus: int = 1_024  # of one offer: a campus
    tiers: tuple[tuple[str, ...], ...] = (
        (OfferKind.TRADE,),
        (OfferKind.OFFER, OfferKind.SPOT),
        (OfferKind.RATE_CARD,),
    )  # the first ones that have a quorum together make the panel
    junk_factor: int = 3  # an offer this far from its own provider's median is an error
    jump_factor: int = 2  # a price that moves further is held back ...
    hold_days: int = 2  # ... this long
    trims: tuple[tuple[int, int], ...] = ((8, 1), (12, 2), (20, 3))
    panel_cap_bps: int = 200  # a day, of what the panel's composition does to a print
    minority_cap_bps: int = 300  # a day, of a price move that no majority of providers made
    spread_days: int = 20
    spread_days_min: int = 10
    spread_hubs_min: int = 3  # a provider in fewer hubs says nothing about their spreads
    mean_prints: int = 3
    offer_life_days: int = 7  # of sources without a row in `lives`
    lives: tuple[tuple[str, int, bool], ...] = tuple(
        (row.source, row.stale_days, row.source != "ccir-cri-h100") for row in SOURCES
    )

    def life(self, source: str) -> SourceLife:
        """Return how long prices of a source hold."""
        return _lives(self).get(source, SourceLife(self.offer_life_days, by_source=False))

    def trim(self, providers: int) -> int:
        """Return how many providers are left out at each end of a panel of so many."""
        return max((count for size, count in self.trims if providers >= size), default=0)

    @property
    def name(self) -> str:
        """Version and hash of the table, as every print carries them."""
        return f"{self.version}:{hashlib.sha256(canonical(asdict(self))).hexdigest()[:16]}"


def canonical(value: object) -> bytes:
    """Return the one spelling of a document of texts and whole numbers, as it is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _lives(method: Method) -> Mapping[str, SourceLife]:
    return MappingProxyType({source: SourceLife(d, held) for source, d, held in method.lives})


METHOD: Final = Method()

# What no minority of providers can move a print beyond on one day, by prices and by composition.
MINORITY_MOVE_BPS_MAX: Final = METHOD.panel_cap_bps + METHOD.minority_cap_bps
