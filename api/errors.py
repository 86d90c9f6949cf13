"""Every way the API says no: one shape, one stable code, one status for each.

A refusal of the core is a `Code`; `CORE` gives each of them its name and status. What the API
refuses by itself is in `OWN`. Both end as a `Problem`: problem+json, or `error` over a websocket.
"""

from http import HTTPStatus
from typing import Any, Final

from api import errors_collateral, errors_deals, errors_delivery, errors_life, errors_moves
from api.error_texts import CORE_DETAIL
from matching.codes import Code

# What the API refuses by itself: code -> status.
OWN: Final[dict[str, int]] = {
    # the text
    "http_malformed": 400,
    "utf8_invalid": 400,
    "json_malformed": 400,
    "json_duplicate_key": 400,
    "json_number_invalid": 400,
    "json_too_deep": 400,
    "text_invalid": 400,
    "body_too_large": 413,
    "body_incomplete": 400,
    "content_type_unsupported": 415,
    "frame_not_text": 400,
    # the fields
    "field_unknown": 422,
    "field_missing": 422,
    "field_type": 422,
    "field_invalid": 422,
    "query_invalid": 422,
    "plan_invalid": 422,
    "cursor_invalid": 422,
    "header_invalid": 400,
    "op_unknown": 422,
    "channel_unknown": 422,
    "channel_not_subscribed": 409,
    # the address
    "not_found": 404,
    **errors_collateral.OWN,
    **errors_delivery.OWN,
    **errors_moves.OWN,
    **errors_life.OWN,
    "method_not_allowed": 405,
    "key_unknown": 404,
    "scenario_set_unknown": 404,
    "story_unknown": 404,
    "transfer_unknown": 404,
    "scenarios_building": 409,
    "scenarios_refused": 422,
    "liquidation_unknown": 404,
    "index_unknown": 404,
    "curve_unknown": 404,
    "index_day_unknown": 404,
    "index_day_final": 409,
    "index_already_said": 409,
    "settlement_run_unknown": 404,
    "settlement_not_begun": 404,
    "alert_unknown": 404,
    "idempotency_conflict": 409,
    # who asks
    "auth_missing": 401,
    "auth_failed": 401,
    "timestamp_invalid": 401,
    "signature_replayed": 401,
    "already_authenticated": 409,
    "address_not_allowed": 403,
    "scope_missing": 403,
    "origin_not_allowed": 403,
    # how much
    "rate_limited": 429,
    "too_many_in_flight": 429,
    "too_many_channels": 429,
    "too_many_connections": 429,
    # not now
    "halted": 503,
    "recovering": 503,
    "cancel_only": 503,
    "overloaded": 503,
    "outcome_unknown": 503,
    "views_behind": 503,
    "database_unavailable": 503,
    "gateway_replaced": 503,
    "clock_behind": 503,
    "unavailable": 503,
}

