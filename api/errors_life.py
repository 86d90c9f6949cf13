"""What the refusals of cascades and deliveries mean; `errors.py` has all others."""

from typing import Final

from matching.codes import Code

# What the API refuses by itself: code -> status.
OWN: Final[dict[str, int]] = {
    "settlement_not_final": 404,
    "correction_unknown": 404,
    "correction_ended": 409,
    "correction_going": 409,
    "correction_changes_nothing": 409,
    "correction_beyond_limit": 409,
}

STATUS: Final[dict[Code, int]] = {
    Code.CASCADE_INVALID: 422,
    Code.CASCADE_CHILD_ENDED: 409,
    Code.CASCADE_UNSETTLED: 409,
    Code.CASCADE_TOO_LARGE: 409,
    Code.TRADING_NOT_ENDED: 409,
    Code.CONTRACT_IN_DELIVERY: 409,
    Code.ACCRUAL_OUT_OF_TURN: 409,
    Code.DELIVERY_DAYS_INVALID: 422,
    Code.SETTLED_FINALLY: 409,
    Code.SETTLEMENT_FINAL: 409,
    Code.SETTLEMENT_MOVED: 409,
}

FIELD: Final[dict[int, str]] = {
    Code.CASCADE_INVALID: "contracts",
    Code.CASCADE_CHILD_ENDED: "contracts",
    Code.DELIVERY_DAYS_INVALID: "days",
}

DETAIL: Final[dict[int, str]] = {
    Code.CASCADE_INVALID: "these contracts are not, together, the hours of the one they follow",
    Code.CASCADE_CHILD_ENDED: "one of the contracts that follow has ended or delivers already",
    Code.CASCADE_UNSETTLED: "the contract owes variation margin: settle it first",
    Code.CASCADE_TOO_LARGE: "more lots than a contract that follows can hold",
    Code.TRADING_NOT_ENDED: "the contract still trades: delivery begins when that has ended",
    Code.CONTRACT_IN_DELIVERY: "the contract is in delivery: its index settles it, nothing else",
    Code.ACCRUAL_OUT_OF_TURN: "settlements in delivery come once each, in their order",
    Code.DELIVERY_DAYS_INVALID: "no such days of a delivery, or not all of them at its end",
    Code.SETTLED_FINALLY: "the contract has been settled for the last time: that stays",
    Code.SETTLEMENT_FINAL: "the settlement price is final: it is never changed again",
    Code.SETTLEMENT_MOVED: "the last settlement price is not the one that was to be corrected",
}
