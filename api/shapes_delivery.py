"""What the exchange answers about physical delivery, as shapes; see `shapes.py`."""

from typing import Final

from api.shapes import Answer, Part


class IssuerOut(Part):
    """Who may issue receipts, and on what grounds."""

    account_id: str
    account: int
    public_key: str
    audit: str
    acceptance: str
    acceptance_hours: int
    admitted_ts: int
    ended_ts: int | None
    end_reason: str | None


class IssuerAnswer(Answer):
    """One issuer."""

    issuer: IssuerOut


class IssuersAnswer(Answer):
    """Issuers, the newest first."""

    issuers: list[IssuerOut]


class ReceiptOut(Part):
    """A receipt; accounts are numbers, as in the public registry."""

    receipt_id: str
    parent_id: str | None
    status: str
    sku: str
    hub: str
    grade: str
    nodes: list[str]
    gpus_per_node: int
    start_ts: int
    end_ts: int
    gpu_hours: int
    sla_bps: int
    load_factor_bps: int
    kwh_per_gpu_hour_milli: int
    reference_price: str
    bond: str
    bond_left: str
    issuer: int
    holder: int
    pledgee: int | None
    covers: str | None
    buyer: int | None
    open_offer: bool
    ask: str | None
    shares: list[list[int]]
    missed_hours: int
    penalty: str
    claimed: str
    claim_paid: str
    claim_open: str


class ReceiptAnswer(Answer):
    """One receipt."""

    receipt: ReceiptOut


class ReceiptsAnswer(Answer):
    """Receipts, what changed last first."""

    receipts: list[ReceiptOut]
    next_cursor: str | None


class ReceiptEvent(Part):
    """Something that happened to a receipt."""

    number: str
    receipt_id: str
    kind: str
    event_ts: int
    note: str


class CoverLine(Part):
    """Lots of a contract that pledges cover, what the engine was told, and what counts of it."""

    symbol: str
    quantity: str
    told: str
    short: str
    counts: str


class CoverOwnAnswer(Answer):
    """What own pledges cover, and what margin asks for with and without them."""

    covers: list[CoverLine]
    required: str
    required_without: str
    saved: str


class TelemetryGap(Part):
    """Hours of a node, between reported ones, that nobody reported."""

    node: str
    start_ts: int
    end_ts: int


class ReceiptDetailAnswer(Answer):
    """A receipt, what happened to it, and how much of it is metered."""

    receipt: ReceiptOut
    events: list[ReceiptEvent]
    readings: int
    gpu_hours_milli: int
    kwh_milli: int
    gaps: list[TelemetryGap]


class ReadingResult(Part):
    """What became of a reading."""

    status: str
    reason: str | None


class TelemetryAnswer(Answer):
    """What became of each reading, in their order."""

    results: list[ReadingResult]


class QuarantinedReading(Part):
    """A reading that was not taken, as it came."""

    quarantine_id: str
    account_id: str
    reason: str
    reading: str
    recorded_ts: int


class TelemetryQuarantineAnswer(Answer):
    """Readings that were not taken, newest first."""

    quarantine: list[QuarantinedReading]
    next_cursor: str | None


class CurtailmentOut(Part):
    """An order of the grid operator."""

    hub: str
    start_ts: int
    end_ts: int
    reference: str


class CurtailmentAnswer(Answer):
    """One order."""

    curtailment: CurtailmentOut


class ClaimsAnswer(Answer):
    """Events that left something for the default fund, newest first."""

    claims: list[ReceiptEvent]
    next_cursor: str | None


class ClaimPart(Part):
    """What one account of a layer was asked to pay."""

    layer: str
    account: int
    amount: str


class ClaimPaidAnswer(Answer):
    """A receipt, and who was asked for its claim."""

    receipt: ReceiptOut
    parts: list[ClaimPart]


class ReceiptRoot(Part):
    """The root of a closed day: all but the signature is what is signed."""

    day: int
    first_number: str
    last_number: str
    root: str
    before: str
    public_key: str
    signature: str


class RootsAnswer(Answer):
    """Roots, newest first."""

    roots: list[ReceiptRoot]
    next_cursor: str | None


class EventProof(Part):
    """An event as it is hashed, and the way to the root of its day; none while that is open."""

    number: str
    receipt_id: str
    kind: str
    event_ts_ns: str
    note: str
    body: str
    before: str
    digest: str
    path: list[str]
    root: ReceiptRoot | None


class ReceiptProofAnswer(Answer):
    """Everything that happened to a receipt, with proofs."""

    proofs: list[EventProof]


ANSWERS: Final[dict[str, type]] = {  # by operation
    "list_issuers": IssuersAnswer,
    "list_receipt_offers": ReceiptsAnswer,
    "prove_receipt": ReceiptProofAnswer,
    "list_receipt_roots": RootsAnswer,
    "list_receipts": ReceiptsAnswer,
    "get_receipt": ReceiptDetailAnswer,
    "issue_receipt": ReceiptAnswer,
    "act_on_receipt": ReceiptAnswer,
    "get_own_cover": CoverOwnAnswer,
    "submit_telemetry": TelemetryAnswer,
    "admit_issuer": IssuerAnswer,
    "end_issuer": IssuerAnswer,
    "curtail_hub": CurtailmentAnswer,
    "list_telemetry_quarantine": TelemetryQuarantineAnswer,
    "list_delivery_claims": ClaimsAnswer,
    "pay_delivery_claim": ClaimPaidAnswer,
}
