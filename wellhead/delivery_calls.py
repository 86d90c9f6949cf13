"""Requests about physical delivery: receipts, and proofs of what happened to them."""

from typing import Any
from urllib.parse import quote

from wellhead import types as wt
from wellhead.calls import Call, Json, convert, get_call, member, page, target, whole

_PATH = "/delivery/receipts"
_ADMIN = "/admin/delivery"


class Receipt(wt.Answer, frozen=True, kw_only=True):
    """A receipt; accounts are numbers."""

    receipt_id: str
    status: str
    sku: str
    hub: str
    grade: str
    nodes: list[str]
    gpus_per_node: int
    start_ts: int
    end_ts: int
    gpu_hours: int
    bond: str
    bond_left: str
    issuer: int
    holder: int
    covers: str | None = None
    ask: str | None = None
    missed_hours: int = 0
    penalty: str = "0"
    claimed: str = "0"
    claim_paid: str = "0"
    claim_open: str = "0"


class ReceiptEvent(wt.Answer, frozen=True, kw_only=True):
    """Something that happened to a receipt."""

    number: str
    receipt_id: str
    kind: str
    event_ts: int
    note: str


class Gap(wt.Answer, frozen=True, kw_only=True):
    """Hours of a node, between reported ones, that nobody reported."""

    node: str
    start_ts: int
    end_ts: int


class ReceiptDetail(wt.Answer, frozen=True, kw_only=True):
    """A receipt, what happened to it, and how much of it is metered."""

    receipt: Receipt
    events: list[ReceiptEvent]
    readings: int
    gpu_hours_milli: int
    kwh_milli: int
    gaps: list[Gap]


class CoverLine(wt.Answer, frozen=True, kw_only=True):
    """Lots of a contract that pledges cover, and what of them counts: no more than are short."""

    symbol: str
    quantity: str
    told: str
    short: str
    counts: str


class Cover(wt.Answer, frozen=True, kw_only=True):
    """What own pledges cover, and what margin asks for with and without them, in dollars."""

    covers: list[CoverLine]
    required: str
    required_without: str
    saved: str


class ClaimPart(wt.Answer, frozen=True, kw_only=True):
    """What one account of a layer of the default fund was asked to pay."""

    layer: str
    account: int
    amount: str


class ReadingResult(wt.Answer, frozen=True, kw_only=True):
    """What became of a reading: accepted, duplicate, or quarantined with a reason."""

    status: str
    reason: str | None = None


class Issuer(wt.Answer, frozen=True, kw_only=True):
    """Who may issue receipts, and on what grounds."""

    account_id: str
    account: int
    public_key: str
    audit: str
    acceptance: str
    acceptance_hours: int
    admitted_ts: int
    ended_ts: int | None = None
    end_reason: str | None = None


class Curtailment(wt.Answer, frozen=True, kw_only=True):
    """An order of the grid operator."""

    hub: str
    start_ts: int
    end_ts: int
    reference: str


class QuarantinedReading(wt.Answer, frozen=True, kw_only=True):
    """A reading that was not taken, as it came."""

    quarantine_id: str
    account_id: str
    reason: str
    reading: str
    recorded_ts: int


class Root(wt.Answer, frozen=True, kw_only=True):
    """The signed root of a closed day."""

    day: int
    first_number: str
    last_number: str
    root: str
    before: str
    public_key: str
    signature: str


