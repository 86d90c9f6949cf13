"""Forward curves, as the exchange says them."""

from decimal import Decimal

from wellhead.types import Answer


class CurvePoint(Answer, frozen=True, kw_only=True):
    """A month, quarter or year; prices in USD per GPU-hour.

    `source` is book, settlement, reference, strip (the one in `moved_by`) or, of strips, months.
    `arbitrage`: how far a strip's bid is above its months, or its ask below them.
    """

    period: str
    tenor: str
    price: Decimal
    source: str
    rule: str
    hours: int = 0
    symbol: str | None = None
    moved_by: str | None = None
    own_price: Decimal | None = None
    own_source: str | None = None
    bid_price: Decimal | None = None
    ask_price: Decimal | None = None
    settlement_price: Decimal | None = None
    reference_price: Decimal | None = None
    arbitrage: Decimal | None = None


class CurveShape(Answer, frozen=True, kw_only=True):
    """What reference prices follow from: a level, and what a year costs of the year before."""

    level: Decimal
    level_rule: str
    as_of: str
    year_factor: Decimal
    year_rule: str
    committed_pairs: int


class ForwardCurve(Answer, frozen=True, kw_only=True):
    """The curve of a series: months, quarters, years, each from the nearest on."""

    series: str
    date: str
    points: tuple[CurvePoint, ...]
    shape: CurveShape | None = None


class CurveSummary(Answer, frozen=True, kw_only=True):
    """A curve at a glance; `books` counts the points with a close book of their own."""

    series: str
    points: int
    first_period: str
    first_price: Decimal
    last_period: str
    last_price: Decimal
    books: int = 0
    arbitrages: int = 0
