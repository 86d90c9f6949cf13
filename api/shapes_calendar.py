"""Answers about the calendar of contracts."""

from api.shapes import Answer, Part


class ContractDays(Part):
    """When what happens to a contract: moments in ISO 8601, UTC, None where there is none."""

    symbol: str
    tenor: str
    listed: str | None
    last_trade: str
    ending: str
    into: list[str]
    delivery_start: str
    delivery_end: str
    accrual_first: str | None
    accrual_last: str | None
    accrual_days: int
    provisional: str | None
    final: str | None
    expires: str
    archived: str


class CalendarAnswer(Answer):
    """The calendar of contracts, by symbol, and what holds for all of them."""

    settlement_utc: str
    accrual_utc: str
    holidays: list[str]
    contracts: list[ContractDays]
