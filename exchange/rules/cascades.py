"""Which contracts follow a contract: a year, a quarter, and a month of a series with days."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from exchange.rules.catalogue import CURVE_TENORS, LISTING
from exchange.rules.contracts import Contract
from exchange.rules.tenors import (
    DAY,
    Period,
    Tenor,
    calendar_period,
    day_period,
    month_period,
    month_start,
    quarter_period,
)

_TENORS: Final[Mapping[str, tuple[Tenor, ...]]] = dict(LISTING)


def following_periods(period: Period, *, with_days: bool) -> tuple[Period, ...]:
    """Return the periods that follow one, nearest first; together they have its hours (CASC_010).

    Args:
        with_days: days of the series are listed: else its months deliver themselves.
    """
    first = period.start
    if period.tenor is Tenor.CALENDAR:
        months = [month_period(month_start(first, place)) for place in range(3)]
        quarters = [quarter_period(month_start(first, place)) for place in (3, 6, 9)]
        return (*months, *quarters)
    if period.tenor is Tenor.QUARTER:
        return tuple(month_period(month_start(first, place)) for place in range(3))
    if period.tenor is Tenor.MONTH and with_days:
        return tuple(day_period(first + place * DAY) for place in range(period.days))
    return ()


@lru_cache(maxsize=8192)
def following(contract: Contract) -> tuple[Contract, ...]:
    """Return the contracts that follow one; none for one that delivers itself."""
    tenors = _TENORS.get(contract.series.symbol, CURVE_TENORS)
    periods = following_periods(contract.period, with_days=Tenor.DAY in tenors)
    return tuple(Contract(contract.series, period) for period in periods)


@lru_cache(maxsize=8192)
def preceding(contract: Contract) -> tuple[Contract, ...]:
    """Return the contracts that this one may follow."""
    period = contract.period
    if period.tenor is Tenor.DAY:
        candidates = [month_period(period.start)]
    elif period.tenor is Tenor.MONTH:
        candidates = [quarter_period(period.start), calendar_period(period.start)]
    elif period.tenor is Tenor.QUARTER:
        candidates = [calendar_period(period.start)]
    else:
        return ()
    parents = (Contract(contract.series, one) for one in candidates)
    return tuple(parent for parent in parents if contract in following(parent))
