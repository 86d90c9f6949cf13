"""What the refusals about collateral and charges mean; `errors.py` has all others."""

from typing import Final

from matching.codes import Code

# What the API refuses by itself: code -> status.
OWN: Final[dict[str, int]] = {
    "address_unknown": 422,
    "address_on_hold": 409,
    "withdrawal_not_reserved": 409,
    "approvals_missing": 409,
    "member_only": 409,
    "fund_in_use": 409,
    "fund_needed": 422,
}

STATUS: Final[dict[Code, int]] = {
    Code.COLLATERAL_INVALID: 422,
    Code.COLLATERAL_NEEDED: 422,
    Code.CHARGE_INVALID: 422,
    Code.FEES_INVALID: 422,
    Code.RECEIVER_UNKNOWN: 404,
    Code.RECEIVER_IS_SELF: 422,
    Code.ASSET_UNKNOWN: 404,
    Code.ASSET_MOVE_INVALID: 422,
    Code.ASSET_INSUFFICIENT: 422,
    Code.ASSET_MOVE_GAP: 409,
    Code.ASSET_PRICE_INVALID: 422,
}

FIELD: Final[dict[int, str]] = {
    Code.COLLATERAL_NEEDED: "amount",
    Code.CHARGE_INVALID: "kind",
    Code.FEES_INVALID: "taker",
    Code.RECEIVER_UNKNOWN: "to",
    Code.RECEIVER_IS_SELF: "to",
    Code.ASSET_UNKNOWN: "asset",
    Code.ASSET_INSUFFICIENT: "amount",
    Code.ASSET_PRICE_INVALID: "price",
}

DETAIL: Final[dict[int, str]] = {
    Code.COLLATERAL_NEEDED: "margin needs what this counts for: see /api/v1/collateral",
    Code.CHARGE_INVALID: "a charge is a fee or a rebate of some amount",
    Code.FEES_INVALID: "a maker pays at most what a taker does, in whole micro-dollars",
    Code.RECEIVER_UNKNOWN: "there is no such account to receive it",
    Code.RECEIVER_IS_SELF: "an account cannot send money to itself",
    Code.ASSET_UNKNOWN: "there is no such asset: see /api/v1/collateral",
    Code.ASSET_INSUFFICIENT: "the account has not so much of the asset",
    Code.ASSET_MOVE_GAP: "another move of this account's assets comes first: ask again",
    Code.ASSET_PRICE_INVALID: "a price above zero, not from the future, not older than the last",
}
