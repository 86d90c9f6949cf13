"""The machine-readable calendar of a contract: every moment of its life (LIFE_008).

A function of the contract alone: what is listed, followed or delivered later is known from the
first day. Only a print that comes late, and a lack of room, can move what is said here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from exchange.rules.calendar import last_trading_day
from exchange.rules.cascades import following, preceding
from exchange.rules.contracts import Contract
from exchange.rules.delivery.exchange import call_ns, has_session, opens_ns
from exchange.rules.final_settlement import accrues_ns, final_ns, provisional_ns
from exchange.rules.tenors import (
    BOM_START_DAYS,
    DAY,
    NS_PER_DAY,
    TENOR_ROW,
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

ARCHIVE_DAYS: Final = 30  # after its end a contract is shown so long, then when asked for alone
_HOLDING: Final = {
    Tenor.DAY: day_period,
    Tenor.WEEK: week_period,
    Tenor.MONTH: month_period,
    Tenor.QUARTER: quarter_period,
    Tenor.CALENDAR: calendar_period,
}


class Moment(NamedTuple):
    """Something that happens to a contract."""

    name: str
    at_ns: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractCalendar:
    """When what happens to a contract; moments in nanoseconds since 1970, 0 where there is none."""

    contract: Contract
    listed_ns: int  # 0: never of itself
    last_trade_ns: int
    into: tuple[str, ...]  # contracts that its positions go into; then it delivers nothing
    delivery_start_ns: int
    delivery_end_ns: int
    accrual_first_ns: int  # then each day at the same hour
    accrual_last_ns: int
    provisional_ns: int
    final_ns: int
    expires_ns: int
    archived_ns: int

    @property
    def ending(self) -> str:
        """What becomes of it: `cascade` or `delivery`."""
        return "cascade" if self.into else "delivery"

    def moments(self) -> Iterator[Moment]:
        """Yield what happens, in order of time."""
        if self.listed_ns:
            yield Moment("listing", self.listed_ns, "listed")
        if has_session(self.contract):
            yield Moment("efd_open", opens_ns(self.contract.period), "exchange for delivery opens")
            yield Moment("efd_call", call_ns(self.contract.period), "exchange for delivery called")
        yield Moment("last_trade", self.last_trade_ns, "trading ends, last daily settlement")
        if self.into:
            into = ", ".join(symbol.rpartition("-")[2] for symbol in self.into)
            yield Moment("cascade", self.last_trade_ns, f"positions go into {into}")
        else:
            yield Moment("delivery_start", self.delivery_start_ns, "delivery begins")
            yield Moment("delivery_end", self.delivery_end_ns, "delivery is over")
            yield Moment("provisional", self.provisional_ns, "final settlement, provisional")
            yield Moment("final", self.final_ns, "final settlement is final")
        yield Moment("expiry", self.expires_ns, "expired")
        yield Moment("archive", self.archived_ns, "archived")


def calendar_of(contract: Contract) -> ContractCalendar:
    """Return the calendar of a contract."""
    period, into = contract.period, following(contract)
    ends_ns = contract.last_trade_ns if into else final_ns(period)
    listed = listed_on(contract)
    return ContractCalendar(
        contract=contract,
        listed_ns=ns_of(listed) if listed else 0,
        last_trade_ns=contract.last_trade_ns,
        into=tuple(child.symbol for child in into),
        delivery_start_ns=contract.delivery_start_ns,
        delivery_end_ns=contract.delivery_end_ns,
        accrual_first_ns=0 if into else accrues_ns(period.start),
        accrual_last_ns=0 if into else accrues_ns(period.end - DAY),
        provisional_ns=0 if into else provisional_ns(period),
        final_ns=0 if into else ends_ns,
        expires_ns=ends_ns,
        archived_ns=ends_ns + ARCHIVE_DAYS * NS_PER_DAY,
    )


def listed_on(contract: Contract) -> date | None:
    """Return the day on which a contract is listed; None for a period that is not of itself.

    As many of a tenor are listed as its row says, so it is the day after the last trading day of
    the one that many before it; or when a contract that it follows trades for the last time.
    """
    period = before = contract.period
    if period.tenor is Tenor.BOM and period.start.day not in BOM_START_DAYS:
        return None
    for _ in range(TENOR_ROW[period.tenor].listed_count):
        before = period_before(before)
    days = [last_trading_day(before) + DAY]
    days += [last_trading_day(parent.period) for parent in preceding(contract)]
    return min(days)


def period_before(period: Period) -> Period:
    """Return the period of the same tenor that comes before one."""
    start = period.start
    if period.tenor is not Tenor.BOM:
        return _HOLDING[period.tenor](start - DAY)
    earlier = [day for day in BOM_START_DAYS if day < start.day]
    if earlier:
        return bom_period(start.replace(day=earlier[-1]))
    return bom_period(month_start(start, -1).replace(day=BOM_START_DAYS[-1]))
