"""How prices moved, day by day: the history behind the scenarios, from matched offers alone.

The change of a series (a SKU at a hub) on a day compares every offer with itself and with nothing
else: the relative change of each offer that stood the day before and stands now, its mean over the
offers of a provider, the mean over the providers that speak. So an offer that appears or goes, and
a provider that is new, moves nothing. Left out are changes that are suspected restatements of a
catalogue, and changes by more than a factor of three, which are errors of a catalogue.

On-demand and spot offers both speak: list prices alone hardly ever move, and would make a market
that looks calmer than it is. Changes are whole millionths (ppm) of the price before.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from exchange.rules.money import div_half_even
from exchange.rules.quotes import SOURCE_ROW, PriceData, Quote
from exchange.rules.regions import GLB
from exchange.rules.skus import SKU_BY_RAW_NAME
from exchange.rules.tenors import DAY

PPM: Final = 1_000_000
KINDS: Final = ("on-demand", "spot")
COMMITTED: Final = ("reserved-1y", "reserved-3y")
JUNK_FACTOR: Final = 3

K = TypeVar("K")
Cell = tuple[str, str]  # SKU symbol, hub symbol


@dataclass(frozen=True, slots=True)
class History:
    """Daily changes in ppm from `first` on; a day without an entry had no price of the cell.

    Attributes:
        changes: by cell (hub GLB: every region), then by the number of the day since `first`.
        committed: the same of one-year and three-year prices, all SKUs together.
    """

    first: date
    days: int
    changes: dict[Cell, dict[int, int]]
    committed: dict[str, dict[int, int]]

    def until(self, on: date) -> "History":
        """Return what was known at the end of a day."""
        days = min(self.days, (on - self.first).days + 1)
        return History(self.first, days, _cut(self.changes, days), _cut(self.committed, days))

    def moved_days(self, cell: Cell) -> int:
        """Return on how many days a cell's price moved."""
        return sum(1 for change in self.changes.get(cell, {}).values() if change)


def _cut(rows: dict[K, dict[int, int]], days: int) -> dict[K, dict[int, int]]:
    cut = {key: {day: c for day, c in row.items() if day < days} for key, row in rows.items()}
    return {key: row for key, row in cut.items() if row}


class _Panel:
    """The offers of one cell by provider: what stands, and what changed today."""

    def __init__(self) -> None:
        self.offers: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        self.today: dict[str, list[int]] = defaultdict(list)

    def change(self, live: set[str]) -> int | None:
        """Return the mean over providers of the mean change of their offers; forget today's."""
        means = []
        for provider, keys in self.offers.items():
            standing = sum(1 for key in keys if key[-2] in live)
            if standing:
                means.append(div_half_even(sum(self.today.get(provider, ())), standing))
        self.today.clear()
        return div_half_even(sum(means), len(means)) if means else None


def history(data: PriceData, on: date) -> History:
    """Return the daily changes of every cell and of committed prices, up to a day."""
    restated = {(step.offer, step.day) for step in data.steps if step.restated}
    first = min(data.offers[0].day, data.reserved[0].day)
    days = (min(on, data.last_day) - first).days + 1
    changes = _walk(data.offers, first, days, restated, _cells)
    committed = _walk(data.reserved, first, days, restated, lambda quote: [(quote.kind, "")])
    return History(first, days, changes, {kind: row for (kind, _), row in committed.items()})


def _cells(quote: Quote) -> list[Cell]:
    sku = SKU_BY_RAW_NAME.get(quote.raw_sku)
    if sku is None or quote.kind not in KINDS:
        return []
    return [(sku.symbol, GLB), *([(sku.symbol, quote.hub)] if quote.hub else [])]


def _walk(
    quotes: Sequence[Quote],
    first: date,
    days: int,
    restated: set[tuple[tuple[str, ...], date]],
    cells_of: Callable[[Quote], list[Cell]],
) -> dict[Cell, dict[int, int]]:
    """Walk the days; each cell has an entry on each day on which a provider speaks for it."""
    panels: dict[Cell, _Panel] = defaultdict(_Panel)
    prices: dict[tuple[str, ...], int] = {}
    heard: dict[str, date] = {}
    found: dict[Cell, dict[int, int]] = defaultdict(dict)
    place = 0
    for number in range(days):
        day = first + number * DAY
        while place < len(quotes) and quotes[place].day == day:
            quote = quotes[place]
            place += 1
            heard[quote.source] = day
            change = _change_ppm(prices.get(quote.key), quote, restated)
            prices[quote.key] = quote.usd_micros
            for cell in cells_of(quote):
                panels[cell].offers[quote.provider].add(quote.key)
                if change:
                    panels[cell].today[quote.provider].append(change)
        live = {s for s, at in heard.items() if (day - at).days <= SOURCE_ROW[s].stale_days}
        for cell, panel in panels.items():
            mean = panel.change(live)
            if mean is not None:
                found[cell][number] = mean
    return dict(found)


def _change_ppm(
    before: int | None, quote: Quote, restated: set[tuple[tuple[str, ...], date]]
) -> int:
    """Return an offer's change, 0 where it is new, restated or an error."""
    now = quote.usd_micros
    if not before or not now or (quote.key, quote.day) in restated:
        return 0
    if now > JUNK_FACTOR * before or before > JUNK_FACTOR * now:
        return 0
    return div_half_even((now - before) * PPM, before)


def dense(row: dict[int, int], days: int) -> list[int]:
    """Return a row of changes with zeros where there was no price."""
    return [row.get(number, 0) for number in range(days)]


def moved(changes: Iterable[int]) -> int:
    """Return how many of the changes are not zero."""
    return sum(1 for change in changes if change)
