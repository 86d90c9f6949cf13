"""Delivery periods: whole UTC days, so no day has 23 or 25 hours.

A period's code is the last part of a contract's symbol:

    2027            Calendar   the year 2027
    2027Q2          Quarter    April to June 2027
    2027M03         Month      March 2027
    2027W14         Week       ISO week 14 of 2027, Monday to Sunday
    2027M03B15      BOM        balance of month: 15 March to the end of March 2027
    2027M03D17      Day        17 March 2027
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

NS_PER_SECOND: Final = 1_000_000_000
NS_PER_HOUR: Final = 3600 * NS_PER_SECOND
NS_PER_DAY: Final = 24 * NS_PER_HOUR
YEAR_FIRST: Final = 2020
YEAR_LAST: Final = 2099
DAY: Final = timedelta(days=1)
_EPOCH: Final = date(1970, 1, 1)


class Tenor(StrEnum):
    """How long a delivery period is."""

    DAY = "day"
    BOM = "bom"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenorRow:
    """What differs between tenors, as data.

    Attributes:
        listed_count: how many periods are listed at a time.
        stop_business_days: trading ends on this business day before delivery starts
            (1 is the last one); 0: on the calendar day before, whatever it is.
        block_min_lots: smallest block trade; 0: no blocks.
    """

    tenor: Tenor
    name: str
    listed_count: int
    stop_business_days: int
    block_min_lots: int


TENOR_ROWS: Final = (
    TenorRow(tenor=Tenor.DAY, name="Day", listed_count=7,
             stop_business_days=0, block_min_lots=0),
    TenorRow(tenor=Tenor.BOM, name="Balance of month", listed_count=1,
             stop_business_days=1, block_min_lots=0),
    TenorRow(tenor=Tenor.WEEK, name="Week", listed_count=4,
             stop_business_days=1, block_min_lots=0),
    TenorRow(tenor=Tenor.MONTH, name="Month", listed_count=12,
             stop_business_days=1, block_min_lots=50),
    TenorRow(tenor=Tenor.QUARTER, name="Quarter", listed_count=8,
             stop_business_days=3, block_min_lots=20),
    TenorRow(tenor=Tenor.CALENDAR, name="Calendar year", listed_count=3,
             stop_business_days=3, block_min_lots=10),
)  # fmt: skip
TENOR_ROW: Final[Mapping[Tenor, TenorRow]] = MappingProxyType(
    {row.tenor: row for row in TENOR_ROWS}
)

# A balance of month may start on any day but the first; these starts are listed.
BOM_START_DAYS: Final = (8, 15, 22)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A delivery period: `start` is its first day, `end` the day after its last."""

    start: date
    end: date
    tenor: Tenor

    @property
    def days(self) -> int:
        """Days of delivery."""
        return (self.end - self.start).days

    def days_over(self, on: date) -> int:
        """Return how many days of delivery are over when a day begins."""
        return min(max(0, (on - self.start).days), self.days)

    @property
    def hours(self) -> int:
        """Hours of delivery: the GPU-hours in one lot."""
        return self.days * 24

    @property
    def code(self) -> str:
        """The period as it stands in a symbol."""
        start = self.start
        if self.tenor is Tenor.WEEK:
            iso = start.isocalendar()
            return f"{iso.year:04d}W{iso.week:02d}"
        head = f"{start.year:04d}"
        if self.tenor is Tenor.CALENDAR:
            return head
        if self.tenor is Tenor.QUARTER:
            return f"{head}Q{(start.month + 2) // 3}"
        month = f"{head}M{start.month:02d}"
        if self.tenor is Tenor.MONTH:
            return month
        letter = "B" if self.tenor is Tenor.BOM else "D"
        return f"{month}{letter}{start.day:02d}"


class PeriodError(ValueError):
    """A text that is no delivery period."""


def day_period(day: date) -> Period:
    """Return the one day."""
    return Period(day, day + DAY, Tenor.DAY)


def week_period(day: date) -> Period:
    """Return the ISO week, Monday to Sunday, that holds `day`."""
    monday = day - day.weekday() * DAY
    return Period(monday, monday + 7 * DAY, Tenor.WEEK)


