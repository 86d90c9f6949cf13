"""The desk of those who own GPUs or need them: what a plan is exposed to, and what hedges it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from exchange.rules.contracts import Series
from exchange.rules.hedge_basis import Basis, ratio_bps
from exchange.rules.hedge_plan import HOURS_A_DAY, Plan, PlanRow
from exchange.rules.hedge_strip import (
    Cover,
    Offered,
    Strip,
    by_month,
    days_of_months,
    needed_days,
    strip_of,
)
from exchange.rules.money import BPS, div_half_even
from matching.codes import Side

SITES_MAX: Final = 16  # of a plan whose basis is looked at: the largest
ORDERS_MAX: Final = 1_000  # that a strip may take: who needs more splits the plan


class TooManyOrders(ValueError):
    """A plan whose strip takes more orders than are drawn up at once."""


class Site(NamedTuple):
    """Whose prices are hedged, by which series; empty provider or region: all."""

    series: Series
    provider: str
    region: str


@dataclass(frozen=True, slots=True)
class Month:
    """One series in one month; GPU-hours in ten-thousandths, money in micro-dollars.

    Attributes:
        hedged: of the GPU-hours; more than there are when a nearest lot is too many.
        hedged_usd_micros: what the lots of the strip are worth at their marks.
        price_usd_micros: of a GPU-hour of the strip, half-even; None without one.
        cost_usd_micros: of all GPUs that are there; of a buyer: the budget of what is needed.
        power_usd_micros: of the loaded hours.
    """

    series: Series
    month: date
    gpu_hours: int
    hedged: int
    hedged_usd_micros: int
    price_usd_micros: int | None
    cost_usd_micros: int
    power_usd_micros: int

    @property
    def open_usd_micros(self) -> int | None:
        """Return what the hours that are not hedged are worth at the strip's price."""
        if self.price_usd_micros is None:
            return None
        return div_half_even(self.price_usd_micros * (self.gpu_hours - self.hedged), BPS)

    @property
    def power_margin_usd_micros(self) -> int | None:
        """Return the price of a GPU-hour minus its power; None where either is unknown."""
        if self.price_usd_micros is None or not self.power_usd_micros:
            return None
        return self.price_usd_micros - div_half_even(self.power_usd_micros * BPS, self.gpu_hours)


class OrderDraft(NamedTuple):
    """A limit order that would build a part of the strip."""

    offered: Offered
    side: Side
    price_ticks: int
    qty_lots: int


@dataclass(frozen=True, slots=True)
class Hedge:
    """A plan, its strip, and what both come to."""

    plan: Plan
    strip: Strip
    months: tuple[Month, ...]
    orders: tuple[OrderDraft, ...]
    bases: Mapping[Site, Basis]

    def total(self, name: str) -> int:
        """Return the sum of a figure over all months."""
        return sum(getattr(month, name) or 0 for month in self.months)

    @property
    def margin_usd_micros(self) -> int:
        """Return what is locked beyond cost and power, of hedged hours and their share of costs.

        Of a buyer: how far the strip stays below the budget.
        """
        total = 0
        for month in self.months:
            share = min(month.hedged, month.gpu_hours)
            paid = month.cost_usd_micros + month.power_usd_micros
            if month.gpu_hours:
                total -= div_half_even(paid * share, month.gpu_hours)
            total += month.hedged_usd_micros
        return total if self.plan.side == Side.SELL else -total


def sites_of(plan: Plan) -> list[Site]:
    """Return the sites of a plan, those with the most GPU-hours first."""
    sizes: dict[Site, int] = defaultdict(int)
    for row in plan.rows:
        site = Site(row.series, row.provider, row.region)
        sizes[site] += row.gpus_bps * (row.end - row.start).days
    largest = sorted(sizes, key=lambda site: (-sizes[site], site.series.symbol, site[1:]))
    return largest[:SITES_MAX]


def hedge_of(
    plan: Plan, offered: Iterable[Offered], cover: Cover, bases: Mapping[Site, Basis]
) -> Hedge:
    """Return the strip of a plan, month by month, and the orders that build it.

    Args:
        offered: the contracts that can be traded, with their marks.
        bases: of the plan's sites, as far as known.

    Errors:
        TooManyOrders: it is too large for the orders that its contracts allow.
    """
    ratios = {site.series: ratio_bps(basis.world) for site, basis in bases.items()}
    strip = strip_of(needed_days(plan), offered, cover, ratios)
    return Hedge(plan, strip, tuple(_months(plan, strip)), tuple(_orders(plan, strip)), bases)


def _months(plan: Plan, strip: Strip) -> Iterable[Month]:
    values = _values(strip)
    costs = _costs(plan)
    for series, days in strip.needed.items():
        left = by_month(strip.left[series])
        needed = by_month(days)
        for month in sorted(needed.keys() | left.keys()):
            hours = needed.get(month, 0)
            hedged = hours - left.get(month, 0)
            value, lot_hours = values.get((series, month), (0, 0))
            cost, power = costs.get((series, month), (0, 0))
            if hours or hedged:
                price = div_half_even(value, lot_hours) if lot_hours else None
                yield Month(series, month, hours, hedged, value, price, cost, power)


def _values(strip: Strip) -> dict[tuple[Series, date], tuple[int, int]]:
    """Return what the lots of the strip are worth, and their GPU-hours, by series and month."""
    found: dict[tuple[Series, date], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for leg in strip.legs:
        period, contract = leg.offered.contract.period, leg.offered.contract
        a_day = leg.lots * leg.offered.price_ticks * contract.tick_value_usd_micros // period.days
        for month, days in days_of_months(period.start, period.end):
            value, hours = found[leg.series, month]
            more_hours = days * leg.lots * HOURS_A_DAY
            found[leg.series, month] = value + days * a_day, hours + more_hours
    return found


def _costs(plan: Plan) -> dict[tuple[Series, date], tuple[int, int]]:
    """Return cost and power by series and month."""
    found: dict[tuple[Series, date], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in plan.rows:
        cost_a_day, power_a_day = _cost_a_day(plan.side, row), _power_a_day(row)
        for month, days in days_of_months(row.start, row.end):
            cost, power = found[row.series, month]
            found[row.series, month] = cost + days * cost_a_day, power + days * power_a_day
    return found


def _cost_a_day(side: Side, row: PlanRow) -> int:
    """Return what a row's GPUs cost a day; a buyer budgets only the hours it needs."""
    gpus_bps = row.gpus * BPS if side == Side.SELL else row.gpus_bps
    return -(-gpus_bps * HOURS_A_DAY * row.cost_usd_micros // BPS)


def _power_a_day(row: PlanRow) -> int:
    return -(-row.gpus_bps * HOURS_A_DAY * row.power_usd_micros_per_gpu_hour // BPS)


def _orders(plan: Plan, strip: Strip) -> Iterable[OrderDraft]:
    """Yield limit orders at the mark, none larger than an order may be."""
    lots_of: dict[Offered, int] = defaultdict(int)
    for leg in strip.legs:
        lots_of[leg.offered] += leg.lots
    count = sum(-(-lots // one.qty_max_lots) for one, lots in lots_of.items())
    if count > ORDERS_MAX:
        raise TooManyOrders(f"its strip takes {count} orders, at most {ORDERS_MAX}")
    for one, lots in lots_of.items():
        for start in range(0, lots, one.qty_max_lots):
            size = min(one.qty_max_lots, lots - start)
            yield OrderDraft(one, plan.side, one.price_ticks, size)
