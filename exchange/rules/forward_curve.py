"""The forward curve of a series: a price for every delivery month, and strips that add up to them.

CURV_001  A listed period's own price is the middle of its book when that is close and deep enough
          (the test of the mark, SETL_001), else its last settlement price, held between the prices
          by which that depth stands; a month that is not listed takes its reference price.
CURV_002  A quarter or a year is the hour-weighted mean of its months, to the nearest tick.
CURV_003  A strip with better evidence than some of its months (book before settlement before
          reference) moves those months, all by as many ticks, until they add up to its own price.
CURV_004  Where a strip would lie outside its own bid and ask all the same, its months move to its
          nearer edge: first those without a book, then all. No month, and no quarter when a year
          is served, goes beyond its own bid or ask for that.
CURV_005  What then remains is an arbitrage between books, and is said with the strip.

Bid and ask are the prices by which the least depth of `PRICE_LIMITS` stands. Where they cross, as
in a call, the book says nothing. All is whole ticks, rounded half to even.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from exchange.rules.money import div_half_even
from exchange.rules.reference import PRICE_TICKS_LAST
from exchange.rules.settlement import Quoted, mid_ticks
from exchange.rules.settlement_strips import parts_of
from exchange.rules.tenors import Period, Tenor

STRIPS: Final = (Tenor.QUARTER, Tenor.CALENDAR)  # the order in which they are served
TENORS: Final = (Tenor.MONTH, *STRIPS)
OWN: Final = "CURV_001"
MEAN: Final = "CURV_002"
PRESSED: Final = "CURV_003"
HELD: Final = "CURV_004"


class Source(IntEnum):
    """Where a price comes from; the greater is believed before the less."""

    STRIP = 0  # from a strip that the month is a part of
    REFERENCE = 1
    SETTLEMENT = 2
    BOOK = 3
    MONTHS = 4  # of a strip: the mean of its months


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What there is of a listed month, quarter or year; prices in ticks, 0 for none."""

    period: Period
    symbol: str
    bid_ticks: int = 0
    ask_ticks: int = 0
    settle_ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point of the curve; prices in ticks, 0 for none.

    Attributes:
        symbol: its contract, "" for a month that is not listed.
        own_ticks, own_source: what it would be without strips (CURV_001).
        rule: the one that gave the price.
        moved_by: the code of the strip that moved it last, "" for none.
        arbitrage_ticks: by how much a strip's bid is above its months, or its ask below them.
    """

    period: Period
    symbol: str
    price_ticks: int
    source: Source
    rule: str
    own_ticks: int
    own_source: Source
    moved_by: str
    bid_ticks: int
    ask_ticks: int
    settle_ticks: int
    reference_ticks: int
    arbitrage_ticks: int = 0


class _Node:
    """A period on its way to its price, within `low_ticks` and `high_ticks`."""

    __slots__ = (
        "ask_ticks", "bid_ticks", "high_ticks", "low_ticks", "moved_by", "own_source",
        "own_ticks", "period", "price_ticks", "quarter", "rank", "reference_ticks", "rule",
        "settle_ticks", "symbol",
    )  # fmt: skip

    def __init__(self, period: Period, seen: Seen | None, reference_ticks: int) -> None:
        quoted = _quoted(seen)
        self.period = period
        self.symbol = seen.symbol if seen else ""
        self.settle_ticks = seen.settle_ticks if seen else 0
        self.reference_ticks = reference_ticks
        self.bid_ticks, self.ask_ticks = quoted.bid_ticks, quoted.ask_ticks
        self.low_ticks = self.bid_ticks or 1
        self.high_ticks = self.ask_ticks or PRICE_TICKS_LAST
        self.own_ticks, self.own_source = self._own(quoted)
        self.price_ticks, self.rank = self.own_ticks, self.own_source
        self.rule, self.moved_by = OWN, ""
        self.quarter: _Strip | None = None

    def _own(self, quoted: Quoted) -> tuple[int, Source]:
        """Return the price by its own evidence (CURV_001), 0 where there is none."""
        middle = mid_ticks(quoted)
        if middle:
            return middle, Source.BOOK
        if self.settle_ticks:
            return self._held(self.settle_ticks), Source.SETTLEMENT
        if self.reference_ticks:
            return self._held(self.reference_ticks), Source.REFERENCE
        return 0, Source.STRIP

    def _held(self, price_ticks: int) -> int:
        return min(max(price_ticks, self.low_ticks), self.high_ticks)

    def room_ticks(self, step: int) -> int:
        """Return how far the price may go up (1) or down (-1)."""
        bound = self.high_ticks if step > 0 else self.low_ticks
        return max(0, step * (bound - self.price_ticks))


class _Strip:
    """A listed quarter or year with its months."""

    __slots__ = ("months", "node")

    def __init__(self, node: _Node, months: Sequence[_Node]) -> None:
        self.node = node
        self.months = months

    @property
    def hours(self) -> int:
        """Hours of delivery: what its price is multiplied by."""
        return self.node.period.hours

    def value(self) -> int:
        """Return the sum over its months of hours times price."""
        return sum(month.period.hours * month.price_ticks for month in self.months)

    def mean_ticks(self) -> int:
        """Return the hour-weighted mean of its months, ties to the even tick."""
        return div_half_even(self.value(), self.hours)

    def room(self, step: int) -> int:
        """Return by how much the value may go up (1) or down (-1)."""
        bound = self.node.high_ticks if step > 0 else self.node.low_ticks
        return max(0, step * (bound * self.hours - self.value()))

    def move(self, months: Sequence[_Node], price_ticks: int, rule: str) -> None:
        """Move some of its months by as many ticks each, until the mean of all is a price."""
        before = [month.price_ticks for month in months]
        _move(months, price_ticks * self.hours - self.value())
        for month, ticks in zip(months, before, strict=True):
            if month.price_ticks != ticks:
                month.rule, month.moved_by = rule, self.node.period.code


def forward_curve(seen: Iterable[Seen], reference: Callable[[Period], int]) -> list[Point]:
    """Return the points of a series: months, quarters, years, each from the nearest on.

    Args:
        seen: listed months, quarters and years.
        reference: the reference price of a period, 0 for none.
    """
    nodes = {one.period: _Node(one.period, one, reference(one.period)) for one in seen}
    listed = sorted(nodes.values(), key=lambda node: (TENORS.index(node.period.tenor), node.period))
    strips = [
        _Strip(node, [_month(nodes, part, reference) for part in months_of(node.period)])
        for node in listed
        if node.period.tenor is not Tenor.MONTH
    ]
    for strip in strips:
        _join(strip)
    _press(strips)
    for strip in strips:
        _enforce(strip)
    months = sorted((one.period, one) for one in nodes.values() if one.period.tenor is Tenor.MONTH)
    return [*(_point_of_month(node) for _, node in months), *map(_point_of_strip, strips)]


def months_of(period: Period) -> list[Period]:
    """Return the months of a month, quarter or year."""
    parts = parts_of(period)
    return [month for part in parts for month in months_of(part)] if parts else [period]


def _month(nodes: dict[Period, _Node], period: Period, reference: Callable[[Period], int]) -> _Node:
    if period not in nodes:
        nodes[period] = _Node(period, None, reference(period))
    return nodes[period]


def _join(strip: _Strip) -> None:
    """Tell months of their quarter; a month of which nothing is known begins at a strip's price."""
    for month in strip.months:
        if strip.node.period.tenor is Tenor.QUARTER:
            month.quarter = strip
        if not month.price_ticks:
            month.price_ticks = strip.node.own_ticks
            month.rule, month.moved_by = PRESSED, strip.node.period.code


