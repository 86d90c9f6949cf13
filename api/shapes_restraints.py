"""What answers say of limits by owner, of what can be delivered, of credit and of notices."""

from typing import Final

from api.shapes import Answer, Part


class Holding(Part):
    """What an owner holds within a scope, in GPU-hours; level: ok, accountable or beyond."""

    scope: str
    side: str
    level: str
    used_gpu_hours: str
    limit_gpu_hours: str
    accountable_gpu_hours: str


class OwnerHoldings(Part):
    """An owner, its accounts, what all of them hold together, and why it is restrained."""

    owner: str
    accounts: list[str]
    reasons: list[str]
    holdings: list[Holding]


class OwnerHoldingsAnswer(Answer):
    """What the owner of the account holds, and may."""

    position_limits: OwnerHoldings


class AllHoldingsAnswer(Answer):
    """Owners that are accountable, beyond a limit, or restrained."""

    owners: list[OwnerHoldings]


class Capacity(Part):
    """GPUs that can deliver; `account_id` null: measured of everybody else."""

    account_id: str | None
    sku: str
    hub: str
    gpus: int
    source: str
    ts: int


class CapacityAnswer(Answer):
    """What can be delivered, and so what limits are a part of."""

    limit_bps: int
    accountable_bps: int
    capacity: list[Capacity]


class Owner(Part):
    """Whose sub-account an account is, its own id when nobody's; all accounts of that owner."""

    account_id: str
    owner: str
    accounts: list[str]


class OwnerAnswer(Answer):
    """Whose an account is."""

    ownership: Owner


class Credit(Part):
    """Limits of initial margin (USD), of a day's turnover, of a member's clients; null is none."""

    initial_margin: str | None
    turnover_gpu_hours: int | None
    clients_margin: str | None


class CreditAnswer(Answer):
    """What an account is trusted with, by whom, and what it uses."""

    account_id: str
    credit: Credit
    by_operator: Credit
    by_member: Credit
    initial_margin: str
    turnover_gpu_hours: int
    clients_margin: str | None
    reasons: list[str]


class Notice(Part):
    """What an account was told; which fields there are follows from its kind."""

    notice_id: str
    account_id: str
    kind: str
    ts: int
    reasons: list[str] | None = None
    seen: dict[str, list[str]] | None = None
    holding: Holding | None = None
    amount: str | None = None
    due_ts: int | None = None
    member: str | None = None
    client: str | None = None
    port_id: str | None = None


class NoticesAnswer(Answer):
    """Notices, newest first."""

    notices: list[Notice]
    next_cursor: str | None


# Which operation answers what.
ANSWERS: Final[dict[str, type[Answer]]] = {
    "get_position_limits": OwnerHoldingsAnswer,
    "list_position_limits": AllHoldingsAnswer,
    "list_capacity": CapacityAnswer,
    "set_capacity": CapacityAnswer,
    "get_owner": OwnerAnswer,
    "set_owner": OwnerAnswer,
    "get_credit": CreditAnswer,
    "set_credit": CreditAnswer,
    "get_client_credit": CreditAnswer,
    "set_client_credit": CreditAnswer,
    "list_notices": NoticesAnswer,
    "list_all_notices": NoticesAnswer,
}
