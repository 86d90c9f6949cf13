"""What the risk desk is answered, as shapes; see `shapes.py`."""

from api.shapes import Answer, Part
from api.shapes_account import Position
from api.shapes_defaults import DrillLayer
from api.shapes_margin import Loss, Margin


class RiskRow(Part):
    """An account at a glance; `used_bps` is maintenance over equity, None without equity."""

    account_id: str
    kind: str
    state: str
    cash: str
    equity: str
    initial_margin: str
    maintenance_margin: str
    used_bps: int | None
    price_loss: str
    fee_reserve: str
    free: str
    liquidity: str
    concentration: str
    positions: int
    orders: int
    worst_scenario: int | None
    worst_name: str | None
    worst_story: str | None
    worst_loss: str


class RiskTotals(Part):
    """All accounts together; `missing` is what lacks up to their initial margins."""

    accounts: int
    by_state: dict[str, int]
    cash: str
    equity: str
    initial_margin: str
    maintenance_margin: str
    liquidity: str
    concentration: str
    missing: str
    insurance_fund: str | None


class PositionLosses(Part):
    """What a position loses in each scenario, in their order."""

    symbol: str
    quantity: str
    losses: list[str]


class Posting(Part):
    """A posting on an account's cash."""

    transfer_id: str
    version: int
    seq: int
    leg: int
    reason: str
    ref_id: str
    amount: str
    balance: str
    ts: int
    ts_ns: str


class LedgerPlace(Part):
    """As of which command the postings are, and where older ones begin."""

    seq: int
    next_cursor: str | None


class TransferSide(Part):
    """One posting of a transfer; `account_id` is None on the house's side."""

    account: str
    account_id: str | None
    version: int
    amount: str
    balance: str


class LedgerTransfer(Part):
    """A transfer with all its postings, which sum to zero."""

    transfer_id: str
    seq: int
    leg: int
    reason: str
    ref_id: str
    ts: int
    ts_ns: str
    postings: list[TransferSide]


class StressOutcome(Part):
    """What a story does to all: `beyond` is what accounts lose that they do not have."""

    name: str
    story: str
    source: str
    mirrored: bool
    whole: bool
    accounts: int
    fates: dict[str, int]
    lost: str
    pnl_sum: str
    shortfall: str
    beyond: str
    house_pnl: str
    house_result: str
    uncovered: str


class StressAccount(Part):
    """What a story does to an account."""

    account_id: str
    fate: str
    pnl: str
    collateral_change: str
    equity_before: str
    equity_after: str
    initial_margin: str
    maintenance_margin: str
    shortfall: str


class StressMove(Part):
    """A contract's mark, now and in the story."""

    symbol: str
    mark_price: str
    stress_price: str


class StoryOfAccount(StressAccount):
    """What one story does to the account."""

    name: str
    story: str


class StressNight(Part):
    """What was played after a settlement."""

    day: str
    name: str
    whole: bool
    seq: int
    accounts: int
    called: int
    liquidated: int
    defaulted: int
    lost: str
    shortfall: str
    beyond: str
    house_result: str
    uncovered: str


class RiskAnswer(Answer):
    """Accounts, the nearest to its end first; `matching` is how many there are of the state."""

    accounts: list[RiskRow]
    matching: int
    totals: RiskTotals


class RiskAccountAnswer(Answer):
    """One account, down to its postings."""

    account: RiskRow
    margin: Margin
    positions: list[Position]
    scenarios: list[Loss]
    position_losses: list[PositionLosses]
    postings: list[Posting]
    ledger: LedgerPlace


class PostingsAnswer(Answer):
    """Postings, newest first."""

    postings: list[Posting]
    next_cursor: str | None


class LedgerTransferAnswer(Answer):
    """One transfer."""

    transfer: LedgerTransfer


class StatementEntry(Part):
    """A posting on one of the account's ledger accounts; amounts are in wholes of `asset`."""

    transfer_id: str
    seq: int
    leg: int
    reason: str
    ref_id: str
    ledger_account: str
    asset: str
    version: int
    amount: str
    balance: str
    ts: int
    ts_ns: str


class StatementAnswer(Answer):
    """A month of postings, oldest first."""

    entries: list[StatementEntry]
    next_cursor: str | None


class StressAnswer(Answer):
    """Every story; nothing was changed."""

    stories: list[StressOutcome]


class StoryAnswer(Answer):
    """One story, account by account; nothing was changed."""

    outcome: StressOutcome
    accounts: list[StressAccount]
    layers: list[DrillLayer]
    moves: list[StressMove]


class AccountStressAnswer(Answer):
    """Every story for one account; nothing was changed."""

    stories: list[StoryOfAccount]


class StressNightAnswer(Answer):
    """Results of a night, the house's worst first."""

    results: list[StressNight]
