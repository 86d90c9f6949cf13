"""The calendar: which periods are listed on a day, and when each stops trading.

All days are UTC days. Trading never closes; a business day (Monday to Friday,
no holidays yet) only matters for the day on which a contract stops.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import islice
from types import MappingProxyType
from typing import Final

from exchange.rules.tenors import (
    BOM_START_DAYS,
    DAY,
    TENOR_ROW,
    YEAR_LAST,
    Period,
    Tenor,
    bom_period,
    calendar_period,
    day_period,
    month_period,
    month_start,
    ns_of,
    quarter_period,
    week_period,
)

SETTLEMENT_HOUR: Final = 16  # UTC: daily settlement, and the end of trading on the last day
HOLIDAYS: Final[frozenset[date]] = frozenset()


def is_business_day(day: date) -> bool:
    """Return whether `day` is Monday to Friday and no holiday."""
    return day.weekday() < 5 and day not in HOLIDAYS


def business_day_before(day: date, count: int) -> date:
    """Return the count-th business day before `day` (1 is the nearest)."""
    while count > 0:
        day -= DAY
        count -= is_business_day(day)
    return day


def last_trading_day(period: Period) -> date:
    """Return the last day on which contracts on `period` trade."""
    stop = TENOR_ROW[period.tenor].stop_business_days
    return business_day_before(period.start, stop) if stop else period.start - DAY


def last_trade_ns(period: Period) -> int:
    """Return the moment trading ends: the daily settlement of the last trading day."""
    return ns_of(last_trading_day(period), SETTLEMENT_HOUR)


def settlement_ns(day: date) -> int:
    """Return the moment of the daily settlement of `day`."""
    return ns_of(day, SETTLEMENT_HOUR)


def _days(day: date) -> Iterator[Period]:
    while True:
        yield day_period(day)
        day += DAY


def _boms(day: date) -> Iterator[Period]:
    month = month_start(day)
    while True:
        for start_day in BOM_START_DAYS:
            yield bom_period(month.replace(day=start_day))
        month = month_start(month, 1)


_HOLDING: Final[Mapping[Tenor, Callable[[date], Period]]] = MappingProxyType(
    {
        Tenor.WEEK: week_period,
        Tenor.MONTH: month_period,
        Tenor.QUARTER: quarter_period,
        Tenor.CALENDAR: calendar_period,
    }
)


def periods_from(tenor: Tenor, day: date) -> Iterator[Period]:
    """Walk the periods of a tenor in order, from about `day` on, without end.

    Periods that begin before `day` may come first; the caller leaves them out.
    """
    if tenor is Tenor.DAY:
        yield from _days(day)
    elif tenor is Tenor.BOM:
        yield from _boms(day)
    else:
        period = _HOLDING[tenor](day)
        while True:
            yield period
            period = _HOLDING[tenor](period.end)


def listed_periods(tenor: Tenor, on: date) -> tuple[Period, ...]:
    """Return the periods of a tenor that are listed on a UTC day, nearest first.

    They are the first `listed_count` periods whose last trading day is `on` or
    later: a contract stays listed through its last trading day, and its successor
    joins at the next midnight.
    """
    assert on.year < YEAR_LAST
    trading = (p for p in periods_from(tenor, on) if last_trading_day(p) >= on)
    return tuple(islice(trading, TENOR_ROW[tenor].listed_count))
