"""Bodies of give-ups."""

from msgspec import UNSET, UnsetType

from api.schemas import Body, MaybeText, Millis, Text


class GiveUpNew(Body):
    """A fill of the account, whole or in part, for another account.

    `giveup_id` makes a repetition the same; without `quantity` it is all that is left of the fill.
    """

    trade_id: Text
    to: Text
    quantity: MaybeText = UNSET
    side: MaybeText = UNSET
    giveup_id: MaybeText = UNSET
    expires_ms: Millis | UnsetType = UNSET
