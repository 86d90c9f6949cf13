"""What may be said to the exchange: strict shapes of bodies and websocket messages.

Unknown fields are refused, nothing is converted, and every number of the market
is a decimal string. The text of a field is judged by `api/codec.py`; here is
only which fields there are. The answers' shapes are in `api/answers.py`.
"""

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from api.schemas_protect import CancelAfter, Group, Protecting, QuoteMass

Text = Annotated[str, Meta(max_length=128)]
RequestId = Annotated[int, Meta(ge=0, le=1 << 53)] | Annotated[str, Meta(pattern="^[ -~]{0,64}$")]
Millis = Annotated[int, Meta(ge=0, le=1 << 43)]  # in nanoseconds it fits into an int64
TrailBps = Annotated[int, Meta(ge=1, le=9_999)]
MaybeText = Text | UnsetType
MaybeBool = bool | UnsetType
MaybeId = RequestId | UnsetType

BATCH_MAX: Final = 50  # orders of one batch
CHANNELS_MAX: Final = 100  # of one subscribe message


class Body(Struct, forbid_unknown_fields=True, kw_only=True):
    """The root of all shapes: an absent field is UNSET, an unknown one is refused."""


class OrderNew(Body):
    """A new order."""

    symbol: Text
    side: Text
    quantity: Text
    price: MaybeText = UNSET
    type: MaybeText = UNSET
    tif: MaybeText = UNSET
    stp: MaybeText = UNSET
    client_order_id: MaybeText = UNSET
    expires_at: Millis | UnsetType = UNSET
    post_only: MaybeBool = UNSET
    reduce_only: MaybeBool = UNSET
    display_quantity: MaybeText = UNSET
    min_quantity: MaybeText = UNSET
    peg: MaybeText = UNSET
    peg_offset: MaybeText = UNSET
    trigger_price: MaybeText = UNSET
    trigger_by: MaybeText = UNSET
    trail_offset: MaybeText = UNSET
    trail_bps: TrailBps | UnsetType = UNSET
    oco_with: MaybeText = UNSET
    take_profit: MaybeText = UNSET
    stop_loss: MaybeText = UNSET


class OrderAmend(Body):
    """What to change of an order whose id is in the path."""

    price: MaybeText = UNSET
    quantity: MaybeText = UNSET
    open_quantity: MaybeText = UNSET
    display_quantity: MaybeText = UNSET
    tif: MaybeText = UNSET
    expires_at: Millis | UnsetType = UNSET
    post_only: MaybeBool = UNSET
    reduce_only: MaybeBool = UNSET
    peg_offset: MaybeText = UNSET
    trigger_price: MaybeText = UNSET
    trail_offset: MaybeText = UNSET
    trail_bps: TrailBps | UnsetType = UNSET


class BatchNew(OrderNew, tag="new", tag_field="op"):
    """A new order within a batch."""


class BatchAmend(OrderAmend, tag="amend", tag_field="op"):
    """An amendment within a batch, by either id."""

    order_id: MaybeText = UNSET
    client_order_id: MaybeText = UNSET


class BatchCancel(Body, tag="cancel", tag_field="op"):
    """A cancellation within a batch, by either id."""

    order_id: MaybeText = UNSET
    client_order_id: MaybeText = UNSET


BatchItem = BatchNew | BatchAmend | BatchCancel


class OrderBatch(Body):
    """Several requests, judged one after the other; each has its own answer."""

    requests: Annotated[list[BatchItem], Meta(min_length=1, max_length=BATCH_MAX)]


# Admin


class AccountNew(Body):
    """A new account; without `account_id` the exchange gives one."""

    name: Text
    account_id: MaybeText = UNSET
    kind: MaybeText = UNSET
    member: MaybeText = UNSET  # whose client it is


class AccountChange(Body):
    """A new state of an account: active, reduce_only or frozen."""

    state: Text


class TransferNew(Body):
    """Money in or out; the same `transfer_id` again is answered without moving money."""

    amount: Text
    transfer_id: MaybeText = UNSET


class KeyNew(Body):
    """A new API key; with a `public_key` (Ed25519, base64) there is no secret."""

    scopes: Annotated[list[Text], Meta(min_length=1, max_length=8)] | UnsetType = UNSET
    label: MaybeText = UNSET
    ip_allow: Annotated[list[Text], Meta(max_length=32)] | UnsetType = UNSET
    expires_at: Millis | UnsetType = UNSET
    public_key: MaybeText = UNSET


class ContractChange(Body):
    """A new trading state, price band or protection of market orders of a contract."""

    state: MaybeText = UNSET
    band_bps: Annotated[int, Meta(ge=0, le=10_000)] | UnsetType = UNSET
    protection_bps: Annotated[int, Meta(ge=0, le=10_000)] | UnsetType = UNSET