def _press(strips: Sequence[_Strip]) -> None:
    """Move the months that are believed less than a strip, the best evidence first (CURV_003)."""
    for rank in (Source.BOOK, Source.SETTLEMENT):
        for strip in strips:
            soft = [month for month in strip.months if month.rank < rank]
            if strip.node.own_source is rank and soft:
                strip.move(soft, strip.node.own_ticks, PRESSED)
                for month in soft:
                    month.rank = rank


def _enforce(strip: _Strip) -> None:
    """Bring a strip within its own bid and ask, as far as its months may go (CURV_004)."""
    soft = [month for month in strip.months if month.own_source is not Source.BOOK]
    for months in (soft, strip.months):
        outside = _outside(strip)
        if outside:
            strip.move(months, outside, HELD)


def _outside(strip: _Strip) -> int:
    """Return the edge of the book beyond which a strip lies, 0 when it lies within."""
    mean = strip.mean_ticks()
    if mean < strip.node.low_ticks:
        return strip.node.low_ticks
    return strip.node.high_ticks if mean > strip.node.high_ticks else 0


def _move(months: Sequence[_Node], lacking: int) -> None:
    """Move months by the same number of ticks to raise their value by `lacking`, within bounds.

    Who is at a bound stays there and the others go on; what is left at the end is below a tick of
    them all, and goes to the earliest by single ticks. Ends: each round but the last has one
    month less.
    """
    step = 1 if lacking > 0 else -1
    free = list(months)
    while free := _with_room(free, step):
        most = abs(lacking) // sum(month.period.hours for month in free)
        ticks = min(most, *(_room_ticks(month, free, step) for month in free))
        if ticks == 0:
            break
        for month in free:
            month.price_ticks += step * ticks
            lacking -= step * ticks * month.period.hours
    for month in months:
        hours = month.period.hours
        nearer = abs(lacking - step * hours) < abs(lacking)
        if nearer and _room_ticks(month, [month], step):
            month.price_ticks += step
            lacking -= step * hours


