"""Bodies about the default fund."""

from msgspec import UNSET

from api.schemas import Body, MaybeText, Text


class FundMove(Body):
    """Cash of a member into its share or back; the same `transfer_id` again moves nothing."""

    account_id: Text
    amount: Text
    transfer_id: MaybeText = UNSET
