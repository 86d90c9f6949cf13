"""What the exchange answers about margin, as shapes; see `shapes.py`."""

from api.shapes import Answer, Part


class Loss(Part):
    """One of the scenarios that the requirement is the mean of."""

    scenario: int
    loss: str
    kind: str  # now, stress or floor
    name: str | None
    story: str | None


class ContractMargin(Part):
    """What a contract would need alone, its part of the whole, and what is added for it."""

    symbol: str
    standalone: str
    worst_loss: str
    price_loss: str
    liquidity: str
    concentration: str
    fee_reserve: str
    liquidation_price: str | None
    bankruptcy_price: str | None


class Margin(Part):
    """The requirement of an account, and what it is made of.

    `initial_margin` is (`portfolio` + `liquidity` + `concentration`) at `level_bps`; `portfolio` is
    `expected_shortfall` and the part of its offsets against `standalone` that does not count, less
    with covers, more for a miner. `wrong_way_bps` multiplies it for a NeoCloud that may be long.
    """

    cash: str
    unsettled_pnl: str
    collateral: str
    equity: str
    initial_margin: str
    price_loss: str
    free: str
    state: str
    maintenance_margin: str
    fee_reserve: str
    expected_shortfall: str
    expected_shortfall_now: str
    expected_shortfall_stress: str
    expected_shortfall_floor: str
    standalone: str
    portfolio: str
    liquidity: str
    concentration: str
    level_bps: int
    profile: str
    wrong_way_bps: int
    offset_kept_bps: int
    scenario_count: int
    stress_count: int
    floor_count: int
    worst_count: int
    worst_scenarios: list[Loss]
    contracts: list[ContractMargin]


class Verdict(Part):
    """What would become of an order."""

    accepted: bool
    missing: str
    only_reduces: bool


class WhatIf(Part):
    """Margin before and after, each order's verdict, and every scenario after."""

    accepted: bool
    missing: str
    orders: list[Verdict]
    before: Margin
    after: Margin
    scenarios: list[Loss]


class Addon(Part):
    """What is staged for a contract, of one lot; live with the next matrix."""

    symbol: str
    half_spread: str
    impact: str
    fee: str
    daily_volume: str
    close_within: str
    crowd_above: str


class MarginAnswer(Answer):
    """The margin requirement, recomputed from scratch."""

    margin: Margin


class WhatIfAnswer(Answer):
    """What would be; nothing was changed."""

    what_if: WhatIf


class AddonAnswer(Answer):
    """Add-ons that were staged."""

    addon: Addon


class LevelAnswer(Answer):
    """An account's level, and what is required of it now."""

    account_id: str
    level_bps: int
    required: str


class ProfileAnswer(Answer):
    """An account's wrong-way rule, and what is required of it now."""

    account_id: str
    profile: str
    required: str


class CoverAnswer(Answer):
    """What an account's pledged capacity covers of a contract, and what is required of it now."""

    account_id: str
    symbol: str
    quantity: str
    required: str
