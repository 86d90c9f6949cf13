"""Requests about the calendar of contracts."""

from msgspec import field

from wellhead.calls import Call, get_call, whole
from wellhead.types import Answer


class ContractDays(Answer, frozen=True, kw_only=True):
    """When what happens to a contract: moments in ISO 8601, UTC, None where there is none."""

    symbol: str
    tenor: str
    listed: str | None = None
    last_trade: str
    ending: str
    into: list[str] = field(default_factory=list)
    delivery_start: str
    delivery_end: str
    accrual_first: str | None = None
    accrual_last: str | None = None
    accrual_days: int = 0
    provisional: str | None = None
    final: str | None = None
    expires: str
    archived: str


class Days(Answer, frozen=True, kw_only=True):
    """The calendar of contracts, and what holds for all of them."""

    settlement_utc: str
    accrual_utc: str
    holidays: list[str] = field(default_factory=list)
    contracts: list[ContractDays] = field(default_factory=list)


def calendar(
    symbol: str | None = None,
    *,
    series: str | None = None,
    tenor: str | None = None,
    event: str | None = None,
    first: str | None = None,
    last: str | None = None,
) -> Call[Days]:
    """When what happens to contracts; `first` and `last` are days, both included."""
    return get_call(
        "/calendar", whole(Days), private=False, symbol=symbol, series=series, tenor=tenor,
        event=event, first=first, last=last,
    )  # fmt: skip
