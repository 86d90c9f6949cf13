"""What the refusals of moves by the clearing house mean; `errors.py` has all others."""

from typing import Final

from api import errors_members
from matching.codes import Code

# What the API refuses by itself: code -> status.
OWN: Final[dict[str, int]] = {
    **errors_members.OWN,
    "fill_unknown": 404,
    "fill_too_small": 409,
    "fill_too_old": 409,
    "giveup_unknown": 404,
    "giveup_ended": 409,
    "auction_unknown": 404,
    "auction_closed": 409,
}

STATUS: Final[dict[Code, int]] = {
    Code.MOVE_REASON_INVALID: 422,
    Code.MOVE_EXCEEDS_POSITION: 409,
    Code.MOVE_NOT_REDUCING: 409,
    Code.MOVE_MAKES_INSOLVENT: 409,
    Code.MOVE_EXCEEDS_CASH: 409,
    Code.CYCLE_INVALID: 422,
}

FIELD: Final[dict[int, str]] = {
    Code.MOVE_REASON_INVALID: "reason",
    Code.MOVE_EXCEEDS_POSITION: "quantity",
    Code.MOVE_EXCEEDS_CASH: "amount",
}

DETAIL: Final[dict[int, str]] = {
    Code.CYCLE_INVALID: "no such variation cycle",
    Code.MOVE_REASON_INVALID: "no such reason to move a position, or layer to move money from",
    Code.MOVE_EXCEEDS_POSITION: "the account that gives holds fewer lots on that side",
    Code.MOVE_NOT_REDUCING: "only accounts that hold the other side can be deleveraged",
    Code.MOVE_MAKES_INSOLVENT: "at this price the account would have less than nothing",
    Code.MOVE_EXCEEDS_CASH: "the account that gives has less cash",
}
