"""What a batch touched."""

from typing import NamedTuple

from exchange.rules.deals import Deal
from exchange.rules.records import Order, Trade


class SettlementSaid(NamedTuple):
    """A settlement price as its command said it."""

    seq: int
    contract_idx: int
    cycle: int  # 0: daily
    price_ticks: int
    previous_ticks: int
    rule: int  # place in `settlement_run.RULES` plus one, 0 where nobody said
    source_idx: int  # the contract it followed, -1 for none
    due_ns: int
    run: str  # names what it comes from


class LiquidationSaid(NamedTuple):
    """A liquidation begins (step 1) or ends (2), and what it was judged by."""

    seq: int
    liquidation_id: int
    account_idx: int
    step: int
    equity_usd_micros: int
    initial_usd_micros: int
    maintenance_usd_micros: int
    ts_ns: int


class Changes:
    """What a batch touched. Values are read from the mirror, after the batch."""

    __slots__ = (
        "accounts",
        "accruals",
        "blocks",
        "contracts",
        "deals",
        "first_seq",
        "last_seq",
        "leg_trades",
        "levels",
        "liquidations",
        "orders",
        "positions",
        "settlements",
        "trades",
        "ts_ns",
        "variations",
    )

    def __init__(self) -> None:
        self.first_seq = 0
        self.last_seq = 0
        self.ts_ns = 0  # of the last command
        self.levels: set[tuple[int, int, int]] = set()  # contract_idx, side, price_ticks
        self.orders: dict[int, Order] = {}  # also those that ended in the batch
        self.positions: set[tuple[int, int]] = set()  # account_idx, contract_idx
        self.accounts: set[int] = set()  # cash, unsettled or state
        self.contracts: set[int] = set()  # mark, settle, band, state, last trade, listed
        self.trades: list[Trade] = []  # of the book
        self.leg_trades: list[Trade] = []  # what combinations traded, leg by leg
        self.blocks: list[Trade] = []  # agreed on by two: published later than the others
        self.deals: dict[int, Deal] = {}  # also those that ended in the batch
        self.liquidations: list[LiquidationSaid] = []
        self.settlements: list[SettlementSaid] = []
        self.accruals: dict[int, int] = {}  # contract_idx: what a lot gained in delivery
        self.variations: list[tuple[int, int, int, int]] = []  # seq, account, contract, amount
