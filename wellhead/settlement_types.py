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


class SettlementRun(Answer, frozen=True, kw_only=True):
    """Everything that the prices of a moment come from; `run` is its hash."""

    run: str
    due_ns: str
    evidence: list[dict[str, Any]]
