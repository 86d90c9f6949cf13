"""Bodies about physical delivery; `schemas.py` has all others."""

from typing import Annotated, Final

from msgspec import UNSET, Meta, UnsetType

from api.schemas import Body, MaybeText, Millis, Text

NODES_MAX: Final = 64
READINGS_MAX: Final = 30
Long = Annotated[str, Meta(pattern="^[ -~]{1,2000}$")]
Reference = Annotated[str, Meta(pattern="^[ -~]{1,128}$")]
Node = Annotated[str, Meta(pattern="^[A-Za-z0-9._:-]{1,40}$")]
Gpus = Annotated[int, Meta(ge=1, le=1_024)]
Bps = Annotated[int, Meta(ge=1, le=10_000)]
Load = Annotated[int, Meta(ge=0, le=10_000)]
Milli = Annotated[int, Meta(ge=0, le=20_000_000)]
Whole = Annotated[int, Meta(ge=1, le=1 << 53)]
Nodes = Annotated[list[Node], Meta(min_length=1, max_length=NODES_MAX)]


class ReceiptShare(Body):
    """A fixed fraction of what the issuer earns."""

    account_id: Text
    bps: Bps


class ReceiptNew(Body):
    """A receipt: so many GPUs on named nodes, for a window of whole hours."""

    sku: Text
    hub: Text
    nodes: Nodes
    gpus_per_node: Gpus
    start_ts: Millis
    end_ts: Millis
    grade: MaybeText = UNSET
    sla_bps: Bps | UnsetType = UNSET
    load_factor_bps: Load | UnsetType = UNSET
    kwh_per_gpu_hour_milli: Milli | UnsetType = UNSET
    bond: MaybeText = UNSET
    shares: Annotated[list[ReceiptShare], Meta(max_length=10)] | UnsetType = UNSET
    receipt_key: MaybeText = UNSET


class ReceiptAct(Body):
    """What to do with a receipt, with what that needs."""

    action: Text
    to: MaybeText = UNSET
    symbol: MaybeText = UNSET
    price: MaybeText = UNSET
    at_ts: Millis | UnsetType = UNSET
    nodes: Nodes | UnsetType = UNSET


class ReadingNew(Body):
    """What a node did in an hour, signed by its issuer."""

    node: Node
    hour_ts: Millis
    counter: Whole
    uptime_s: Milli
    load_factor_bps: Milli
    gpu_hours_milli: Milli
    kwh_milli: Milli
    signature: Annotated[str, Meta(pattern="^[0-9a-f]{128}$")]


class TelemetryNew(Body):
    """Readings of own nodes."""

    readings: Annotated[list[ReadingNew], Meta(min_length=1, max_length=READINGS_MAX)]


class IssuerNew(Body):
    """An account that may issue receipts: its key, its audit, what 48 hours of tests found."""

    account_id: Text
    public_key: Text
    audit: Long
    acceptance: Long
    acceptance_hours: Annotated[int, Meta(ge=48, le=8_784)]


class IssuerEnd(Body):
    """Why an issuer may issue no more."""

    reason: Long


class ClaimPay(Body):
    """Why the default fund pays a claim."""

    reason: Reference


class CurtailmentNew(Body):
    """An order of the grid operator."""

    hub: Text
    start_ts: Millis
    end_ts: Millis
    reference: Reference
