"""Spreads and strips by name, and which of them are listed.

    H100-USE-2027M03/2027M04     calendar spread: March less April
    H100-USE/EUW-2027M03         hub spread: the east of the US less the west of Europe
    H200/H100-USE-2027M03        SKU spread: H200 less H100
    H100-USE-2027Q2:M            strip: the three months of the quarter, at their mean
    H100-USE-2027:M              strip: the twelve months of the year
    H100-USE-2027:Q              strip: the four quarters of the year

A symbol has one spelling, as a contract's: parsing it and writing it again gives the same text. The
strip of a quarter is not the quarter's own contract: it trades into the months.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Final

from exchange.rules.calendar import listed_periods
from exchange.rules.catalogue import LISTING
from exchange.rules.contracts import (
    SYMBOL_BYTES_MAX,
    Contract,
    Part,
    Series,
    SymbolError,
    parse_series,
    parse_symbol,
)
from exchange.rules.legs import Listed
from exchange.rules.tenors import (
    Period,
    PeriodError,
    Tenor,
    month_period,
    month_start,
    parse_period,
    quarter_period,
)

LEG_MARK: Final = "/"
STRIP_MARK: Final = ":"
STRIPS: Final = {  # how many legs of which tenor a period has
    (Tenor.QUARTER, "M"): (Tenor.MONTH, 3),
    (Tenor.CALENDAR, "M"): (Tenor.MONTH, 12),
    (Tenor.CALENDAR, "Q"): (Tenor.QUARTER, 4),
}
STRIP_FORMS: Final = "2027Q2:M, 2027:M or 2027:Q"
SPREAD_FORMS: Final = "H100-USE-2027M03/2027M04, H100-USE/EUW-2027M03 or H200/H100-USE-2027M03"
# Between hubs and between models, month by month: the first months of these.
PAIRS_LISTED: Final = ("H100-USE/EUW", "H200/H100-GLB")
PAIR_MONTHS: Final = 3
FRONT_SERIES: Final = 2
FRONT_SPREADS: Final = 3


class CombinationKind(StrEnum):
    """What a combination combines."""

    CALENDAR_SPREAD = "calendar_spread"
    HUB_SPREAD = "hub_spread"
    SKU_SPREAD = "sku_spread"
    STRIP = "strip"


@dataclass(frozen=True, slots=True)
class Combination:
    """A spread of two contracts, or a strip of two to twelve."""

    kind: CombinationKind
    symbol: str
    legs: tuple[tuple[Contract, int], ...]  # with their ratios

    @property
    def last_trade_ns(self) -> int:
        """When trading ends: with the first of the legs."""
        return min(leg.last_trade_ns for leg, _ in self.legs)


def calendar_spread(series: Series, near: Period, far: Period) -> Combination:
    """Return the spread of two periods of a series."""
    return _spread(
        CombinationKind.CALENDAR_SPREAD,
        f"{series.symbol}-{near.code}{LEG_MARK}{far.code}",
        Contract(series, near),
        Contract(series, far),
    )


def strip(series: Series, period: Period, letter: str) -> Combination:
    """Return the strip of a period's months (M) or quarters (Q).

    Errors:
        SymbolError: the period has no such strip.
    """
    found = STRIPS.get((period.tenor, letter))
    if found is None:
        raise SymbolError(Part.PERIOD, f"{period.code}{STRIP_MARK}{letter}", STRIP_FORMS)
    tenor, count = found
    period_of = month_period if tenor is Tenor.MONTH else quarter_period
    months = 1 if tenor is Tenor.MONTH else 3
    starts = [month_start(period.start, months * place) for place in range(count)]
    return Combination(
        CombinationKind.STRIP,
        f"{series.symbol}-{period.code}{STRIP_MARK}{letter}",
        tuple((Contract(series, period_of(start)), 1) for start in starts),
    )


def parse_combination(text: str) -> Combination:
    """Return the combination of a symbol; the inverse of `Combination.symbol`.

    Errors:
        SymbolError: which part is wrong, and what is allowed.
    """
    if not text.isascii() or len(text) > SYMBOL_BYTES_MAX:
        raise SymbolError(Part.SYMBOL, text, f"at most {SYMBOL_BYTES_MAX} ASCII characters")
    parts = text.split("-")
    if len(parts) != 3:
        raise SymbolError(Part.SYMBOL, text, SPREAD_FORMS)
    if STRIP_MARK in parts[2]:
        code, _, letter = parts[2].partition(STRIP_MARK)
        return strip(parse_series(f"{parts[0]}-{parts[1]}"), _period(code), letter)
    marked = [place for place, part in enumerate(parts) if LEG_MARK in part]
    if len(marked) != 1 or text.count(LEG_MARK) != 1:
        raise SymbolError(Part.SYMBOL, text, SPREAD_FORMS)
    place = marked[0]
    names = [
        "-".join(one if at == place else part for at, part in enumerate(parts))
        for one in parts[place].split(LEG_MARK)
    ]
    first, second = (parse_symbol(name) for name in names)
    if first == second:
        raise SymbolError(Part.SYMBOL, text, "two different legs")
    if place == 2 and first.period.start >= second.period.start:
        raise SymbolError(Part.PERIOD, parts[2], "the nearer period first")
    kinds = (
        CombinationKind.SKU_SPREAD,
        CombinationKind.HUB_SPREAD,
        CombinationKind.CALENDAR_SPREAD,
    )
    return _spread(kinds[place], text, first, second)


def is_combination(symbol: str) -> bool:
    """Return whether a text is meant to name a combination."""
    return LEG_MARK in symbol or STRIP_MARK in symbol


def listed_combinations(listed: Listed, on: date) -> list[Combination]:
    """Return the combinations that are listed on a UTC day.

    They are each series' spreads of neighbouring months and strips of quarters, then spreads
    between hubs and models. Those of `FRONT` are the nearest three spreads and the nearest quarter
    of the first two series of the catalogue that trade months, and the nearest month of the pairs.
    """
    if listed is Listed.NONE:
        return []
    months = listed_periods(Tenor.MONTH, on)
    whole = [quarter_period(month.start) for month in months if month.start.month % 3 == 1]
    quarters = [quarter for quarter in whole if quarter.end <= months[-1].end]
    series = [parse_series(symbol) for symbol, tenors in LISTING if Tenor.MONTH in tenors]
    front = listed is Listed.FRONT
    found: list[Combination] = []
    for one in series[:FRONT_SERIES] if front else series:
        spreads = [calendar_spread(one, near, far) for near, far in pairwise(months)]
        strips = [strip(one, quarter, "M") for quarter in quarters]
        found += (spreads[:FRONT_SPREADS] + strips[:1]) if front else spreads + strips
    nearest = months[: 1 if front else PAIR_MONTHS]
    return found + [
        parse_combination(f"{pair}-{month.code}") for pair in PAIRS_LISTED for month in nearest
    ]


def _spread(kind: CombinationKind, symbol: str, first: Contract, second: Contract) -> Combination:
    return Combination(kind, symbol, ((first, 1), (second, -1)))


def _period(code: str) -> Period:
    try:
        return parse_period(code)
    except PeriodError as error:
        raise SymbolError(Part.PERIOD, code, f"{STRIP_FORMS} ({error})") from error
