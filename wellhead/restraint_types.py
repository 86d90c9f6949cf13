"""Limits by owner, what can be delivered, credit and notices, as the exchange says them."""

from decimal import Decimal

from wellhead.types import Answer


class Holding(Answer, frozen=True, kw_only=True):
    """What an owner holds within a scope, in GPU-hours; level: ok, accountable or beyond."""

    scope: str
    side: str
    level: str
    used_gpu_hours: int
    limit_gpu_hours: int
    accountable_gpu_hours: int


class OwnerHoldings(Answer, frozen=True, kw_only=True):
    """An owner, its accounts, what all of them hold together, and why it is restrained."""

    owner: str
    accounts: list[str]
    reasons: list[str]
    holdings: list[Holding]


class Capacity(Answer, frozen=True, kw_only=True):
    """GPUs that can deliver; without an account measured of everybody else."""

    account_id: str | None = None
    sku: str
    hub: str
    gpus: int
    source: str
    ts: int


class Supply(Answer, frozen=True, kw_only=True):
    """What can be delivered, and what part of it limits are, in basis points."""

    limit_bps: int
    accountable_bps: int
    capacity: list[Capacity]


class Owner(Answer, frozen=True, kw_only=True):
    """Whose sub-account an account is, its own id when nobody's; all accounts of that owner."""

    account_id: str
    owner: str
    accounts: list[str]


class Credit(Answer, frozen=True, kw_only=True):
    """Limits of initial margin (USD), of a day's turnover, of a member's clients; None is none."""

    initial_margin: Decimal | None = None
    turnover_gpu_hours: int | None = None
    clients_margin: Decimal | None = None


class AllowedCredit(Answer, frozen=True, kw_only=True):
    """What an account is trusted with, by whom, and what it uses."""

    account_id: str
    credit: Credit
    by_operator: Credit
    by_member: Credit
    initial_margin: Decimal
    turnover_gpu_hours: int
    clients_margin: Decimal | None = None  # of a member: what all its clients use together
    reasons: list[str]


class Notice(Answer, frozen=True, kw_only=True):
    """What an account was told; which fields there are follows from its kind."""

    notice_id: str
    account_id: str
    kind: str
    ts: int
    reasons: list[str] | None = None
    seen: dict[str, list[str]] | None = None
    holding: Holding | None = None
    amount: Decimal | None = None
    due_ts: int | None = None
    member: str | None = None
    client: str | None = None
    port_id: str | None = None