class IndexNew(Body):
    """A new index price of a contract."""

    price: Text


class AuctionNew(Body):
    """A call auction to begin now: without `ends_after_ms` an operator ends it."""

    phase: MaybeText = UNSET
    ends_after_ms: Annotated[int, Meta(ge=1, le=86_400_000)] | UnsetType = UNSET
    window_ms: Annotated[int, Meta(ge=0, le=600_000)] | UnsetType = UNSET


class GuardsNew(Body):
    """How far a price may move before an auction begins; what is left out is no guard."""

    velocity_bps: Annotated[int, Meta(ge=0, le=10_000)] | UnsetType = UNSET
    velocity_ms: Annotated[int, Meta(ge=0, le=86_400_000)] | UnsetType = UNSET
    daily_bps: Annotated[int, Meta(ge=0, le=10_000)] | UnsetType = UNSET
    daily_next_bps: Annotated[int, Meta(ge=0, le=10_000)] | UnsetType = UNSET
    auction_ms: Annotated[int, Meta(ge=0, le=86_400_000)] | UnsetType = UNSET
    window_ms: Annotated[int, Meta(ge=0, le=600_000)] | UnsetType = UNSET


class ImpliedSet(Body):
    """Whether a combination's orders trade with those of its legs."""

    implied: bool


class LastTradeSet(Body):
    """When trading of a contract ends, in ms; 0: not by itself."""

    last_trade: Millis


# Websocket messages: `op` says which


class WsAuth(Body, tag="auth", tag_field="op"):
    """Log the connection in; the signature is that of `GET /api/v1/ws` without a body."""

    key: Text
    timestamp: Millis
    signature: Text
    id: MaybeId = UNSET
    recv_window: Annotated[int, Meta(ge=1, le=60_000)] | UnsetType = UNSET
    cancel_on_disconnect: MaybeBool = UNSET


class WsSubscribe(Body, tag="subscribe", tag_field="op"):
    """Subscribe to channels."""

    channels: Annotated[list[Text], Meta(min_length=1, max_length=CHANNELS_MAX)]
    id: MaybeId = UNSET


class WsUnsubscribe(Body, tag="unsubscribe", tag_field="op"):
    """Unsubscribe from channels."""

    channels: Annotated[list[Text], Meta(min_length=1, max_length=CHANNELS_MAX)]
    id: MaybeId = UNSET


class WsResync(Body, tag="resync", tag_field="op"):
    """Ask for a fresh snapshot of a subscribed channel."""

    channel: Text
    id: MaybeId = UNSET


class WsPing(Body, tag="ping", tag_field="op"):
    """Ask for a sign of life."""

    id: MaybeId = UNSET


class WsOrderNew(OrderNew, tag="order.new", tag_field="op"):
    """A new order."""

    id: MaybeId = UNSET


class WsOrderAmend(OrderAmend, tag="order.amend", tag_field="op"):
    """Change an order, by either id."""

    id: MaybeId = UNSET
    order_id: MaybeText = UNSET
    client_order_id: MaybeText = UNSET


class WsOrderCancel(Body, tag="order.cancel", tag_field="op"):
    """Cancel an order, by either id."""

    id: MaybeId = UNSET
    order_id: MaybeText = UNSET
    client_order_id: MaybeText = UNSET


class WsCancelAll(Body, tag="order.cancel_all", tag_field="op"):
    """Cancel all orders, of one symbol or one side where given."""

    id: MaybeId = UNSET
    symbol: MaybeText = UNSET
    side: MaybeText = UNSET


class WsBatch(Body, tag="order.batch", tag_field="op"):
    """Several order requests in one message."""

    requests: Annotated[list[BatchItem], Meta(min_length=1, max_length=BATCH_MAX)]
    id: MaybeId = UNSET


class WsQuoteMass(QuoteMass, tag="quote.mass", tag_field="op"):
    """Quotes of up to 64 contracts."""

    id: MaybeId = UNSET


class WsCancelAfter(CancelAfter, tag="cancel_all_after", tag_field="op"):
    """A timer that cancels everything unless it is put off."""

    id: MaybeId = UNSET


class WsMmpReset(Protecting, tag="mmp.reset", tag_field="op"):
    """Let a quote group quote again after its protection was hit."""

    group: Group = 0
    id: MaybeId = UNSET


WsMessage = (
    WsOrderNew
    | WsOrderCancel
    | WsOrderAmend
    | WsCancelAll
    | WsBatch
    | WsAuth
    | WsSubscribe
    | WsUnsubscribe
    | WsResync
    | WsPing
    | WsQuoteMass
    | WsCancelAfter
    | WsMmpReset
)
