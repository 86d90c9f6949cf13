"""Bodies of the auctions of defaults."""

from typing import Annotated

from msgspec import UNSET, Meta

from api.schemas import Body, MaybeText, Text


class DefaultBidNew(Body):
    """A sealed bid for a lot: how far from the marks, USD per GPU-hour, and how much of it.

    Without `share` it is for the whole lot; a share of "0" passes. `bid_id` makes a repetition
    the same.
    """

    lot: Annotated[int, Meta(ge=1, le=1 << 16)]
    premium: MaybeText = UNSET
    share: MaybeText = UNSET
    bid_id: MaybeText = UNSET


class Admission(Body):
    """Whether an account may bid in auctions of defaults."""

    admitted: bool
    account_id: Text