def month_start(day: date, months: int = 0) -> date:
    """Return the first day of the month `months` after that of `day`."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month0 + 1, 1)


def month_period(day: date) -> Period:
    """Return the month that holds `day`."""
    return Period(month_start(day), month_start(day, 1), Tenor.MONTH)


def bom_period(day: date) -> Period:
    """Return the balance of the month from `day` on; `day` is not the first.

    Errors:
        PeriodError: a balance from the first day on would be the month itself.
    """
    if day.day == 1:
        raise PeriodError("a balance of month starts on day 02 or later: day 01 is the month")
    return Period(day, month_start(day, 1), Tenor.BOM)


def quarter_period(day: date) -> Period:
    """Return the quarter that holds `day`."""
    first = month_start(day, -((day.month - 1) % 3))
    return Period(first, month_start(first, 3), Tenor.QUARTER)


def calendar_period(day: date) -> Period:
    """Return the year that holds `day`."""
    return Period(date(day.year, 1, 1), date(day.year + 1, 1, 1), Tenor.CALENDAR)


_CODE: Final = re.compile(
    r"(?P<year>[0-9]{4})(?:Q(?P<quarter>[0-9])|W(?P<week>[0-9]{2})"
    r"|M(?P<month>[0-9]{2})(?:(?P<letter>[BD])(?P<day>[0-9]{2}))?)?",
    re.ASCII,
)
CODE_FORMS: Final = "2027, 2027Q2, 2027M03, 2027W14, 2027M03B15 or 2027M03D17"


def parse_period(code: str) -> Period:
    """Return the period of a code; the inverse of `Period.code`.

    Errors:
        PeriodError: its text says which part is wrong and what is allowed.
    """
    found = _CODE.fullmatch(code)
    if found is None:
        raise PeriodError(f"no period is written {code[:20]!r}: write {CODE_FORMS}")
    year = int(found["year"])
    if not YEAR_FIRST <= year <= YEAR_LAST:
        raise PeriodError(f"year {year} is not in {YEAR_FIRST}..{YEAR_LAST}")
    if found["quarter"] is not None:
        return _quarter_of(year, int(found["quarter"]))
    if found["week"] is not None:
        return _week_of(year, int(found["week"]))
    if found["month"] is not None:
        return _month_or_day_of(year, int(found["month"]), found["letter"], found["day"])
    return calendar_period(date(year, 1, 1))


def _quarter_of(year: int, quarter: int) -> Period:
    if not 1 <= quarter <= 4:
        raise PeriodError(f"quarter {quarter} is not in 1..4")
    return quarter_period(date(year, 3 * quarter, 1))


def _week_of(year: int, week: int) -> Period:
    weeks = date(year, 12, 28).isocalendar().week  # 28 December is always in the last week
    if not 1 <= week <= weeks:
        raise PeriodError(f"week {week:02d} is not in 01..{weeks} of {year}")
    return week_period(date.fromisocalendar(year, week, 1))


def _month_or_day_of(year: int, month: int, letter: str | None, day_text: str | None) -> Period:
    if not 1 <= month <= 12:
        raise PeriodError(f"month {month:02d} is not in 01..12")
    whole = month_period(date(year, month, 1))
    if letter is None or day_text is None:
        return whole
    day = int(day_text)
    if not 1 <= day <= whole.days:
        raise PeriodError(f"day {day:02d} is not in 01..{whole.days} of {year}M{month:02d}")
    start = date(year, month, day)
    return bom_period(start) if letter == "B" else day_period(start)


def ns_of(day: date, hour: int = 0) -> int:
    """Return the nanoseconds since 1970 at `hour` o'clock UTC of `day`."""
    return (day - _EPOCH).days * NS_PER_DAY + hour * NS_PER_HOUR


def date_of(ts_ns: int) -> date:
    """Return the UTC day a moment falls on."""
    return _EPOCH + (ts_ns // NS_PER_DAY) * DAY


def iso_text(ts_ns: int) -> str:
    """Return a moment as ISO 8601 in UTC, whole seconds."""
    moment = datetime.fromtimestamp(ts_ns // NS_PER_SECOND, tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