def _with_room(months: Sequence[_Node], step: int) -> list[_Node]:
    """Return the months that may move, with all others that may."""
    able = [month for month in months if month.room_ticks(step)]
    return [month for month in able if _room_ticks(month, able, step)]


def _room_ticks(month: _Node, together: Sequence[_Node], step: int) -> int:
    """Return how far a month may go when all of `together` go as far, for its quarter too."""
    quarter, own = month.quarter, month.room_ticks(step)
    if quarter is None:
        return own
    hours = sum(one.period.hours for one in together if one.quarter is quarter)
    return min(own, quarter.room(step) // hours)


def _quoted(seen: Seen | None) -> Quoted:
    """Return bid and ask; none where they cross."""
    if seen is None or (seen.ask_ticks and seen.bid_ticks >= seen.ask_ticks):
        return Quoted(0, 0)
    return Quoted(seen.bid_ticks, seen.ask_ticks)


def _point_of_month(node: _Node) -> Point:
    if node.price_ticks == node.own_ticks:
        node.rule, node.moved_by = OWN, ""
    return _point(node, node.price_ticks, Source.STRIP if node.moved_by else node.own_source, 0)


def _point_of_strip(strip: _Strip) -> Point:
    price, outside = strip.mean_ticks(), _outside(strip)
    arbitrage = abs(price - outside) if outside else 0
    strip.node.rule = MEAN
    return _point(strip.node, price, Source.MONTHS, arbitrage)


def _point(node: _Node, ticks: int, source: Source, arbitrage: int) -> Point:
    return Point(
        period=node.period, symbol=node.symbol, price_ticks=ticks, source=source,
        rule=node.rule, own_ticks=node.own_ticks, own_source=node.own_source,
        moved_by=node.moved_by,
        bid_ticks=node.bid_ticks, ask_ticks=node.ask_ticks, settle_ticks=node.settle_ticks,
        reference_ticks=node.reference_ticks, arbitrage_ticks=arbitrage,
    )  # fmt: skip
