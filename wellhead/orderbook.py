"""A copy of one order book that knows when it is wrong, and how it becomes right again.

The feed is a snapshot, then deltas. A delta carries `seq` and the `prev_seq` it
follows; sizes are absolute and "0" deletes a level. Messages may be lost, doubled
or out of order: the book is then `stale` until the missing piece or a new snapshot
has come, and never shows levels it cannot vouch for as fresh.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

CHECKSUM_LEVELS = 10
PENDING_MAX = 2_048  # deltas kept while a snapshot is under way


class Level(NamedTuple):
    """One price and what rests there."""

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class BookMessage:
    """One message of a book channel, decoded; `prev_seq` is None for a snapshot."""

    seq: int
    prev_seq: int | None
    bids: Sequence[tuple[str, str]]
    asks: Sequence[tuple[str, str]]
    checksum: int | None = None
    state: str = ""  # of the contract
    phase: str | None = None  # of its call auction


class _Side:
    """Levels of one side, sorted when somebody looks."""

    def __init__(self, descending: bool) -> None:
        self._descending = descending
        self._sizes: dict[Decimal, Decimal] = {}
        self._sorted: list[Level] | None = None

    def clear(self) -> None:
        """Forget every level."""
        self._sizes.clear()
        self._sorted = None

    def update(self, changes: Iterable[tuple[str, str]]) -> None:
        """Set the quantities of prices, both decimal texts; zero takes a level out."""
        for price_text, quantity_text in changes:
            price, quantity = Decimal(price_text), Decimal(quantity_text)
            if quantity:
                self._sizes[price] = quantity
            else:
                self._sizes.pop(price, None)
            self._sorted = None

    def levels(self) -> list[Level]:
        """Return the levels, best first."""
        if self._sorted is None:
            rows = sorted(self._sizes.items(), reverse=self._descending)
            self._sorted = [Level(price, quantity) for price, quantity in rows]
        return self._sorted


class OrderBook:
    """The book of one symbol at one `seq`.

    Feed it with `apply`; when that returns False the book is stale and the caller
    asks for a resync. `stale` is also True before the first snapshot.
    """

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.seq = 0
        self.state = ""  # the contract's: continuous, auction, halt, ...
        self.phase: str | None = None  # of its call auction
        self.stale = True
        self.gaps = 0  # how often it went from fresh to stale
        self._based = False  # the levels were right at `seq`
        self._bids = _Side(descending=True)
        self._asks = _Side(descending=False)
        self._pending: dict[int, BookMessage] = {}  # deltas that do not follow yet, by seq

    def __repr__(self) -> str:
        state = "stale" if self.stale else f"seq={self.seq}"
        return f"OrderBook({self.symbol}, {self.best_bid} / {self.best_ask}, {state})"

    @property
    def bids(self) -> list[Level]:
        """Buy levels, highest price first."""
        return list(self._bids.levels())

    @property
    def asks(self) -> list[Level]:
        """Sell levels, lowest price first."""
        return list(self._asks.levels())

    @property
    def best_bid(self) -> Level | None:
        """The highest buy level, None when nobody bids."""
        return next(iter(self._bids.levels()), None)

    @property
    def best_ask(self) -> Level | None:
        """The lowest sell level, None when nobody offers."""
        return next(iter(self._asks.levels()), None)

    @property
    def mid(self) -> Decimal | None:
        """Halfway between the best prices, None unless both are there."""
        bid, ask = self.best_bid, self.best_ask
        return (bid.price + ask.price) / 2 if bid and ask else None

    def apply(self, message: BookMessage) -> bool:
        """Take one message; return whether the book is fresh afterwards."""
        if message.prev_seq is None:
            self._load(message)
        elif not self._based or message.seq > self.seq:
            self._pending[message.seq] = message
        self._drain()
        return not self.stale

    def mark_stale(self) -> None:
        """Say that messages may be missing: only a snapshot makes the book fresh again."""
        self._based = False
        self._pending.clear()
        self._drain()

    def checksum(self) -> int:
        """Return the CRC32 of the ten best levels of each side."""
        return checksum(self._bids.levels(), self._asks.levels())

    def _load(self, snapshot: BookMessage) -> None:
        if self._based and snapshot.seq < self.seq:
            return  # an old answer that was overtaken
        self._bids.clear()
        self._asks.clear()
        self._based = True
        self._change(snapshot)

    def _change(self, message: BookMessage) -> None:
        self._bids.update(message.bids)
        self._asks.update(message.asks)
        self.seq = message.seq
        self.state, self.phase = message.state or self.state, message.phase
        if message.checksum is not None and message.checksum != self.checksum():
            self._based = False

    def _drain(self) -> None:
        """Apply what follows; the book is fresh when a true base has nothing left over.

        A delta may begin before a snapshot and end after it: sizes are absolute, so
        taking all of it is right.
        """
        for seq in sorted(self._pending):
            delta = self._pending[seq]
            assert delta.prev_seq is not None
            if not self._based or (seq > self.seq and delta.prev_seq > self.seq):
                break
            del self._pending[seq]
            if seq > self.seq:
                self._change(delta)
        if len(self._pending) > PENDING_MAX:
            self._pending.clear()
            self._based = False
        fresh = self._based and not self._pending
        self.gaps += not fresh and not self.stale
        self.stale = not fresh


def checksum(bids: Sequence[Level], asks: Sequence[Level]) -> int:
    """Return the CRC32 of the ten best levels: price:size of bid, ask, bid, ask, best first."""
    parts: list[str] = []
    for rank in range(CHECKSUM_LEVELS):
        for side in (bids, asks):
            if rank < len(side):
                parts.append(f"{side[rank].price}:{side[rank].quantity}")
    return zlib.crc32(":".join(parts).encode())
