"""Strips add up: a quarter is the hour-weighted mean of its months, a year that of its quarters.

Who traded is believed before who is only quoted, who is quoted before who only followed others,
and among equals the parts before the whole. What is believed less is moved, all parts by as many
ticks as each other, but none beyond its own limits; then the whole is the mean of its parts.
"""

from collections.abc import Iterable, Sequence

from exchange.rules.contracts import Contract, Series
from exchange.rules.money import div_half_even
from exchange.rules.settlement import PriceRule
from exchange.rules.tenors import Period, Tenor, month_period, month_start, quarter_period


class Leg:
    """A contract on its way to a settlement price.

    Attributes:
        rank: how much its price is believed; `FIXED` is settled already.
        source_idx: the contract that it follows, -1 for none.
        low_ticks, high_ticks: how far others may move it.
    """

    __slots__ = (
        "contract", "contract_idx", "high_ticks", "low_ticks", "price_ticks", "rank", "rule",
        "source_idx",
    )  # fmt: skip

    def __init__(
        self, contract_idx: int, contract: Contract, price_ticks: int, rank: int, rule: PriceRule
    ) -> None:
        self.contract_idx = contract_idx
        self.contract = contract
        self.price_ticks = price_ticks
        self.rank = rank
        self.rule = rule
        self.source_idx = -1
        self.low_ticks = self.high_ticks = price_ticks

    @property
    def hours(self) -> int:
        """GPU-hours of a lot: its weight in a strip."""
        return self.contract.lot_gpu_hours


FIXED = 9


def parts_of(period: Period) -> tuple[Period, ...]:
    """Return the periods that a quarter or a year is cut into; none of other tenors."""
    if period.tenor is Tenor.QUARTER:
        return tuple(month_period(month_start(period.start, place)) for place in range(3))
    if period.tenor is Tenor.CALENDAR:
        return tuple(quarter_period(month_start(period.start, 3 * place)) for place in range(4))
    return ()


def mean_ticks(parts: Sequence[Leg]) -> int:
    """Return the hour-weighted mean of the parts, ties to the even tick."""
    value = sum(part.hours * part.price_ticks for part in parts)
    return div_half_even(value, sum(part.hours for part in parts))


def add_up(legs: Iterable[Leg]) -> None:
    """Move prices until each whole is the mean of its parts, where all parts are there."""
    by_name = {(leg.contract.series, leg.contract.period): leg for leg in legs}
    quarters = _wholes(by_name, Tenor.QUARTER)
    calendars = _wholes(by_name, Tenor.CALENDAR)
    for whole, parts in (*quarters, *calendars):
        lowest = min(part.rank for part in parts)
        if whole.rank <= lowest:
            whole.rank = lowest
            _follow(whole, parts)
    for whole, parts in (*calendars, *quarters):
        _press(whole, parts)
    for whole, parts in (*quarters, *calendars):
        _follow(whole, parts)


def _wholes(
    by_name: dict[tuple[Series, Period], Leg], tenor: Tenor
) -> list[tuple[Leg, tuple[Leg, ...]]]:
    found = []
    for (series, period), whole in sorted(by_name.items(), key=lambda one: one[1].contract_idx):
        if period.tenor is not tenor:
            continue
        parts = [by_name.get((series, part)) for part in parts_of(period)]
        there = tuple(part for part in parts if part is not None)
        if len(there) == len(parts):
            found.append((whole, there))
    return found


def _follow(whole: Leg, parts: Sequence[Leg]) -> None:
    """Give a whole the mean of its parts, unless it is settled already."""
    mean = mean_ticks(parts)
    if whole.rank < FIXED and whole.price_ticks != mean:
        whole.price_ticks, whole.rule, whole.source_idx = mean, PriceRule.STRIP, -1


def _press(whole: Leg, parts: Sequence[Leg]) -> None:
    """Move the parts that are believed less than their whole, so that they add up to it."""
    soft = [part for part in parts if part.rank < whole.rank]
    if not soft:
        return
    before = [part.price_ticks for part in soft]
    target = whole.price_ticks * sum(part.hours for part in parts)
    lacking = target - sum(part.hours * part.price_ticks for part in parts)
    _spread(soft, lacking)
    for part, ticks in zip(soft, before, strict=True):
        part.rank = min(whole.rank, FIXED - 1)
        if part.price_ticks != ticks:
            part.rule, part.source_idx = PriceRule.PART, whole.contract_idx


def _spread(soft: Sequence[Leg], lacking: int) -> None:
    """Move parts by the same number of ticks, within their limits, to raise the sum by `lacking`.

    What is left is below half a tick of the whole: single ticks go to the earliest parts.
    """
    free = list(soft)
    while free:
        hours = sum(part.hours for part in free)
        ticks = abs(lacking) // hours * (1 if lacking > 0 else -1)
        if ticks == 0:
            break
        for part in free:
            moved = min(max(part.price_ticks + ticks, part.low_ticks), part.high_ticks)
            lacking -= (moved - part.price_ticks) * part.hours
            part.price_ticks = moved
        free = [part for part in free if _may_move(part, lacking)]
    step = 1 if lacking > 0 else -1
    for part in soft:
        nearer = abs(lacking - step * part.hours) < abs(lacking)
        if nearer and part.low_ticks <= part.price_ticks + step <= part.high_ticks:
            part.price_ticks += step
            lacking -= step * part.hours


def _may_move(part: Leg, lacking: int) -> bool:
    return part.price_ticks < part.high_ticks if lacking > 0 else part.price_ticks > part.low_ticks
