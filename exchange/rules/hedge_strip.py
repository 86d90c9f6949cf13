"""Which contracts hedge a plan: never more in any hour than there is, the longest first.

Each series is a row of days with the GPUs of each. A contract covers whole days; as many lots of it
are taken as there are GPUs on its emptiest day, years before quarters, quarters before months, and
so on down to days. What is left over is smaller than one lot, or on days that no contract covers
whole. With `nearest` a last round takes lots for these too, to the nearest lot of a contract's
mean: less is left open, and some hours are hedged more than there is.

Where a hub has no contracts the worldwide ones stand in for it, in the ratio of the regression
of `hedge_basis.py`: what is left then is the basis between the two.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Final

from exchange.rules.contracts import Contract, Series
from exchange.rules.hedge_plan import HOURS_A_DAY, Plan
from exchange.rules.money import BPS, div_half_even
from exchange.rules.regions import GLB, HUB_BY_SYMBOL
from exchange.rules.tenors import DAY, month_start

Days = dict[date, int]  # GPUs in ten-thousandths
Ratios = Mapping[Series, int]  # lots of the worldwide contract for each GPU, in basis points


class Cover(StrEnum):
    """How much of a plan is hedged."""

    NEVER_MORE = "never_more"  # in no hour more than there is
    NEAREST = "nearest"  # the nearest lot of each contract's mean


@dataclass(frozen=True, slots=True)
class Offered:
    """A contract that can be traded now."""

    contract: Contract
    contract_idx: int
    price_ticks: int  # its mark
    qty_max_lots: int  # of one order


@dataclass(frozen=True, slots=True)
class StripLeg:
    """So many lots of one contract, for a series of the plan."""

    series: Series
    offered: Offered
    lots: int
    ratio_bps: int  # of lots to GPUs: 10,000 when it is the series' own contract

    @property
    def is_proxy(self) -> bool:
        """Return whether it is another hub's contract."""
        return self.offered.contract.series != self.series

    @property
    def gpu_hours(self) -> int:
        """Return the GPU-hours of its lots."""
        return self.lots * self.offered.contract.lot_gpu_hours

    @property
    def value_usd_micros(self) -> int:
        """Return what its lots are worth at their mark."""
        contract = self.offered.contract
        return self.lots * contract.tick_value_usd_micros * self.offered.price_ticks


@dataclass(frozen=True, slots=True)
class Strip:
    """The legs, and the days of each series: all of them, and what is left (below zero: more)."""

    legs: tuple[StripLeg, ...]
    needed: Mapping[Series, Days]
    left: Mapping[Series, Days]


_NEAREST_DAYS_MAX: Final = 31  # months and shorter take the nearest lot; longer ones would smear


def needed_days(plan: Plan) -> dict[Series, Days]:
    """Return the GPUs of each day, by series, in ten-thousandths."""
    # By series how many more there are from a day on: a row is two numbers, however long it is.
    steps: dict[Series, Days] = defaultdict(lambda: defaultdict(int))
    for row in plan.rows:
        steps[row.series][row.start] += row.gpus_bps
        steps[row.series][row.end] -= row.gpus_bps
    return {series: _filled(sorted(found.items())) for series, found in steps.items()}


def _filled(steps: Sequence[tuple[date, int]]) -> Days:
    """Return the GPUs of each day that has any, from where they become more or fewer."""
    found: Days = {}
    gpus = 0
    for (start, more), (end, _) in pairwise(steps):
        gpus += more
        if gpus:
            found |= {start + number * DAY: gpus for number in range((end - start).days)}
    return found


def days_of_months(start: date, end: date) -> Iterator[tuple[date, int]]:
    """Yield the months between two days, and how many days of each lie there."""
    while start < end:
        month = month_start(start)
        stop = min(end, month_start(month, 1))
        yield month, (stop - start).days
        start = stop


def strip_of(
    needed: Mapping[Series, Days], offered: Iterable[Offered], cover: Cover, ratios: Ratios
) -> Strip:
    """Return the strip that hedges what is needed.

    Args:
        offered: contracts that can be traded; of these, those of a series or of its worldwide one.
        ratios: of series without contracts of their own; one that is missing takes one to one.
    """
    by_series: dict[Series, list[Offered]] = defaultdict(list)
    for one in offered:
        by_series[one.contract.series].append(one)
    legs: list[StripLeg] = []
    left: dict[Series, Days] = {}
    for series, days in needed.items():
        own, ratio_bps = by_series.get(series, []), BPS
        if not own:
            own, ratio_bps = by_series.get(worldwide(series), []), ratios.get(series, BPS)
        remaining = _times(days, ratio_bps, BPS)
        taken = _take(remaining, own, cover)
        legs += [StripLeg(series, one, lots, ratio_bps) for one, lots in taken if lots]
        # What is left is said in GPUs of the series, whatever hedges it.
        left[series] = _times(remaining, BPS, ratio_bps) if ratio_bps else dict(days)
    return Strip(tuple(legs), needed, left)


def _times(days: Days, over: int, under: int) -> Days:
    """Return days times a ratio, half-even."""
    if over == under:
        return dict(days)
    return {day: div_half_even(gpus * over, under) for day, gpus in days.items()}


def worldwide(series: Series) -> Series:
    """Return the series of the worldwide benchmark of the same SKU and grade."""
    return Series(series.sku, HUB_BY_SYMBOL[GLB], series.grade)


def _take(left: Days, offered: Sequence[Offered], cover: Cover) -> list[tuple[Offered, int]]:
    """Take lots of contracts, the longest first; `left` is what remains."""
    longest = sorted(offered, key=lambda one: (-one.contract.period.days, one.contract.period))
    taken = [(one, _lots(left, one, _emptiest)) for one in longest]
    if cover is Cover.NEAREST:
        # From short to long: what a day or week can take is no month's any more.
        short = [one for one in reversed(longest) if one.contract.period.days <= _NEAREST_DAYS_MAX]
        taken += [(one, _lots(left, one, _mean)) for one in short]
    lots_of: dict[Offered, int] = defaultdict(int)
    for one, lots in taken:
        lots_of[one] += lots
    return sorted(lots_of.items(), key=lambda item: item[0].contract.period)


def _emptiest(gpus: Sequence[int]) -> int:
    return max(0, min(gpus)) // BPS


def _mean(gpus: Sequence[int]) -> int:
    return max(0, div_half_even(sum(gpus), len(gpus) * BPS))


def _lots(left: Days, one: Offered, count: Callable[[Sequence[int]], int]) -> int:
    """Take what `count` says of the GPUs that are left on a contract's days."""
    period = one.contract.period
    days = [period.start + number * DAY for number in range(period.days)]
    lots = count([left.get(day, 0) for day in days])
    for day in days if lots else ():
        left[day] = left.get(day, 0) - lots * BPS
    return lots


def by_month(days: Mapping[date, int]) -> dict[date, int]:
    """Return GPU-hours by month, in ten-thousandths."""
    found: dict[date, int] = defaultdict(int)
    for day, gpus in days.items():
        found[day.replace(day=1)] += gpus * HOURS_A_DAY
    return dict(sorted(found.items()))
