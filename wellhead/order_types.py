"""What the exchange answers about orders and their trades."""

from decimal import Decimal

from msgspec import Struct


class Order(Struct, frozen=True, kw_only=True):
    """An order; `status` is untriggered, open, filled or cancelled."""

    order_id: str
    symbol: str
    side: str
    quantity: Decimal
    status: str
    filled_quantity: Decimal
    remaining_quantity: Decimal
    price: Decimal | None = None
    average_price: Decimal | None = None
    client_order_id: str | None = None
    type: str = "limit"
    tif: str = "GTC"
    stp: str | None = None
    post_only: bool = False
    reduce_only: bool = False
    display_quantity: Decimal | None = None
    peg: str | None = None
    peg_offset: Decimal | None = None
    trigger_price: Decimal | None = None
    trigger_by: str | None = None
    trail_offset: Decimal | None = None
    trail_bps: int | None = None
    oco_with: str | None = None
    bracket_of: str | None = None
    reason: str | None = None
    expires_at: int | None = None
    created_ts: int | None = None
    updated_ts: int | None = None
    seq: int = 0


class Fill(Struct, frozen=True, kw_only=True):
    """A trade from the side of its owner; `role` is taker or maker."""

    trade_id: str
    order_id: str
    symbol: str
    side: str
    price: Decimal
    quantity: Decimal
    role: str
    seq: int
    client_order_id: str | None = None
    fee: Decimal | None = None
    block: str | None = None  # block or efp
    ts: int = 0
