"""What the exchange answers about call auctions."""

from decimal import Decimal

from msgspec import Struct


class Auction(Struct, frozen=True, kw_only=True):
    """A call that is running: all that crosses trades at one price when it ends."""

    phase: str  # opening, closing, volatility, manual
    indicative_price: Decimal | None = None
    indicative_quantity: Decimal | None = None
    imbalance: Decimal | None = None
    imbalance_side: str | None = None
    ends_after: int | None = None
    ends_before: int | None = None


class AuctionResult(Struct, frozen=True, kw_only=True):
    """What a call ended with: `price` is None when nothing traded."""

    phase: str
    price: Decimal | None = None
    quantity: Decimal | None = None
    imbalance: Decimal | None = None
    imbalance_side: str | None = None
    ended_at: int | None = None


class AuctionState(Struct, frozen=True, kw_only=True):
    """A contract's state, its running auction, and the last one since the gateway's start."""

    symbol: str
    state: str
    auction: Auction | None = None
    last_auction: AuctionResult | None = None
