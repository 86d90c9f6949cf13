"""Give-ups, as the exchange says them."""

from decimal import Decimal

from wellhead.types import Answer


class GiveUp(Answer, frozen=True, kw_only=True):
    """Lots of a fill, offered to another account; `side` is of the giver's fill.

    States: offered, accepted, done, refused, declined, withdrawn, expired.
    """

    giveup_id: str
    role: str
    from_account_id: str
    to_account_id: str
    trade_id: str
    symbol: str
    side: str
    price: Decimal
    quantity: Decimal
    status: str
    code: str | None = None
    move_seq: int | None = None
    expires_ts: int
