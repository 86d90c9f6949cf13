"""A panel: the offers behind a price, their weights, and their median."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from exchange.rules.index.method import Method, canonical
from exchange.rules.index.standing import COUNTED, Key, Stand, key_of
from exchange.rules.median import median, weighted_median
from exchange.rules.money import BPS
from exchange.rules.observations import Offer

WHOLE_PPB: Final = 1_000_000_000
_QUARTERS: Final = 12  # divisible by 1, 2, 3 and 4: shares left beside capped providers

JUNK: Final = "junk"
TRIMMED: Final = "trimmed"
LOWER_TIER: Final = "lower_tier"
COLUMNS: Final = (
    "number", "provider", "region", "gpus", "usd_micros", "weight_ppb", "status", "digest",
)  # fmt: skip


class Middle(NamedTuple):
    """The weighted median of some offers, and the weight each has in it."""

    usd_micros: int
    weights_ppb: Mapping[int, int]  # by number; who was trimmed away has none


@dataclass(frozen=True, slots=True)
class Panel:
    """What stands for one name at the end of a day."""

    offers: tuple[Offer, ...]  # those that may count, of the tiers that are used
    tier: int  # the last tier that is used: 1, 2 or 3
    providers: int
    has_quorum: bool
    usd_micros: int  # 0 without quorum
    document: dict[str, Any]
    inputs: str  # SHA-256 of the document

    @property
    def by_key(self) -> dict[Key, Offer]:
        """The offers by what stays the same while their price changes."""
        return {key_of(offer): offer for offer in self.offers}


def by_provider(offers: Iterable[Offer]) -> dict[str, list[Offer]]:
    """Return offers by provider, in order of provider."""
    groups: dict[str, list[Offer]] = defaultdict(list)
    for offer in offers:
        groups[offer.provider].append(offer)
    return dict(sorted(groups.items()))


def middle(offers: Sequence[Offer], method: Method) -> Middle:
    """Return the capacity-weighted median, after trimming, under the provider cap (INDX_005-007).

    Args:
        offers: at least one.
    """
    groups = _trimmed(by_provider(offers), method)
    capacity = {
        name: sum(_gpus(offer, method) for offer in group) for name, group in groups.items()
    }
    shares = capped_shares_ppb(capacity, method.provider_cap_bps)
    weights = {
        offer.number: max(1, shares[name] * _gpus(offer, method) // capacity[name])
        for name, group in groups.items()
        for offer in group
    }
    votes = [
        (offer.price_usd_micros, weights[offer.number])
        for group in groups.values()
        for offer in group
    ]
    return Middle(weighted_median(votes), weights)


def _gpus(offer: Offer, method: Method) -> int:
    return min(offer.size_gpus, method.capacity_max_gpus)


def _trimmed(groups: dict[str, list[Offer]], method: Method) -> dict[str, list[Offer]]:
    """Leave out the cheapest and the dearest providers, by their own medians."""
    count = method.trim(len(groups))
    if not count:
        return groups
    ranked = sorted(groups, key=lambda name: (_median_of(groups[name]), name))
    kept = set(ranked[count:-count])
    return {name: group for name, group in groups.items() if name in kept}


def _median_of(offers: Iterable[Offer]) -> int:
    return median(offer.price_usd_micros for offer in offers)


def capped_shares_ppb(capacity: Mapping[str, int], cap_bps: int) -> dict[str, int]:
    """Return each provider's share of the weight, by capacity and none above the cap.

    What the largest ones lose goes to all others in proportion. With too few providers for the
    cap to hold, all have the same share.
    """
    assert BPS % cap_bps == 0 and BPS // cap_bps <= 4, "shares are whole twelfths"
    slots = BPS // cap_bps  # so many providers at the cap are the whole
    if len(capacity) <= slots:
        return dict.fromkeys(capacity, WHOLE_PPB // len(capacity))
    ranked = sorted(capacity, key=lambda name: (-capacity[name], name))
    rest = sum(capacity.values())
    for capped in range(slots):
        # `capped` providers have the cap each; the whole is then rest x slots / (slots - capped).
        if capacity[ranked[capped]] * (slots - capped) <= rest:
            break
        rest -= capacity[ranked[capped]]
    scaled = {name: capacity[name] * _QUARTERS for name in ranked[capped:]}
    scaled |= dict.fromkeys(ranked[:capped], rest * _QUARTERS // (slots - capped))
    whole = sum(scaled.values())
    return {name: value * WHOLE_PPB // whole for name, value in scaled.items()}


def junk_numbers(stands: Iterable[Stand], method: Method) -> frozenset[int]:
    """Return the offers that are too far from their own provider's median (INDX_004)."""
    found = []
    for group in by_provider(s.offer for s in stands if s.status == COUNTED).values():
        mid = _median_of(group)
        found += [
            offer.number
            for offer in group
            if not (
                mid <= offer.price_usd_micros * method.junk_factor
                and offer.price_usd_micros <= mid * method.junk_factor
            )
        ]
    return frozenset(found)


def has_quorum(offers: Sequence[Offer], method: Method) -> bool:
    """Say whether enough speak for a price to be published (INDX_008)."""
    providers = {offer.provider for offer in offers}
    return len(providers) >= method.providers_min and len(offers) >= method.offers_min


def panel_of(stands: Sequence[Stand], junk: frozenset[int], method: Method) -> Panel:
    """Return the panel of what stands: the highest tiers that have a quorum (INDX_002)."""
    counted = [s.offer for s in stands if s.status == COUNTED and s.offer.number not in junk]
    used: list[Offer] = []
    tier = 0
    for kinds in method.tiers:
        tier += 1
        used += [offer for offer in counted if offer.kind in kinds]
        if has_quorum(used, method):
            break
    used.sort(key=lambda offer: offer.number)
    quorum = has_quorum(used, method)
    found = middle(used, method) if quorum else Middle(0, {})
    document = _document(stands, junk, used, found, tier)
    return Panel(
        offers=tuple(used),
        tier=tier,
        providers=len({offer.provider for offer in used}),
        has_quorum=quorum,
        usd_micros=found.usd_micros,
        document=document,
        inputs=digest_of(document),
    )


def digest_of(document: Mapping[str, Any]) -> str:
    """Return the hash by which a document is known."""
    return hashlib.sha256(canonical(document)).hexdigest()


def _document(
    stands: Sequence[Stand],
    junk: frozenset[int],
    used: Sequence[Offer],
    found: Middle,
    tier: int,
) -> dict[str, Any]:
    numbers = {offer.number for offer in used}
    rows = []
    for offer, status in stands:
        if status == COUNTED and offer.number in junk:
            status = JUNK
        elif status == COUNTED and offer.number not in numbers:
            status = LOWER_TIER
        elif status == COUNTED and found.weights_ppb and offer.number not in found.weights_ppb:
            status = TRIMMED
        weight = found.weights_ppb.get(offer.number, 0)
        rows.append(
            [offer.number, offer.provider, offer.region, offer.size_gpus, offer.price_usd_micros,
             weight, status, offer.digest.hex()[:16]]
        )  # fmt: skip
    return {"columns": list(COLUMNS), "offers": rows, "tier": tier}
