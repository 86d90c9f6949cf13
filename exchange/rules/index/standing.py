"""Which offers stand at the end of a day: the newest word of each, not stale, not held back."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from exchange.rules.index.method import METHOD, Method, SourceLife
from exchange.rules.observations import NS_PER_DAY, Offer

COUNTED: Final = "counted"
HELD: Final = "held"

Key = tuple[str | int, ...]
Bucket = tuple[str, str]  # SKU and grade: what an index is of, in all hubs


def key_of(offer: Offer) -> Key:
    """Return what stays the same while an offer's price changes."""
    return (
        offer.source, offer.provider, offer.region, offer.grade, offer.size_gpus, offer.kind,
        offer.instance,
    )  # fmt: skip


class Standing(NamedTuple):
    """An offer's newest word."""

    offer: Offer
    base_usd_micros: int  # the last price that was not held back
    jump_ns: int  # when it jumped away from there; 0: it did not


class Stand(NamedTuple):
    """An offer that stands at the end of a day, and whether it counts."""

    offer: Offer
    status: str  # COUNTED or HELD


class Book:
    """All offers by what they are of; `take` in any order, an older word never replaces a newer."""

    def __init__(self, method: Method = METHOD) -> None:
        """Begin without any."""
        self.method = method
        self.buckets: dict[Bucket, dict[Key, Standing]] = {}
        self.heard_ns: dict[str, int] = {}  # the newest word of a source

    def clone(self) -> "Book":
        """Return a copy that goes its own way."""
        copy = Book(self.method)
        copy.buckets = {bucket: dict(offers) for bucket, offers in self.buckets.items()}
        copy.heard_ns = dict(self.heard_ns)
        return copy

    def take(self, offers: Iterable[Offer]) -> None:
        """Take in observations whose time has come."""
        kinds = {kind for tier in self.method.tiers for kind in tier}
        for offer in offers:
            self.heard_ns[offer.source] = max(offer.ts_ns, self.heard_ns.get(offer.source, 0))
            if offer.kind in kinds and offer.price_usd_micros > 0:
                self._take(offer)

    def _take(self, offer: Offer) -> None:
        offers = self.buckets.setdefault((offer.sku, offer.grade), {})
        key = key_of(offer)
        old = offers.get(key)
        if old is None:
            offers[key] = Standing(offer, offer.price_usd_micros, 0)
        elif offer.ts_ns >= old.offer.ts_ns:
            offers[key] = self._after(old, offer)

    def _after(self, old: Standing, offer: Offer) -> Standing:
        """Return the new word of an offer: one that jumps is held back for a while (INDX_004)."""
        waits = old.jump_ns and self._is_held(old, offer.ts_ns)
        base = old.base_usd_micros if waits else old.offer.price_usd_micros
        price, factor = offer.price_usd_micros, self.method.jump_factor
        if price <= base * factor and price * factor >= base:
            return Standing(offer, price, 0)
        return Standing(offer, base, old.jump_ns if waits else offer.ts_ns)

    def _is_held(self, one: Standing, at_ns: int) -> bool:
        return at_ns - one.jump_ns <= self.method.hold_days * NS_PER_DAY

    def stands(self, bucket: Bucket, until_ns: int) -> Iterator[Stand]:
        """Yield what stands at a moment, in order of number; stale offers do not (INDX_003)."""
        lives: dict[str, SourceLife] = {}
        found = self.buckets.get(bucket, {}).values()
        for one in sorted(found, key=lambda standing: standing.offer.number):
            offer = one.offer
            life = lives.get(offer.source) or self.method.life(offer.source)
            lives[offer.source] = life
            since_ns = self.heard_ns[offer.source] if life.by_source else offer.ts_ns
            # A word of the day counts as said at its end: whole days, as sources state them.
            if (until_ns - 1 - since_ns) // NS_PER_DAY > life.days:
                continue
            held = one.jump_ns and self._is_held(one, until_ns)
            yield Stand(offer, HELD if held else COUNTED)
