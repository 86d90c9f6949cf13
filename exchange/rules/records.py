"""What a mirror of the core is made of: orders, positions, accounts, contracts, books.

These are live objects: a mirror changes them in place while it applies batches.
Whoever keeps one over a batch boundary copies it.
"""

from collections import deque
from typing import NamedTuple

from exchange.rules import legs
from exchange.rules.book_side import BookSide
from exchange.rules.call_records import Call
from exchange.rules.delivery_record import Delivery
from exchange.rules.holdings import Collateral
from exchange.rules.protections import Protections
from exchange.rules.stops import Stop
from matching.codes import Side
from matching.wire import unpack_text

TRADES_KEPT = 1000  # per contract
BLOCK, EFP = 1, 2  # of a trade that two agreed on; 0 for one of the book
MOVED = 3  # by the clearing house, from one account to another
NOBODY = -1  # where an implied trade of a combination has no other side: its legs have
CASCADED = 4  # by a cascade, of the parent or of a child
EXCHANGED = 5  # for delivery: the other account gave a receipt for it
BLOCK_NAMES = (None, "block", "efp", "moved", "cascade", "efd")

ClientKey = tuple[int, int, int, int, int]  # account_idx and the four words of the id


class Trade(NamedTuple):
    """One fill, seen from both sides. (seq, leg) is its identity for ever."""

    seq: int
    leg: int  # 0 for the first trade of the command
    ts_ns: int
    contract_idx: int
    price_ticks: int
    qty_lots: int
    side: int  # of the taker
    account_idx: int  # of the taker
    order_id: int  # of the taker
    maker_account_idx: int
    maker_order_id: int
    maker_leaves_lots: int
    block: int = 0  # BLOCK or EFP: both order ids are then the deal's
    in_auction: bool = False  # at the price of a call: nobody took, the buyer is named first
    is_implied: bool = False  # between an order of a combination and one of each leg

    @property
    def trade_id(self) -> str:
        """Return the public id of the trade."""
        return f"{self.seq}-{self.leg}"


class Order:
    """One accepted order; `leaves_lots` is what rests now."""

    __slots__ = (
        "account_idx",
        "cancelled_lots",
        "client_words",
        "code",
        "contract_idx",
        "created_ns",
        "display_lots",
        "expires_ns",
        "filled_lots",
        "filled_tick_lots",
        "fills_known",
        "flags",
        "leaves_lots",
        "link_id",
        "offset_ticks",
        "order_id",
        "order_type",
        "parent_id",
        "peg",
        "price_ticks",
        "qty_lots",
        "shown_lots",
        "side",
        "stop",
        "stp",
        "tif",
        "updated_ns",
        "updated_seq",
    )

    order_id: int
    account_idx: int
    contract_idx: int
    side: int
    order_type: int
    tif: int
    stp: int
    flags: int
    price_ticks: int  # of a market order: the limit that band and protection gave it
    qty_lots: int  # as placed, or the total of the last amendment
    filled_lots: int
    filled_tick_lots: int  # sum of price x lots of its fills: exact average price
    fills_known: bool  # False: some fills are older than what the mirror started from
    leaves_lots: int
    cancelled_lots: int
    display_lots: int  # an iceberg shows at most so many at a time, 0: no iceberg
    shown_lots: int  # of an iceberg: what it shows now
    peg: int  # what it follows, 0 for an order with a price of its own
    offset_ticks: int  # from what it follows
    expires_ns: int
    client_words: tuple[int, int, int, int]
    created_ns: int  # 0 when the order is older than what the mirror started from
    updated_ns: int
    updated_seq: int
    code: int  # why it ended, 0 while open or when filled
    link_id: int  # the order that ends with it, also once that is gone; 0 for none
    parent_id: int  # of an order of a bracket: whose fills it closes
    stop: Stop | None  # of an order that waits for a price, or has waited

    @property
    def client_order_id(self) -> str:
        """Return the client's own id, verbatim; "" for none."""
        return unpack_text(*self.client_words) if any(self.client_words) else ""

    @property
    def visible_lots(self) -> int:
        """Return what the public book shows of the order."""
        return self.shown_lots if self.display_lots else self.leaves_lots

    @property
    def status(self) -> str:
        """Return "untriggered", "open", "filled" or "cancelled"."""
        if self.stop is not None and self.stop.waits:
            return "untriggered"
        if self.leaves_lots:
            return "open"
        return "cancelled" if self.code else "filled"


class Position:
    """One account's lots in one contract."""

    __slots__ = (
        "account_idx",
        "buy_lots",
        "contract_idx",
        "cover_lots",
        "entry_usd_micros",
        "qty_lots",
        "realised_usd_micros",
        "sell_lots",
        "unsettled_usd_micros",
    )

    def __init__(self, account_idx: int, contract_idx: int) -> None:
        self.account_idx = account_idx
        self.contract_idx = contract_idx
        self.qty_lots = 0  # signed; short is negative
        self.cover_lots = 0  # what pledged capacity covers, if it is short
        self.buy_lots = 0  # resting
        self.sell_lots = 0
        self.unsettled_usd_micros = 0
        self.entry_usd_micros = 0  # see rules/entry.py
        self.realised_usd_micros = 0


