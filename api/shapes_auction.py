"""What an answer says about a call auction."""

from msgspec import Struct


class Auction(Struct, forbid_unknown_fields=True, kw_only=True):
    """A call that is running, with its earliest and latest end; None when an operator ends it."""

    phase: str
    indicative_price: str | None
    indicative_quantity: str
    imbalance: str
    imbalance_side: str | None
    ends_after: int | None
    ends_before: int | None
