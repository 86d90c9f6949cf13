"""What answers say of settlement prices and of what they were reached from."""

import typing

from api.shapes import Answer, Part
from api.shapes_delivery import ReceiptRoot, RootsAnswer


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
    said_price: str | None
    spreads: list[SpreadSeen]


class Settlement(Part):
    """A settlement of a contract, and what it was reached from."""

    symbol: str
    date: str
    cycle: str
    due_ts: int | None
    revision: int
    superseded: bool
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


class CorrectedPrice(Part):
    """A price that comes out otherwise; `difference` is what it is on one lot held, in USD."""

    beyond_limit: bool

    symbol: str
    price: str
    replaced_price: str
    rule: str
    difference: str


class Correction(Part):
    """A correction of a day's settlement: another revision, once two operators agreed."""

    correction_id: str
    date: str
    status: str
    reason: str
    proposed_by: str
    approved_by: str | None
    revises: str
    run: str | None
    code: str | None
    final_ts: int
    created_ts: int
    updated_ts: int
    prices: list[CorrectedPrice]


class CorrectionAnswer(Answer):
    """A correction; null and what it would change when it was only asked what would be."""

    correction: Correction | None
    prices: list[CorrectedPrice]


class CorrectionsAnswer(Answer):
    """Corrections, newest first."""

    corrections: list[Correction]
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
    said_ticks: int = 0


class Note(Part):
    """What a correction says beyond what was seen; `by` proposed and approved it."""

    revises: str
    reason: str
    by: list[str]


class Run(Part):
    """Everything the prices of a moment come from; `run` is its hash."""

    run: str
    due_ns: str
    evidence: list[Evidence]
    note: Note | None


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


class InDelivery(Part):
    """How far a contract in delivery is settled: `worth` and `change` are of one lot, in USD."""

    symbol: str
    state: str
    ordinal: int
    days_fixed: int
    days: int | None
    worth: str
    price: str
    change: str | None
    open_interest: str
    accrued_ts: int


class AccrualsAnswer(Answer):
    """Contracts in delivery or settled finally, the newest listed first."""

    accruals: list[InDelivery]
    next_cursor: str | None


class FinalLeaf(Part):
    """A final settlement as it is hashed; `worth` is of one lot, in USD."""

    number: str
    symbol: str
    settled_seq: int
    settled_ts_ns: str
    days: int
    worth: str
    final_price: str
    open_interest: str
    paid: str
    digest: str


class FinalProof(Part):
    """A final settlement, and the way to the signed root of its day; none while that is open."""

    settlement: FinalLeaf
    path: list[str]
    root: ReceiptRoot | None


class FinalProofAnswer(Answer):
    """That a final settlement is under the root of its day."""

    proof: FinalProof


# What each endpoint answers, by its name.
ANSWERS: typing.Final[dict[str, type[Answer]]] = {
    "list_settlements": SettlementsAnswer,
    "get_settlement_run": RunAnswer,
    "get_final_settlement": FinalAnswer,
    "list_final_settlements": AccrualsAnswer,
    "list_settlement_roots": RootsAnswer,
    "prove_settlement": FinalProofAnswer,
    "propose_correction": CorrectionAnswer,
    "list_corrections": CorrectionsAnswer,
    "decide_correction": CorrectionAnswer,
}
