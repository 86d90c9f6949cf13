"""Settlement prices and what they were reached from, as the exchange says them."""

from decimal import Decimal
from typing import Any

from wellhead.types import Answer


class SpreadSeen(Answer, frozen=True, kw_only=True):
    """A calendar spread that traded, from the side of its far month."""

    near_symbol: str
    price: Decimal
    quantity: Decimal
    months: int


class SettlementInputs(Answer, frozen=True, kw_only=True):
    """What was seen of a contract when it was settled."""

    previous_price: Decimal
    mark_price: Decimal
    bid_price: Decimal | None = None
    ask_price: Decimal | None = None
    limit_bps: int = 0
    window_volume: Decimal = Decimal(0)
    window_vwap: Decimal | None = None
    closing_price: Decimal | None = None
    said_price: Decimal | None = None
    spreads: tuple[SpreadSeen, ...] = ()


class Settlement(Answer, frozen=True, kw_only=True):
    """A settlement of one contract; `revision` counts the prices of its moment from 1."""

    symbol: str
    price: Decimal
    seq: int = 0
    date: str | None = None
    cycle: str = "daily"
    due_ts: int | None = None
    revision: int = 1
    superseded: bool = False
    final: bool = False
    final_ts: int | None = None
    previous_price: Decimal | None = None
    rule: str | None = None
    source_symbol: str | None = None
    run: str | None = None
    inputs: SettlementInputs | None = None
    volume: Decimal | None = None
    open_interest: Decimal | None = None
    paid: Decimal | None = None


class CorrectedPrice(Answer, frozen=True, kw_only=True):
    """A price that comes out otherwise; `difference` is what it is on one lot held, in USD."""

    beyond_limit: bool = False

    symbol: str
    price: Decimal
    replaced_price: Decimal
    rule: str
    difference: Decimal


class Correction(Answer, frozen=True, kw_only=True):
    """A correction of a day's settlement: another revision, once two operators agreed."""

    correction_id: str
    date: str
    status: str
    reason: str
    proposed_by: str
    approved_by: str | None = None
    revises: str = ""
    run: str | None = None
    code: str | None = None
    final_ts: int = 0
    prices: tuple[CorrectedPrice, ...] = ()


class CorrectionAsked(Answer, frozen=True, kw_only=True):
    """What would be corrected, and the correction; none where it was only asked for."""

    prices: tuple[CorrectedPrice, ...]
    correction: Correction | None = None


class SettlementRun(Answer, frozen=True, kw_only=True):
    """Everything that the prices of a moment come from; `run` is its hash."""

    run: str
    due_ns: str
    evidence: list[dict[str, Any]]
    note: dict[str, Any] | None = None


class InDelivery(Answer, frozen=True, kw_only=True):
    """How far a contract in delivery is settled: `worth` and `change` are of one lot, in USD."""

    symbol: str
    state: str
    ordinal: int
    days_fixed: int
    worth: Decimal
    price: Decimal
    days: int | None = None
    change: Decimal | None = None
    open_interest: Decimal = Decimal(0)
    accrued_ts: int = 0
