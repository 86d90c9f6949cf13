"""The default fund and what defaults cost, as the exchange says them."""

from decimal import Decimal

from wellhead.types import Answer


class FundAlarm(Answer, frozen=True, kw_only=True):
    """A stress loss that is near the fund."""

    kind: str
    scenario: str
    used_bps: int
    limit_bps: int


class Fund(Answer, frozen=True, kw_only=True):
    """What the fund had to be at a command, and what it was."""

    seq: int
    ts: int
    size: Decimal
    held: Decimal
    cover_2: Decimal
    scenario: str | None
    scenarios: int
    matrix: str
    alarms: list[FundAlarm]


class FundOnly(Answer, frozen=True, kw_only=True):
    """The fund alone; None before it was sized first."""

    fund: Fund | None


class Share(Answer, frozen=True, kw_only=True):
    """A member's share of the fund."""

    account_id: str
    held: Decimal
    required: Decimal
    due: Decimal
    due_by: int | None = None


class HouseLayer(Answer, frozen=True, kw_only=True):
    """The house's own money in a layer, and by how much it is below zero."""

    layer: str
    held: Decimal
    owes: Decimal = Decimal(0)


class Cover(Answer, frozen=True, kw_only=True):
    """The two accounts that lose most beyond margin in a scenario."""

    scenario: str
    account_ids: list[str]
    losses: list[Decimal]


class WholeFund(Answer, frozen=True, kw_only=True):
    """The fund with everybody's share."""

    fund: Fund | None
    members: list[Share]
    house: list[HouseLayer]
    covers: list[Cover]


class OwnLoss(Answer, frozen=True, kw_only=True):
    """What another's default cost the account; `tag` is its name in the proofs."""

    liquidation_id: str
    seq: int
    ts: int
    layer: str
    tag: str
    amount: Decimal
