"""What the risk desk is told, as the exchange says it."""

from decimal import Decimal

from wellhead.default_types import DrillLayer
from wellhead.margin_types import Margin, WorstScenario
from wellhead.types import Answer, Position


class RiskRow(Answer, frozen=True, kw_only=True):
    """An account at a glance; `used_bps` is maintenance over equity, None without equity."""

    account_id: str
    kind: str = ""
    state: str
    cash: Decimal
    equity: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    used_bps: int | None = None
    free: Decimal
    liquidity: Decimal
    concentration: Decimal
    positions: int = 0
    orders: int = 0
    worst_scenario: int | None = None
    worst_name: str | None = None
    worst_story: str | None = None
    worst_loss: Decimal


class RiskTotals(Answer, frozen=True, kw_only=True):
    """All accounts together."""

    accounts: int
    by_state: dict[str, int]
    cash: Decimal
    equity: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    liquidity: Decimal
    concentration: Decimal
    missing: Decimal
    insurance_fund: Decimal | None = None


class Risk(Answer, frozen=True, kw_only=True):
    """Accounts, the nearest to its end first, and the totals of all."""

    accounts: list[RiskRow]
    matching: int
    totals: RiskTotals


class Posting(Answer, frozen=True, kw_only=True):
    """A posting on an account's cash."""

    transfer_id: str
    version: int
    seq: int
    reason: str
    ref_id: str
    amount: Decimal
    balance: Decimal
    ts: int = 0


class TransferSide(Answer, frozen=True, kw_only=True):
    """One posting of a transfer."""

    account: str
    account_id: str | None = None
    version: int
    amount: Decimal
    balance: Decimal


class LedgerTransfer(Answer, frozen=True, kw_only=True):
    """A transfer with all its postings, which sum to zero."""

    transfer_id: str
    seq: int
    reason: str
    ref_id: str
    ts: int = 0
    postings: list[TransferSide]


class PositionLosses(Answer, frozen=True, kw_only=True):
    """What a position loses in each scenario, in their order."""

    symbol: str
    quantity: Decimal
    losses: list[Decimal]


class RiskAccount(Answer, frozen=True, kw_only=True):
    """One account, down to its postings."""

    account: RiskRow
    margin: Margin
    positions: list[Position]
    scenarios: list[WorstScenario]
    position_losses: list[PositionLosses]
    postings: list[Posting]


class StressOutcome(Answer, frozen=True, kw_only=True):
    """What a story does to all; `beyond` is what accounts lose that they do not have."""

    name: str
    story: str
    source: str = ""
    mirrored: bool = False
    whole: bool = True
    accounts: int
    fates: dict[str, int]
    lost: Decimal
    pnl_sum: Decimal
    shortfall: Decimal
    beyond: Decimal
    house_pnl: Decimal
    house_result: Decimal
    uncovered: Decimal


class StressAccount(Answer, frozen=True, kw_only=True):
    """What a story does to an account; name and story where one account is asked for."""

    account_id: str
    fate: str
    pnl: Decimal
    collateral_change: Decimal
    equity_before: Decimal
    equity_after: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    shortfall: Decimal
    name: str = ""
    story: str = ""


class StressMove(Answer, frozen=True, kw_only=True):
    """A contract's mark, now and in the story."""

    symbol: str
    mark_price: Decimal
    stress_price: Decimal


class Story(Answer, frozen=True, kw_only=True):
    """One story, account by account."""

    outcome: StressOutcome
    accounts: list[StressAccount]
    layers: list[DrillLayer]
    moves: list[StressMove]


class StressNight(Answer, frozen=True, kw_only=True):
    """One story as it was played after a settlement."""

    day: str
    name: str
    whole: bool
    seq: int
    accounts: int
    called: int
    liquidated: int
    defaulted: int
    lost: Decimal
    shortfall: Decimal
    beyond: Decimal
    house_result: Decimal
    uncovered: Decimal
