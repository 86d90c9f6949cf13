"""The history of all indices, day after day: a function of observations and committee values."""

from bisect import insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from exchange.rules.index.method import METHOD, Method
from exchange.rules.index.names import NO_VALUES, Name, Today, Value, print_of
from exchange.rules.index.panel import Panel, junk_numbers, panel_of
from exchange.rules.index.prints import Found, cutoff_ns, name_of
from exchange.rules.index.spreads import Spread, hub_spreads
from exchange.rules.index.standing import Book, Bucket, Stand
from exchange.rules.observations import Offer
from exchange.rules.regions import GLB, HUBS
from exchange.rules.tenors import date_of

Values = Mapping[tuple[str, date], Value]
HUB_SYMBOLS = tuple(hub.symbol for hub in HUBS if hub.symbol != GLB)


@dataclass(frozen=True, slots=True)
class _Panels:
    """The panels of a bucket, as long as the same offers stand in the same way."""

    stands: tuple[Stand, ...]
    world: Panel
    hubs: dict[str, Panel]
    spreads: dict[str, Spread]


class _Day:
    """The state between two days."""

    def __init__(self, book: Book, names: dict[str, Name], panels: dict[Bucket, _Panels]) -> None:
        self.book = book
        self.names = names
        self.panels = panels

    def clone(self) -> "_Day":
        """Return a copy that goes its own way."""
        return _Day(self.book.clone(), dict(self.names), dict(self.panels))

    def prints(self, day: date, values: Values, method_name: str) -> list[Found]:
        """Compute every name's print and remember it."""
        found: list[Found] = []
        for bucket in sorted(self.book.buckets):
            found += self._of_bucket(bucket, day, values, method_name)
        return found

    def _panels_of(self, bucket: Bucket, day: date) -> _Panels:
        method = self.book.method
        stands = tuple(self.book.stands(bucket, cutoff_ns(day)))
        known = self.panels.get(bucket)
        if known is not None and known.stands == stands:
            return known
        junk = junk_numbers(stands, method)
        world = panel_of(stands, junk, method)
        hubs = {
            hub: panel_of([s for s in stands if s.offer.hub == hub], junk, method)
            for hub in HUB_SYMBOLS
        }
        spreads = hub_spreads(world, hubs, method) if world.has_quorum else {}
        self.panels[bucket] = _Panels(stands, world, hubs, spreads)
        return self.panels[bucket]

    def _of_bucket(
        self, bucket: Bucket, day: date, values: Values, method_name: str
    ) -> Iterator[Found]:
        panels = self._panels_of(bucket, day)
        sku, grade = bucket
        world: Found | None = None
        for hub in (GLB, *HUB_SYMBOLS):
            name = name_of(sku, hub, grade)
            today = Today(
                day=day,
                panel=panels.world if hub == GLB else panels.hubs[hub],
                world=world,
                spread=panels.spreads.get(hub),
                value=values.get((name, day)),
                method=self.book.method,
                method_name=method_name,
            )
            known = self.names.get(name, Name(name=name))
            self.names[name], found = print_of(known, today)
            if found is None:
                continue
            if hub == GLB:
                world = found
            yield found


class History:
    """Days in order: `provisional` looks, `final` goes on. Give observations with `add`."""

    def __init__(self, offers: Iterable[Offer] = (), method: Method = METHOD) -> None:
        """Begin before the first day."""
        self._waiting = sorted(offers, key=_when)
        self._state = _Day(Book(method), {}, {})
        self._method_name = method.name

    @property
    def first_day(self) -> date | None:
        """The day of the oldest observation that is not taken in yet."""
        return date_of(self._waiting[0].ts_ns) if self._waiting else None

    def add(self, offers: Iterable[Offer]) -> None:
        """Let more observations be known."""
        for offer in offers:
            insort(self._waiting, offer, key=_when)

    def provisional(self, day: date, observed_to: int, values: Values = NO_VALUES) -> list[Found]:
        """Return what the prints of the next day are, as far as is known; nothing is remembered."""
        state = self._state.clone()
        state.book.take(self._due(day, observed_to)[0])
        return state.prints(day, values, self._method_name)

    def final(self, day: date, observed_to: int, values: Values = NO_VALUES) -> list[Found]:
        """Return the prints of the next day, and go on to the one after it.

        Args:
            observed_to: observations with a higher number were not known when it became final;
                they count from the next day on, and never for this one.
        """
        due, self._waiting = self._due(day, observed_to)
        self._state.book.take(due)
        return self._state.prints(day, values, self._method_name)

    def _due(self, day: date, observed_to: int) -> tuple[list[Offer], list[Offer]]:
        """Return what is due by the end of a day, and what waits."""
        until_ns = cutoff_ns(day)
        due: list[Offer] = []
        late: list[Offer] = []
        at = 0
        for offer in self._waiting:
            if offer.ts_ns >= until_ns:
                break
            (due if offer.number <= observed_to else late).append(offer)
            at += 1
        return due, late + self._waiting[at:]


def _when(offer: Offer) -> tuple[int, int]:
    return offer.ts_ns, offer.number
