"""What the exchange answers, as shapes: OpenAPI is made of them, tests hold answers to them."""

from typing import Final

from msgspec import Struct

from api.shapes_auction import Auction


class Answer(Struct, forbid_unknown_fields=True, kw_only=True):
    """The root of all answers: `seq` is the number of the command it is true at."""

    seq: int
    ts: int
    ts_ns: str


class Part(Struct, forbid_unknown_fields=True, kw_only=True):
    """The root of what answers are made of."""


class Problem(Part):
    """A refusal (RFC 9457). `code` is stable; `field` names the field at fault."""

    type: str
    title: str
    status: int
    code: str
    request_id: str
    detail: str | None = None
    field: str | None = None
    retry_after: int | None = None
    order_id: str | None = None


# Market data


class PriceBand(Part):
    """Buys at most `high`, sells at least `low`, blocks between both; bps 0 means no band."""

    bps: int
    low: str
    high: str


class Fees(Part):
    """What trading costs."""

    currency: str
    per: str
    maker: str
    taker: str
    clearing: str


class Instrument(Part):
    """A future: a lot is one GPU in every UTC hour of its period; or a spread or strip of legs."""

    symbol: str
    kind: str
    legs: list[dict[str, str]]
    implied: bool
    sku: str | None
    hub: str | None
    grade: str | None
    tenor: str | None
    delivery_start: int | None
    delivery_end: int | None
    state: str
    auction: Auction | None
    tick_size: str
    lot_size: str
    lot_gpu_hours: str
    tick_value: str
    max_quantity: str
    price_band: PriceBand
    block_min_quantity: str
    block_range: PriceBand
    market_protection_bps: int
    mark_price: str
    settlement_price: str
    index_price: str | None
    index_stale_since: str | None
    open_interest: str
    last_trade: int | None
    fees: Fees


class Ticker(Part):
    """A contract at a glance."""

    symbol: str
    bid_price: str | None
    bid_quantity: str
    ask_price: str | None
    ask_quantity: str
    last_price: str | None
    mark_price: str
    settlement_price: str
    open_24h: str | None
    high_24h: str | None
    low_24h: str | None
    volume_24h: str
    open_interest: str
    tick_value: str
    state: str
    auction: Auction | None


class PublicTrade(Part):
    """A trade as everybody sees it; `side` is the taker's, `block` is block or efp if two agreed
    on it away from the book.
    """

    trade_id: str
    symbol: str
    price: str
    quantity: str
    side: str
    block: str | None
    auction: bool
    implied: bool
    seq: int
    ts: int
    ts_ns: str


class Kline(Part):
    """A candle; `volume` in lots."""

    start: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    trades: int


class StatusAnswer(Answer):
    """What the exchange takes now: normal, cancel_only, halted, recovering."""

    mode: str
    reason: str
    journal_seq: int
    clearing_seq: int
    epoch: int
    contracts: int  # ever listed: each keeps its slot of the core
    contracts_max: int
    trading_halted: bool  # by the operator, in every contract; cancels are taken
    version: str


class ReadyAnswer(StatusAnswer):
    """Whether commands are taken."""

    ready: bool


class LiveAnswer(Answer):
    """The process answers."""

    live: bool


class InstrumentsAnswer(Answer):
    """Contracts in order of their listing."""

    instruments: list[Instrument]
    next_cursor: str | None


class InstrumentAnswer(Answer):
    """One contract."""

    instrument: Instrument


class TickersAnswer(Answer):
    """Tickers."""

    tickers: list[Ticker]


class TradesAnswer(Answer):
    """Public trades, newest first."""

    trades: list[PublicTrade]
    next_cursor: str | None


class KlinesAnswer(Answer):
    """Candles, oldest first."""

    symbol: str
    interval: str
    klines: list[Kline]
    next_cursor: str | None


# Orders


class Order(Part):
    """An order; `status` is untriggered, open, filled or cancelled, `reason` why cancelled."""

    order_id: str
    client_order_id: str | None
    symbol: str
    side: str
    type: str
    tif: str
    stp: str
    post_only: bool
    reduce_only: bool
    display_quantity: str | None
    peg: str | None
    peg_offset: str | None
    trigger_price: str | None
    trigger_by: str | None
    trail_offset: str | None
    trail_bps: int | None
    oco_with: str | None
    bracket_of: str | None
    price: str | None
    quantity: str
    filled_quantity: str
    remaining_quantity: str
    average_price: str | None
    status: str
    reason: str | None
    expires_at: int | None
    created_ts: int | None
    updated_ts: int | None
    seq: int


class Trade(Part):
    """A trade that a command made, seen by who sent it."""

    trade_id: str
    order_id: str
    symbol: str
    side: str
    price: str
    quantity: str
    role: str
    seq: int
    ts: int
    ts_ns: str


class PlacedAnswer(Answer):
    """A new order; `duplicate` when it had been placed before."""

    order: Order
    trades: list[Trade]
    duplicate: bool


class AmendedAnswer(Answer):
    """An amended order, and the trades that made."""

    order: Order
    trades: list[Trade]


class OrderAnswer(Answer):
    """An order."""

    order: Order


class OrdersAnswer(Answer):
    """Orders."""

    orders: list[Order]
    next_cursor: str | None


class CancelledAllAnswer(Answer):
    """What a mass cancellation removed."""

    cancelled_count: int
    order_ids: list[str]


# What an operator changes of a contract: each is answered with the contract.
OF_CONTRACTS: Final[dict[str, type[Answer]]] = dict.fromkeys(
    (
        "begin_auction", "end_auction", "set_guards", "set_index", "set_implied",
        "set_last_trade", "close_out",
    ),
    InstrumentAnswer,
)  # fmt: skip
