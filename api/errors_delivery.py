"""What the API refuses about receipts; `errors.py` has all others."""

from typing import Final

# code -> status
OWN: Final[dict[str, int]] = {
    "issuer_unknown": 403,
    "receipt_unknown": 404,
    "receipt_not_yours": 403,
    "receipt_not_offered": 403,
    "receipt_state": 409,
    "receipt_over": 409,
    "receipt_overlaps": 409,
    "receipt_issuer_holds": 409,
    "receipt_price_differs": 409,
    "receipt_price_unknown": 409,
    "split_invalid": 422,
    "cover_contract": 422,
    "claim_none": 409,
    "claim_unfunded": 409,
    "claim_fund_busy": 409,
    "efd_session_unknown": 404,
    "efd_not_open": 409,
    "efd_full": 409,
    "efd_not_called": 409,
}
