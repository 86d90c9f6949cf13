"""What the exchange answers about margin."""

from decimal import Decimal

from msgspec import field

from wellhead.types import Answer


class WorstScenario(Answer, frozen=True, kw_only=True):
    """One of the scenarios; `kind` is now, stress or floor."""

    scenario: int
    loss: Decimal
    kind: str = "now"
    name: str | None = None
    story: str | None = None


class ContractMargin(Answer, frozen=True, kw_only=True):
    """What one contract would need alone, its part of the whole, and what is added for it."""

    symbol: str
    standalone: Decimal
    worst_loss: Decimal | None = None
    price_loss: Decimal | None = None
    liquidity: Decimal | None = None
    concentration: Decimal | None = None
    fee_reserve: Decimal | None = None
    liquidation_price: Decimal | None = None  # the mark at which the account is liquidated
    bankruptcy_price: Decimal | None = None  # and at which it has nothing left


class Margin(Answer, frozen=True, kw_only=True):
    """What is required of the account, why, and what is left."""

    cash: Decimal
    unsettled_pnl: Decimal
    collateral: Decimal | None = None
    equity: Decimal
    initial_margin: Decimal
    price_loss: Decimal
    free: Decimal
    state: str = "ok"
    maintenance_margin: Decimal | None = None
    fee_reserve: Decimal | None = None
    expected_shortfall: Decimal | None = None
    expected_shortfall_now: Decimal | None = None
    expected_shortfall_stress: Decimal | None = None
    expected_shortfall_floor: Decimal | None = None
    standalone: Decimal | None = None
    portfolio: Decimal | None = None
    liquidity: Decimal | None = None
    concentration: Decimal | None = None
    level_bps: int = 10_000
    profile: str = "none"
    wrong_way_bps: int = 10_000
    offset_kept_bps: int = 0
    scenario_count: int = 0
    stress_count: int = 0
    floor_count: int = 0
    worst_count: int = 0
    worst_scenarios: list[WorstScenario] = field(default_factory=list)
    contracts: list[ContractMargin] = field(default_factory=list)


class Verdict(Answer, frozen=True, kw_only=True):
    """What would become of an order."""

    accepted: bool
    missing: Decimal
    only_reduces: bool = False


class WhatIf(Answer, frozen=True, kw_only=True):
    """Margin before and after, each order's verdict, and the loss in every scenario after."""

    accepted: bool
    missing: Decimal
    before: Margin
    after: Margin
    orders: list[Verdict] = field(default_factory=list)
    scenarios: list[WorstScenario] = field(default_factory=list)


class Level(Answer, frozen=True, kw_only=True):
    """At which level of the member's requirement an account is held, and what that requires."""

    account_id: str
    level_bps: int
    required: Decimal


class Profile(Answer, frozen=True, kw_only=True):
    """An account's wrong-way rule: none, neocloud or miner; and what is required of it."""

    account_id: str
    profile: str
    required: Decimal


class Cover(Answer, frozen=True, kw_only=True):
    """What an account's pledged capacity covers of a contract, and what is required of it."""

    account_id: str
    symbol: str
    quantity: Decimal
    required: Decimal
