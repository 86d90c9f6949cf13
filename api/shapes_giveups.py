"""What answers say of give-ups."""

from typing import Final

from api.shapes import Answer, Part


class GiveUp(Part):
    """Lots of a fill, offered to another account at the price of the trade."""

    giveup_id: str
    role: str
    from_account_id: str
    to_account_id: str
    trade_id: str
    symbol: str
    side: str
    price: str
    quantity: str
    status: str
    code: str | None
    move_seq: int | None
    created_ts: int
    expires_ts: int
    updated_ts: int


class Said(Part):
    """Who said what when; `by` is a key, or the exchange."""

    status: str
    by: str
    ts: int


class GiveUpAnswer(Answer):
    """One give-up with its trail."""

    giveup: GiveUp
    trail: list[Said]


class GiveUpsAnswer(Answer):
    """Give-ups, newest first."""

    giveups: list[GiveUp]
    next_cursor: str | None


ANSWERS: Final[dict[str, type[Answer]]] = {
    "offer_giveup": GiveUpAnswer,
    "list_giveups": GiveUpsAnswer,
    "get_giveup": GiveUpAnswer,
    "accept_giveup": GiveUpAnswer,
    "decline_giveup": GiveUpAnswer,
    "withdraw_giveup": GiveUpAnswer,
}
