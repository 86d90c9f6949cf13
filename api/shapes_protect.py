"""Shapes of answers about batches, quotes and protections; see `shapes.py`."""

from api.shapes import Answer, Order, Part, Problem, Trade
from api.shapes_account import Key


class QuoteSide(Part):
    """What became of one side: open, kept, filled, cancelled or refused."""

    status: str
    order_id: str | None = None
    open_quantity: str | None = None
    filled_quantity: str | None = None
    code: str | None = None
    detail: str | None = None


class QuoteResult(Part):
    """What became of one quote; a side that was withdrawn or not given is null."""

    ok: bool
    seq: int | None = None
    ts: int | None = None
    ts_ns: str | None = None
    symbol: str | None = None
    bid: QuoteSide | None = None
    ask: QuoteSide | None = None
    error: Problem | None = None


class QuotesAnswer(Answer):
    """A result for each quote, in their order."""

    results: list[QuoteResult]


class TimerAnswer(Answer):
    """When everything will be cancelled, null for never."""

    due_ts: int | None


class Group(Part):
    """Protection of a quote group; a limit of 0 is none."""

    group: int
    window_ms: int
    quantity: str
    delta: str
    fills: int
    frozen: bool


class GroupAnswer(Answer):
    """A quote group."""

    group: Group


class OwnLimits(Part):
    """Limits that an account has of its own; null is none."""

    order_quantity: str | None
    order_notional: str | None
    position: str | None
    orders_per_second: int | None
    open_orders: int | None


class ProtectionsAnswer(Answer):
    """Everything that protects an account."""

    halted: bool
    limits: OwnLimits
    cancel_all_due_ts: int | None
    groups: list[Group]


class LimitsAnswer(Answer):
    """An account's own limits: those that hold, and who allows what."""

    account_id: str
    limits: OwnLimits
    by_operator: OwnLimits
    by_member: OwnLimits


class KilledAccount(Part):
    """An account that was frozen, and how many orders were cancelled."""

    account_id: str
    cancelled_count: int


class Killed(Part):
    """What was killed."""

    accounts: list[KilledAccount] | None = None
    key: Key | None = None
    halted: bool | None = None
    cancelled_count: int | None = None
    commands: int | None = None


class KillAnswer(Answer):
    """What was killed."""

    killed: Killed


class HaltAnswer(Answer):
    """Whether the exchange is halted."""

    halted: bool


class BatchResult(Part):
    """The result of one request of a batch."""

    ok: bool
    seq: int | None = None
    ts: int | None = None
    ts_ns: str | None = None
    order: Order | None = None
    trades: list[Trade] | None = None
    duplicate: bool | None = None
    error: Problem | None = None


class BatchAnswer(Answer):
    """A result for each request, in their order."""

    results: list[BatchResult]
