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
