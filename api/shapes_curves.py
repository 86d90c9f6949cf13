"""What the exchange answers about forward curves, as shapes; see `shapes.py`."""

from api.shapes import Answer, Part


class CurvePoint(Part):
    """A month, quarter or year; `symbol` is null for a month that is not listed.

    `own_price` is what its own book, settlement or reference says; `moved_by` the strip that moved
    it from there. `arbitrage`: how far a strip's bid is above its months, or its ask below them.
    """

    period: str
    tenor: str
    symbol: str | None
    delivery_start: int
    delivery_end: int
    hours: int
    price: str
    source: str
    rule: str
    moved_by: str | None
    own_price: str | None
    own_source: str | None
    bid_price: str | None
    ask_price: str | None
    settlement_price: str | None
    reference_price: str | None
    arbitrage: str | None


class CurveShape(Part):
    """What reference prices follow from: a level, and what a year costs of the year before."""

    level: str
    level_rule: str
    as_of: str
    year_factor: str
    year_rule: str
    committed_pairs: int


class Curve(Part):
    """The forward curve of a series: months, quarters, years, each from the nearest on."""

    series: str
    date: str
    shape: CurveShape | None
    points: list[CurvePoint]


class CurveSummary(Part):
    """A curve at a glance; `books` counts the points with a close book of their own."""

    series: str
    points: int
    first_period: str
    first_price: str
    last_period: str
    last_price: str
    books: int
    arbitrages: int


class CurvesAnswer(Answer):
    """All curves at a glance."""

    curves: list[CurveSummary]


class CurveAnswer(Answer):
    """One curve."""

    curve: Curve
