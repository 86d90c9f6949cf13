"""What answers say of settlement prices and of what they were reached from."""

from api.shapes import Answer, Part


class SpreadSeen(Part):
    """A calendar spread that traded, from the side of its far month."""

    near_symbol: str
    price: str
    quantity: str
    months: int


class SettlementInputs(Part):
    """What was seen of a contract when it was settled."""

    previous_price: str
    mark_price: str
    bid_price: str | None
    ask_price: str | None
    limit_bps: int
    window_volume: str
    window_vwap: str | None
    closing_price: str | None
    spreads: list[SpreadSeen]


class Settlement(Part):
    """A settlement of a contract, and what it was reached from."""

    symbol: str
    date: str
    cycle: str
    due_ts: int | None
    revision: int
    final: bool
    final_ts: int | None
    price: str
    previous_price: str
    rule: str | None
    source_symbol: str | None
    run: str | None
    inputs: SettlementInputs | None
    last_price: str | None
    volume: str
    open_interest: str
    paid: str
    seq: int
    ts: int
    ts_ns: str


class SettlementsAnswer(Answer):
    """Settlements, newest first."""

    settlements: list[Settlement]
    next_cursor: str | None


class SpreadEvidence(Part):
    """A spread as its run has it: whole ticks and lots."""

    near_idx: int
    spread_ticks: int
    lots: int
    months: int


class Evidence(Part):
    """A contract as its run has it: whole ticks and lots, 0 for none."""

    contract_idx: int
    symbol: str
    settle_ticks: int
    mark_ticks: int
    bid_ticks: int
    ask_ticks: int
    day_bps: int
    lots: int
    tick_lots: int
    closing_ticks: int
    settled: bool
    spreads: list[SpreadEvidence]


class Run(Part):
    """Everything the prices of a moment come from; `run` is its hash."""

    run: str
    due_ns: str
    evidence: list[Evidence]


class RunAnswer(Answer):
    """What the prices of a moment come from."""

    run: Run


class Accrual(Part):
    """A settlement in delivery: `worth` and `change` are of one lot, in USD."""

    ordinal: int
    days_fixed: int
    days: int
    final: bool
    worth: str
    change: str
    open_interest: str
    paid: str
    digest: str
    seq: int
    ts_ns: str


class Final(Part):
    """How a contract in delivery is settled; `final_price` once all of its days are fixed."""

    symbol: str
    series: str
    rules_version: str
    period_start: str
    period_end: str
    days: int
    state: str
    final_price: str | None
    accruals: list[Accrual]


class FinalAnswer(Answer):
    """Every settlement of a contract in delivery, oldest first."""

    settlement: Final
