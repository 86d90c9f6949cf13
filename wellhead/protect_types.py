"""Answers about quotes and protections; `types.py` has the rest."""

from decimal import Decimal

from wellhead.types import Answer


class CancelTimer(Answer, frozen=True, kw_only=True):
    """When everything will be cancelled, None for never."""

    due_ts: int | None = None


class QuoteGroup(Answer, frozen=True, kw_only=True):
    """Protection of a quote group; a limit of 0 is none."""

    group: int
    window_ms: int = 0
    quantity: int = 0
    delta: int = 0
    fills: int = 0
    frozen: bool = False


class OwnLimits(Answer, frozen=True, kw_only=True):
    """Limits that an account has of its own; None is none."""

    order_quantity: int | None = None
    order_notional: Decimal | None = None
    position: int | None = None
    orders_per_second: int | None = None
    open_orders: int | None = None


class AllowedLimits(Answer, frozen=True, kw_only=True):
    """Limits of an account that hold: the stricter of what an operator and its member allow."""

    account_id: str
    limits: OwnLimits
    by_operator: OwnLimits
    by_member: OwnLimits


class Protections(Answer, frozen=True, kw_only=True):
    """Everything that protects an account."""

    halted: bool
    limits: OwnLimits
    cancel_all_due_ts: int | None = None
    groups: tuple[QuoteGroup, ...] = ()


class KilledAccount(Answer, frozen=True, kw_only=True):
    """An account that was frozen, and how many orders were cancelled."""

    account_id: str
    cancelled_count: int = 0


class Killed(Answer, frozen=True, kw_only=True):
    """What was killed: accounts, a key, or the exchange."""

    accounts: tuple[KilledAccount, ...] = ()
    cancelled_count: int = 0
    halted: bool = False
    commands: int = 0


class Halt(Answer, frozen=True, kw_only=True):
    """Whether the exchange is halted."""

    halted: bool
