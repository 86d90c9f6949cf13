"""What the refusals of blocks and requests for quotes mean; `errors.py` has all others."""

from typing import Final

from matching.codes import Code
from matching.limits import DEAL_TTL_NS_MAX, QTY_LOTS_MAX

BUSY: Final = 503
TTL_HOURS: Final = DEAL_TTL_NS_MAX // (3600 * 1_000_000_000)

STATUS: Final[dict[Code, int]] = {
    Code.BLOCKS_NOT_ALLOWED: 409,
    Code.BLOCK_TOO_SMALL: 422,
    Code.BLOCK_PRICE_OUT_OF_RANGE: 422,
    Code.BLOCK_KIND_INVALID: 422,
    Code.BLOCK_RULE_INVALID: 422,
    Code.COUNTERPARTY_UNKNOWN: 404,
    Code.COUNTERPARTY_IS_SELF: 422,
    Code.DEAL_UNKNOWN: 404,
    Code.DEALS_FULL: BUSY,
    Code.DEAL_LIMIT: 409,
    Code.INITIATOR_NOT_ALLOWED: 409,
    Code.INITIATOR_LIMIT: 409,
    Code.INITIATOR_MARGIN_INSUFFICIENT: 409,
    Code.REQUEST_UNKNOWN: 404,
    Code.REQUEST_MISMATCH: 422,
    Code.REQUEST_RATE_LIMIT: 429,
    Code.DEAL_EXPIRED: 409,
    Code.DEAL_DECLINED: 200,
    Code.DEAL_WITHDRAWN: 200,
}

FIELD: Final[dict[int, str]] = {
    Code.BLOCK_TOO_SMALL: "quantity",
    Code.BLOCK_PRICE_OUT_OF_RANGE: "price",
    Code.BLOCK_KIND_INVALID: "kind",
    Code.BLOCK_RULE_INVALID: "block_min_quantity",
    Code.COUNTERPARTY_UNKNOWN: "counterparty",
    Code.COUNTERPARTY_IS_SELF: "counterparty",
    Code.REQUEST_UNKNOWN: "rfq_id",
    Code.REQUEST_MISMATCH: "rfq_id",
}

DETAIL: Final[dict[int, str]] = {
    Code.BLOCKS_NOT_ALLOWED: "the contract takes no block trades",
    Code.BLOCK_TOO_SMALL: "the quantity is below block_min_quantity of the instrument",
    Code.BLOCK_PRICE_OUT_OF_RANGE: "the price lies outside block_range of the instrument",
    Code.BLOCK_RULE_INVALID: "a least quantity of 0 or more, a range of 0 to 10000 basis points",
    Code.COUNTERPARTY_UNKNOWN: "there is no such account to deal with",
    Code.COUNTERPARTY_IS_SELF: "an account cannot deal with itself",
    Code.DEAL_UNKNOWN: "the account has no such open proposal or request",
    Code.DEALS_FULL: "no room for another proposal or request now",
    Code.DEAL_LIMIT: "the account has as many proposals and requests open as it may",
    Code.INITIATOR_NOT_ALLOWED: "the account that proposed or gives up may not trade this now",
    Code.INITIATOR_LIMIT: "the account that proposed or gives up holds as much as it may",
    Code.INITIATOR_MARGIN_INSUFFICIENT: "the account that proposes or gives up lacks margin for it",
    Code.REQUEST_UNKNOWN: "there is no such open request for quotes",
    Code.REQUEST_MISMATCH: "another contract, another side, or more lots than were asked for",
    Code.REQUEST_RATE_LIMIT: "too many requests for quotes in this minute",
    Code.DEAL_EXPIRED: "its time was over",
}

# What refusals that orders have too mean here.
DETAIL_HERE: Final[dict[int, str]] = {
    Code.CLIENT_ORDER_ID_CONFLICT: (
        "another open block or request of the account has this client_id and another body"
    ),
    Code.EXPIRY_INVALID: f"a moment in the future, at most {TTL_HOURS} hours ahead, in ms",
    Code.QTY_TOO_LARGE: f"at most {QTY_LOTS_MAX} lots in one block or request for quotes",
}
FIELD_HERE: Final[dict[int, str]] = {Code.CLIENT_ORDER_ID_CONFLICT: "client_id"}