class Account:
    """One account: its money, its open orders and its positions by contract."""

    __slots__ = (
        "account_idx",
        "cash_usd_micros",
        "collateral",
        "fee_rates",
        "last_ref_id",
        "level_bps",
        "orders",
        "positions",
        "profile",
        "protections",
        "state",
        "stops",
        "unsettled_usd_micros",
    )

    def __init__(self, account_idx: int) -> None:
        self.account_idx = account_idx
        self.state = 0
        self.cash_usd_micros = 0
        self.unsettled_usd_micros = 0
        self.last_ref_id = 0
        self.fee_rates = 0  # as FEES_SET says them: see fees.py
        self.level_bps = 10_000  # of the member's requirement
        self.profile = 0  # Profile: whether its business loses with its positions
        self.protections = Protections()
        self.collateral = Collateral()
        self.orders: dict[int, Order] = {}  # that rest
        self.stops: dict[int, Order] = {}  # that wait for a price
        self.positions: dict[int, Position] = {}


class Contract:
    """One listed contract, its book and its recent trades."""

    __slots__ = (
        "band_bps",
        "band_high_ticks",
        "band_low_ticks",
        "base_ticks",
        "block_min_lots",
        "block_range_bps",
        "books",
        "call",
        "combinations",
        "contract_idx",
        "day_high_ticks",
        "day_low_ticks",
        "delivery",
        "ended",
        "fine_usd_micros",
        "implied",
        "index_ticks",
        "last_trade_ns",
        "last_trade_ticks",
        "legs",
        "mark_ticks",
        "open_interest_lots",
        "positions",
        "protection_bps",
        "qty_max_lots",
        "settle_ticks",
        "state",
        "symbol",
        "tick_value_usd_micros",
        "timed",
        "trades",
    )

    def __init__(self, contract_idx: int, symbol: str) -> None:
        self.contract_idx = contract_idx
        self.symbol = symbol
        self.legs: tuple[tuple[Contract, int], ...] = ()  # of a combination, with ratios
        self.combinations: list[Contract] = []  # of which it is a leg
        self.implied = False  # of a combination: its orders trade with those of its legs
        self.base_ticks = 0  # the price of a spread's book that stands for no difference
        self.tick_value_usd_micros = 0
        self.fine_usd_micros = 0  # in delivery: what a lot is worth beyond its mark
        self.delivery = Delivery()
        self.mark_ticks = 0
        self.settle_ticks = 0
        self.band_bps = 0
        self.protection_bps = 0  # of market orders, from the best opposite price; 0: none
        self.band_low_ticks = 0
        self.band_high_ticks = 0
        self.last_trade_ticks = 0
        self.index_ticks = 0  # 0 before the first
        self.last_trade_ns = 0  # end of trading, 0 for never
        self.timed = False  # the core ends it there by itself
        self.ended = False  # it has
        self.open_interest_lots = 0
        self.qty_max_lots = 0
        self.block_min_lots = 0  # 0: no blocks
        self.block_range_bps = 0
        self.day_low_ticks = 0  # of the book's trades since the last settlement, 0 for none
        self.day_high_ticks = 0
        self.state = 0
        self.call = Call()
        self.books = (BookSide(Side.BUY), BookSide(Side.SELL))
        self.positions: list[Position] = []
        self.trades: deque[Trade] = deque(maxlen=TRADES_KEPT)

    def set_band(self, price_ticks_max: int) -> None:
        """Set the band anew from the mark and its width in basis points; also the mark by legs."""
        if self.legs:
            marks, base_ticks = self._marks(), self.base_ticks
            self.mark_ticks = legs.mark_ticks(marks, base_ticks, Side.BUY)
            band = legs.band_ticks(marks, base_ticks, self.band_bps, price_ticks_max)
            self.band_low_ticks, self.band_high_ticks = band
        elif self.band_bps == 0:
            self.band_low_ticks, self.band_high_ticks = 1, price_ticks_max - 1
        else:
            width_ticks = self.mark_ticks * self.band_bps // 10_000
            self.band_low_ticks = max(1, self.mark_ticks - width_ticks)
            self.band_high_ticks = min(price_ticks_max - 1, self.mark_ticks + width_ticks)

    def shown(self, price_ticks: int) -> int:
        """Return a price as it is shown: a spread's is a difference and may be negative."""
        return price_ticks - self.base_ticks

    def mark_for(self, side: int) -> int:
        """Return the mark that an order of a side is held against."""
        marks, base = self._marks(), self.base_ticks
        return legs.mark_ticks(marks, base, side) if marks else self.mark_ticks

    def _marks(self) -> list[tuple[int, int]]:
        return [(leg.mark_ticks, ratio) for leg, ratio in self.legs]

    def widen_day(self, price_ticks: int) -> None:
        """Take the price of a trade into the day's range."""
        self.day_high_ticks = max(self.day_high_ticks, price_ticks)
        self.day_low_ticks = min(self.day_low_ticks or price_ticks, price_ticks)

    def block_range(self) -> tuple[int, int]:
        """Return the least and the highest price of a block now."""
        low_ticks, high_ticks = self.day_low_ticks, self.day_high_ticks
        if not low_ticks:
            low_ticks = high_ticks = self.mark_ticks
        return (
            low_ticks - low_ticks * self.block_range_bps // 10_000,
            high_ticks + high_ticks * self.block_range_bps // 10_000,
        )

    @property
    def worth_usd_micros(self) -> int:
        """Return what one lot is held at."""
        return self.tick_value_usd_micros * self.mark_ticks + self.fine_usd_micros