_BUSY = 503
_CORE_STATUS: Final[dict[Code, int]] = {
    Code.OK: 200,
    # The envelope: the gateway deals with these itself; nobody sees them in practice.
    Code.REQUEST_REPEATED: _BUSY,
    Code.REQUEST_GAP: _BUSY,
    Code.ORIGIN_STALE: _BUSY,
    Code.ORIGIN_INVALID: _BUSY,
    Code.ACCOUNT_UNKNOWN: 404,
    Code.ACCOUNT_EXISTS: 409,
    Code.ACCOUNTS_FULL: _BUSY,
    Code.ACCOUNT_FROZEN: 403,
    Code.ACCOUNT_REDUCE_ONLY: 403,
    Code.ACCOUNT_STATE_INVALID: 422,
    Code.AMOUNT_NOT_POSITIVE: 422,
    Code.AMOUNT_TOO_LARGE: 422,
    Code.TRANSFER_REPEATED: 409,
    Code.WITHDRAWAL_EXCEEDS_FREE: 422,
    Code.ACCOUNT_MONEY_LIMIT: 422,
    Code.CONTRACT_UNKNOWN: 404,
    Code.CONTRACT_EXISTS: 409,
    Code.CONTRACTS_FULL: _BUSY,
    Code.TICK_VALUE_INVALID: 422,
    Code.STATE_INVALID: 422,
    Code.BAND_INVALID: 422,
    Code.SCENARIO_INVALID: 422,
    Code.SHOCK_TOO_LARGE: 422,
    Code.ADDON_INVALID: 422,
    Code.LEVEL_INVALID: 422,
    Code.PROFILE_INVALID: 422,
    Code.COVER_INVALID: 422,
    Code.COVER_NEEDED: 422,
    Code.CONTRACT_EXPIRED: 409,
    Code.CLIENT_ORDER_ID_REPEATED: 200,
    Code.CLIENT_ORDER_ID_CONFLICT: 409,
    Code.SIDE_INVALID: 422,
    Code.ORDER_TYPE_INVALID: 422,
    Code.TIF_INVALID: 422,
    Code.STP_INVALID: 422,
    Code.FLAGS_INVALID: 422,
    Code.QTY_NOT_POSITIVE: 422,
    Code.QTY_TOO_LARGE: 422,
    Code.PRICE_INVALID: 422,
    Code.MARKET_ORDER_RESTS: 422,
    Code.POST_ONLY_NOT_RESTING: 422,
    Code.EXPIRY_INVALID: 422,
    Code.TIF_NOT_ALLOWED: 409,
    Code.CONTRACT_NOT_OPEN: 409,
    Code.CONTRACT_HALTED: 409,
    Code.CALL_NOT_DUE: 409,
    Code.CONTRACT_NOT_EXPIRED: 409,
    Code.TRADING_ENDED: 409,
    Code.CONTRACT_CLOSE_ONLY: 409,
    Code.PRICE_OUT_OF_BAND: 422,
    Code.POST_ONLY_WOULD_TRADE: 422,
    Code.REDUCE_ONLY_WOULD_INCREASE: 422,
    Code.ORDER_UNKNOWN: 404,
    Code.AMEND_CHANGES_NOTHING: 422,
    Code.BOOK_FULL: _BUSY,
    Code.POSITIONS_FULL: _BUSY,
    Code.GROSS_LIMIT: 422,
    Code.MARGIN_INSUFFICIENT: 422,
    Code.COMBINATION_LEGS_INVALID: 422,
    Code.LEG_COMBINATIONS_FULL: 409,
    Code.COMBINATION_FOLLOWS_LEGS: 409,
    Code.COMBINATION_ORDER_UNUSUAL: 422,
    Code.LEG_NOT_TRADING: 409,
    Code.IMPLIED_INVALID: 422,
    Code.DISPLAY_INVALID: 422,
    Code.MIN_QUANTITY_INVALID: 422,
    Code.PEG_INVALID: 422,
    Code.OFFSET_INVALID: 422,
    Code.PEG_NOT_RESTING: 422,
    Code.NO_OPPOSITE_PRICE: 409,
    Code.NO_REFERENCE_PRICE: 409,
    Code.PEGS_FULL: 409,
    Code.TIMEOUT_INVALID: 422,
    Code.LIMIT_INVALID: 422,
    Code.EXCHANGE_HALTED: 409,
    Code.ORDER_RATE_LIMIT: 422,
    Code.ORDER_SIZE_LIMIT: 422,
    Code.NOTIONAL_LIMIT: 422,
    Code.OPEN_ORDERS_LIMIT: 422,
    Code.POSITION_LIMIT: 422,
    Code.QUOTE_GROUP_INVALID: 422,
    Code.QUOTE_CROSSED: 422,
    Code.QUOTE_NOT_AMENDABLE: 409,
    Code.MMP_INVALID: 422,
    Code.MMP_FROZEN: 409,
    Code.AUCTION_INVALID: 422,
    Code.AUCTION_NOT_RUNNING: 409,
    Code.GUARD_INVALID: 422,
    Code.MARKET_ORDER_WAITS: 409,
    Code.TRIGGER_INVALID: 422,
    Code.TRAIL_INVALID: 422,
    Code.TRIGGER_PRICE_UNKNOWN: 409,
    Code.STOPS_FULL: 409,
    Code.CONTRACT_STOPS_FULL: 409,
    Code.TRAILS_FULL: 409,
    Code.LINK_INVALID: 422,
    Code.BRACKET_INVALID: 422,
    Code.STOP_NOT_AMENDABLE: 409,
    Code.NOT_WAITING: 409,
    Code.CHILD_FOLLOWS_PARENT: 422,
    **errors_deals.STATUS,
    **errors_moves.STATUS,
    **errors_life.STATUS,
    **errors_collateral.STATUS,
}

# Reasons of a cancellation, and what else an event is named after: never an error.
_REASONS: Final = (
    Code.CANCELLED_BY_USER, Code.CANCELLED_BY_MASS_CANCEL, Code.IOC_REMAINDER,
    Code.FOK_NOT_FILLABLE, Code.SELF_TRADE_PREVENTED, Code.REDUCE_ONLY_CLIPPED,
    Code.ORDER_EXPIRED, Code.AMENDED_BELOW_FILLED, Code.CONTRACT_ENDED,
    Code.MIN_QUANTITY_NOT_FILLABLE, Code.CANCELLED_BY_TIMER, Code.CANCELLED_BY_KILL,
    Code.QUOTE_REPLACED, Code.QUOTE_WITHDRAWN, Code.MMP_TRIGGERED, Code.AUCTION_ENDED,
    Code.AUCTION_STARTED, Code.AUCTION_TRADE, Code.PRICE_MOVED_FAST, Code.PRICE_MOVED_FAR,
    Code.OTHER_LEG_DONE, Code.PARENT_ENDED, Code.BRACKET_DONE, Code.MAKERS_LIMIT,
)  # fmt: skip