def receipts(
    status: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Call[wt.Page[Receipt]]:
    """Own receipts, what changed last first."""
    return get_call(_PATH, page("receipts", Receipt), status=status, limit=limit, cursor=cursor)


def offers(
    sku: str | None = None, hub: str | None = None, limit: int | None = None
) -> Call[wt.Page[Receipt]]:
    """Receipts that anybody may buy."""
    parse = page("receipts", Receipt)
    return get_call("/delivery/offers", parse, private=False, sku=sku, hub=hub, limit=limit)


def receipt(receipt_id: str) -> Call[Receipt]:
    """One receipt; the whole answer has its events and its metering."""
    return get_call(f"{_PATH}/{quote(receipt_id, safe='')}", member("receipt", Receipt))


def detail(receipt_id: str) -> Call[ReceiptDetail]:
    """One receipt with its events, its metering and the gaps in that."""
    return get_call(f"{_PATH}/{quote(receipt_id, safe='')}", whole(ReceiptDetail))


def issue(wish: Json) -> Call[Receipt]:
    """Issue a receipt; with a `receipt_key` it is issued once."""
    parse = member("receipt", Receipt)
    return Call("POST", target(_PATH), parse, body=wish, repeatable="receipt_key" in wish)


def act(receipt_id: str, action: str, **more: Any) -> Call[Receipt]:
    """Transfer, offer, withdraw, buy, pledge, unpledge, split or redeem a receipt."""
    body = {"action": action} | {name: value for name, value in more.items() if value is not None}
    path = target(f"{_PATH}/{quote(receipt_id, safe='')}/actions")
    return Call("POST", path, member("receipt", Receipt), body=body)


def cover() -> Call[Cover]:
    """What own pledged receipts cover, and what that saves."""
    return get_call("/delivery/cover", whole(Cover))


def proofs(receipt_id: str) -> Call[list[Json]]:
    """Everything that happened to a receipt, as it is hashed, with the ways to signed roots."""
    path = f"/proofs/receipts/{quote(receipt_id, safe='')}"
    return get_call(path, lambda answer: list(answer["proofs"]), private=False)


def roots(limit: int | None = None, cursor: str | None = None) -> Call[wt.Page[Root]]:
    """Signed roots over what happened to receipts, one a closed day, newest first."""
    return get_call("/proofs/roots", page("roots", Root), private=False, limit=limit, cursor=cursor)


def telemetry(readings: list[Json]) -> Call[list[ReadingResult]]:
    """Report what own nodes did, signed; the same again is recognised."""
    return Call(
        "POST", target("/delivery/telemetry"),
        lambda answer: [convert(one, ReadingResult) for one in answer["results"]],
        body={"readings": readings}, repeatable=True,
    )  # fmt: skip


def issuers() -> Call[wt.Page[Issuer]]:
    """Who may issue receipts, ended ones too."""
    return get_call("/delivery/issuers", page("issuers", Issuer), private=False)


# For operators


def admit(
    account_id: str, public_key: str, audit: str, acceptance: str, acceptance_hours: int
) -> Call[Issuer]:
    """Let an account issue receipts; the same again is the same."""
    body = {
        "account_id": account_id, "public_key": public_key, "audit": audit,
        "acceptance": acceptance, "acceptance_hours": acceptance_hours,
    }  # fmt: skip
    parse = member("issuer", Issuer)
    return Call("POST", target(f"{_ADMIN}/issuers"), parse, body=body, repeatable=True)


def end_issuer(account_id: str, reason: str) -> Call[Issuer]:
    """Let an account issue no more, for ever."""
    path = target(f"{_ADMIN}/issuers/{quote(account_id, safe='')}/end")
    parse = member("issuer", Issuer)
    return Call("POST", path, parse, body={"reason": reason}, repeatable=True)


def curtail(hub: str, start_ts: int, end_ts: int, reference: str) -> Call[Curtailment]:
    """Record an order of the grid operator; the same reference again is the same order."""
    body = {"hub": hub, "start_ts": start_ts, "end_ts": end_ts, "reference": reference}
    parse = member("curtailment", Curtailment)
    return Call("POST", target(f"{_ADMIN}/curtailments"), parse, body=body, repeatable=True)


def quarantine(
    reason: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Call[wt.Page[QuarantinedReading]]:
    """Telemetry that was not taken, newest first."""
    parse = page("quarantine", QuarantinedReading)
    return get_call(f"{_ADMIN}/quarantine", parse, reason=reason, limit=limit, cursor=cursor)


def claims(limit: int | None = None, cursor: str | None = None) -> Call[wt.Page[ReceiptEvent]]:
    """What bonds and sellers did not cover, newest first."""
    parse = page("claims", ReceiptEvent)
    return get_call(f"{_ADMIN}/claims", parse, limit=limit, cursor=cursor)


def pay_claim(receipt_id: str, reason: str) -> Call[list[ClaimPart]]:
    """Ask the default fund for what is open of a receipt's claim; asked again, nothing is open."""
    path = target(f"{_ADMIN}/claims/{quote(receipt_id, safe='')}/pay")
    return Call(
        "POST", path, lambda answer: [convert(one, ClaimPart) for one in answer["parts"]],
        body={"reason": reason},
    )  # fmt: skip
