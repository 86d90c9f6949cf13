"""What the exchange answers, typed. Decimals are `Decimal`; unknown fields are ignored.

Times are milliseconds since 1970 unless the name says otherwise; `seq` is the number
of the command an answer is true at.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Generic, TypeVar

from msgspec import Struct

from wellhead.auction_types import Auction as Auction
from wellhead.auction_types import AuctionResult as AuctionResult
from wellhead.auction_types import AuctionState as AuctionState
from wellhead.key_types import ApiKey as ApiKey
from wellhead.money_types import Transfer as Transfer
from wellhead.order_types import Fill as Fill
from wellhead.order_types import Order as Order

T = TypeVar("T")


class Page(list[T], Generic[T]):
    """One page of a list, with the `cursor` of the next one (None on the last)."""

    def __init__(self, items: Iterable[T], *, seq: int = 0, next_cursor: str | None = None) -> None:
        super().__init__(items)
        self.seq = seq
        self.next_cursor = next_cursor


class Answer(Struct, frozen=True, kw_only=True):
    """The root of all answers."""


class ServerTime(Answer, frozen=True, kw_only=True):
    """The clock of the exchange."""

    ts: int
    ts_ns: int | str = 0
    seq: int = 0


class Status(Answer, frozen=True, kw_only=True):
    """What the exchange takes now: normal, cancel_only, halted or recovering."""

    mode: str
    reason: str = ""
    seq: int = 0
    journal_seq: int = 0
    clearing_seq: int = 0
    contracts: int = 0
    contracts_max: int = 0
    version: str = ""


class PriceBand(Answer, frozen=True, kw_only=True):
    """Where limit prices must lie: buys at most `high`, sells at least `low`."""

    bps: int
    low: Decimal
    high: Decimal


class Fees(Answer, frozen=True, kw_only=True):
    """What trading costs, in USD per GPU-hour."""

    maker: Decimal
    taker: Decimal
    clearing: Decimal


class Instrument(Answer, frozen=True, kw_only=True):
    """One contract: one lot is one GPU for every UTC hour of its delivery period."""

    symbol: str
    state: str
    tick_size: Decimal
    lot_size: Decimal
    lot_gpu_hours: Decimal
    tick_value: Decimal  # USD per tick and lot
    mark_price: Decimal | None = None
    settlement_price: Decimal | None = None
    index_price: Decimal | None = None
    index_stale_since: str | None = None  # the first day that the index had no quorum
    open_interest: Decimal | None = None
    sku: str | None = None
    hub: str | None = None
    grade: str | None = None
    tenor: str | None = None
    delivery_start: int | None = None
    delivery_end: int | None = None
    last_trade: int | None = None
    kind: str = "future"  # or spread, strip: one lot is one lot of each leg
    legs: tuple[dict[str, str], ...] = ()  # symbol, and side when the combination is bought
    implied: bool = False  # of a combination: its orders trade with those of its legs
    max_quantity: Decimal | None = None
    price_band: PriceBand | None = None
    auction: Auction | None = None
    market_protection_bps: int = 0
    block_min_quantity: Decimal | None = None  # 0: no blocks
    block_range: PriceBand | None = None
    fees: Fees | None = None


class Ticker(Answer, frozen=True, kw_only=True):
    """A contract at a glance."""

    symbol: str
    mark_price: Decimal | None = None
    last_price: Decimal | None = None
    bid_price: Decimal | None = None
    bid_quantity: Decimal | None = None
    ask_price: Decimal | None = None
    ask_quantity: Decimal | None = None
    settlement_price: Decimal | None = None
    open_interest: Decimal | None = None
    open_24h: Decimal | None = None
    high_24h: Decimal | None = None
    low_24h: Decimal | None = None
    volume_24h: Decimal | None = None
    state: str = ""
    auction: Auction | None = None


class ImpliedLevels(Answer, frozen=True, kw_only=True):
    """Prices that orders of a combination and of its legs make together, best first."""

    symbol: str = ""
    bids: list[tuple[Decimal, Decimal]] = []
    asks: list[tuple[Decimal, Decimal]] = []


class BookSnapshot(Answer, frozen=True, kw_only=True):
    """The levels of one order book, best first."""

    symbol: str
    bids: list[tuple[Decimal, Decimal]]
    asks: list[tuple[Decimal, Decimal]]
    seq: int = 0
    checksum: int | None = None
    state: str = ""
    phase: str | None = None  # of a call auction
    implied: ImpliedLevels = ImpliedLevels()


class PublicTrade(Answer, frozen=True, kw_only=True):
    """A trade as everybody sees it; `side` is the taker's."""

    trade_id: str
    symbol: str
    side: str
    price: Decimal
    quantity: Decimal
    seq: int
    block: str | None = None  # block or efp
    implied: bool = False  # between an order of a combination and one of each leg
    ts: int = 0


class Candle(Answer, frozen=True, kw_only=True):
    """One bar."""

    start: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades: int = 0


class Placed(Answer, frozen=True, kw_only=True):
    """What became of a new or amended order; `duplicate` if it had been placed before."""

    order: Order
    trades: list[Fill] = []
    duplicate: bool = False
    seq: int = 0


class Cancelled(Answer, frozen=True, kw_only=True):
    """What a cancel-all removed."""

    cancelled_count: int
    order_ids: list[str] = []
    seq: int = 0


class Position(Answer, frozen=True, kw_only=True):
    """Signed lots held, and what they earned."""

    symbol: str
    quantity: Decimal
    side: str = ""
    average_entry_price: Decimal | None = None
    mark_price: Decimal | None = None
    value: Decimal | None = None
    unrealised_pnl: Decimal | None = None
    realised_pnl: Decimal | None = None
    unsettled_pnl: Decimal | None = None
    open_buy_quantity: Decimal | None = None
    open_sell_quantity: Decimal | None = None


class Balance(Answer, frozen=True, kw_only=True):
    """Money of one asset: what is there, what is required, what is free."""

    asset: str
    cash: Decimal
    unsettled_pnl: Decimal | None = None
    collateral: Decimal | None = None
    equity: Decimal | None = None
    initial_margin: Decimal | None = None
    price_loss: Decimal | None = None
    free: Decimal | None = None


class LedgerEntry(Answer, frozen=True, kw_only=True):
    """One posting of the ledger: what moved, why, and the balance after it."""

    seq: int
    amount: Decimal
    entry_id: str | None = None
    account: str | None = None
    reason: str | None = None
    symbol: str | None = None
    balance: Decimal | None = None
    ts: int = 0


class Account(Answer, frozen=True, kw_only=True):
    """An account; kind `simulated` marks the demo market's own."""

    account_id: str
    name: str = ""
    kind: str = ""
    state: str = ""
    member: str | None = None  # whose client it is
    cash: Decimal | None = None
    created_ts: int | None = None