# Code -> (status, name): the one place where a number of the core becomes a word.
CORE: Final[dict[int, tuple[int, str]]] = {
    int(code): (status, code.name.lower())
    for code, status in (_CORE_STATUS | dict.fromkeys(_REASONS, 200)).items()
}

# The field at fault, where a refusal of the core is about one.
_CORE_FIELD: Final[dict[int, str]] = {
    Code.SIDE_INVALID: "side",
    Code.ORDER_TYPE_INVALID: "type",
    Code.TIF_INVALID: "tif",
    Code.TIF_NOT_ALLOWED: "tif",
    Code.STP_INVALID: "stp",
    Code.QTY_NOT_POSITIVE: "quantity",
    Code.QTY_TOO_LARGE: "quantity",
    Code.PRICE_INVALID: "price",
    Code.PRICE_OUT_OF_BAND: "price",
    Code.MARKET_ORDER_RESTS: "tif",
    Code.POST_ONLY_NOT_RESTING: "post_only",
    Code.POST_ONLY_WOULD_TRADE: "post_only",
    Code.REDUCE_ONLY_WOULD_INCREASE: "reduce_only",
    Code.EXPIRY_INVALID: "expires_at",
    Code.DISPLAY_INVALID: "display_quantity",
    Code.MIN_QUANTITY_INVALID: "min_quantity",
    Code.PEG_INVALID: "peg",
    Code.OFFSET_INVALID: "peg_offset",
    Code.PEG_NOT_RESTING: "tif",
    Code.NO_OPPOSITE_PRICE: "type",
    Code.NO_REFERENCE_PRICE: "peg",
    Code.CLIENT_ORDER_ID_CONFLICT: "client_order_id",
    Code.CONTRACT_UNKNOWN: "symbol",
    Code.AMOUNT_NOT_POSITIVE: "amount",
    Code.AMOUNT_TOO_LARGE: "amount",
    Code.WITHDRAWAL_EXCEEDS_FREE: "amount",
    Code.BAND_INVALID: "band_bps",
    Code.STATE_INVALID: "state",
    **errors_deals.FIELD,
    **errors_moves.FIELD,
    **errors_life.FIELD,
    **errors_collateral.FIELD,
    Code.TRIGGER_INVALID: "trigger_price",
    Code.TRIGGER_PRICE_UNKNOWN: "trigger_by",
    Code.LINK_INVALID: "oco_with",
    Code.TRAIL_INVALID: "trail_offset",
    Code.BRACKET_INVALID: "stop_loss",
    Code.CHILD_FOLLOWS_PARENT: "quantity",
}

RETRY_AFTER_S: Final = 1
MEDIA_TYPE: Final = "application/problem+json"


class Problem(Exception):
    """A request that is refused; `extra` holds members beyond those of every problem."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        status: int = 0,
        field: str | None = None,
        retry_after_s: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.status = status or OWN[code]
        self.detail = detail
        self.field = field
        if retry_after_s is None and self.status in (429, 503):
            retry_after_s = RETRY_AFTER_S
        self.retry_after_s = retry_after_s
        self.extra = extra or {}

    def to_dict(self, request_id: str) -> dict[str, Any]:
        """Return the problem object."""
        problem: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
        }
        if self.detail:
            problem["detail"] = self.detail
        if self.field is not None:
            problem["field"] = self.field
        if self.retry_after_s is not None:
            problem["retry_after"] = self.retry_after_s
        problem.update(self.extra)
        problem["request_id"] = request_id
        return problem


def core_name(code: int) -> str | None:
    """Return the public name of a core code; None for OK."""
    return CORE[code][1] if code else None


def core_problem(code: int, *, order_id: int = 0, detail: str = "") -> Problem:
    """Return the problem of a command that the core refused; `detail` instead of the usual one."""
    status, name = CORE[code]
    extra = {"order_id": str(order_id)} if order_id else None
    return Problem(
        name,
        detail or CORE_DETAIL.get(code) or f"the exchange refused: {name.replace('_', ' ')}",
        status=status,
        field=_CORE_FIELD.get(code),
        extra=extra,
    )
