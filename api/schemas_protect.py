"""Shapes of quotes and of what protects members; see `schemas.py`."""

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from matching.limits import CANCEL_AFTER_NS_MAX, MMP_WINDOW_NS_MAX, QUOTE_GROUPS

QUOTES_MAX: Final = 64  # of one message
NS_PER_MS: Final = 1_000_000
LIMIT_COUNT_MAX: Final = 1 << 40

Text = Annotated[str, Meta(max_length=128)]
MaybeText = Text | UnsetType
Group = Annotated[int, Meta(ge=0, lt=QUOTE_GROUPS)]
Timeout = Annotated[int, Meta(ge=0, le=CANCEL_AFTER_NS_MAX // NS_PER_MS)]
Window = Annotated[int, Meta(ge=0, le=MMP_WINDOW_NS_MAX // NS_PER_MS)]
Count = Annotated[int, Meta(ge=0, le=LIMIT_COUNT_MAX)]
Fills = Annotated[int, Meta(ge=0, lt=1 << 31)]


class Protecting(Struct, forbid_unknown_fields=True, kw_only=True):
    """The root of these shapes: an absent field is UNSET, an unknown one is refused."""


class QuoteNew(Protecting):
    """A quote of one contract: a side without a quantity, or with 0, is withdrawn."""

    symbol: Text
    bid_price: MaybeText = UNSET
    bid_quantity: MaybeText = UNSET
    ask_price: MaybeText = UNSET
    ask_quantity: MaybeText = UNSET


class QuoteMass(Protecting):
    """Quotes of up to 64 contracts, each replacing the account's quote of its contract."""

    quotes: Annotated[list[QuoteNew], Meta(min_length=1, max_length=QUOTES_MAX)]
    group: Group = 0
    post_only: bool = True
    stp: MaybeText = UNSET


class CancelAfter(Protecting):
    """A timer that cancels everything unless it is put off; 0 disarms it."""

    timeout_ms: Timeout


class MmpChange(Protecting):
    """Protection of a quote group: a window and limits of what fills within it; 0 is none."""

    window_ms: Window
    quantity: MaybeText = UNSET
    delta: MaybeText = UNSET
    fills: Fills = 0


class LimitsChange(Protecting):
    """All limits that an account has of its own; absent or 0 is none."""

    order_quantity: MaybeText = UNSET
    order_notional: MaybeText = UNSET
    position: MaybeText = UNSET
    orders_per_second: Count = 0
    open_orders: Count = 0


class Kill(Protecting):
    """What to kill: exactly one of these."""

    account_id: MaybeText = UNSET
    key: MaybeText = UNSET
    member: MaybeText = UNSET
    exchange: bool | UnsetType = UNSET
