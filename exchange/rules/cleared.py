"""What clearing keeps of contracts and positions, and the rows of one transaction."""

from collections.abc import Iterable
from itertools import repeat
from operator import attrgetter
from typing import Final

from exchange.rules.clearing_rows import (
    AssetPriceRow,
    BalanceRow,
    ContractRow,
    CountRow,
    FeeRateRow,
    KlineRow,
    LedgerAccountRow,
    LiquidationEventRow,
    MinuteRow,
    OrderChangeRow,
    OrderRow,
    PositionEventRow,
    PositionMoveRow,
    PositionRow,
    PostingRow,
    SettlementRow,
    TradeRow,
    TransferRow,
    VariationRow,
    WaterfallUseRow,
)
from exchange.rules.clearing_rows_life import AccrualRow
from exchange.rules.klines import MINUTE_NS

_POSITION_FIELDS: Final = attrgetter(*PositionRow._fields)
_CONTRACT_FIELDS: Final = attrgetter(*ContractRow._fields)


class ClearedPosition:
    """One account's lots in one contract, against the clearing house."""

    __slots__ = (
        "account_idx",
        "carry_usd_micros",
        "contract_idx",
        "entry_usd_micros",
        "qty_lots",
        "realised_usd_micros",
        "updated_seq",
    )

    def __init__(self, account_idx: int, contract_idx: int) -> None:
        self.account_idx = account_idx
        self.contract_idx = contract_idx
        self.qty_lots = 0  # signed; short is negative
        self.entry_usd_micros = 0  # see entry.py
        self.realised_usd_micros = 0
        self.carry_usd_micros = 0  # see settlement_check.py
        self.updated_seq = 0

    def row(self) -> PositionRow:
        """Return the position as a row of its table."""
        return PositionRow._make(_POSITION_FIELDS(self))

    @staticmethod
    def rows(positions: "Iterable[ClearedPosition]") -> list[PositionRow]:
        """Return the rows of positions: as `row`, without a call for each."""
        return list(map(tuple.__new__, repeat(PositionRow), map(_POSITION_FIELDS, positions)))

    @staticmethod
    def of_row(row: PositionRow) -> "ClearedPosition":
        """Return what `row` was made of."""
        position = ClearedPosition(row.account_idx, row.contract_idx)
        for name, value in row._asdict().items():
            setattr(position, name, value)
        return position


class ClearedContract:
    """One contract and everyone who ever traded it."""

    __slots__ = (*ContractRow._fields, "positions")

    contract_idx: int
    symbol: str
    tick_value_usd_micros: int
    listed_seq: int
    listed_ns: int
    ends_ns: int
    state: int
    mark_ticks: int
    settle_ticks: int
    last_trade_ticks: int
    volume_lots: int
    open_interest_lots: int
    updated_seq: int
    legs: str
    fine_usd_micros: int

    def __init__(self, contract_idx: int, symbol: str) -> None:
        self.contract_idx = contract_idx
        self.symbol = symbol
        for name in ContractRow._fields[2:]:
            setattr(self, name, 0)
        self.legs = ""
        self.positions: dict[int, ClearedPosition] = {}  # by account_idx

    def position(self, account_idx: int) -> ClearedPosition:
        """Return the position of an account, opened when it has none yet."""
        position = self.positions.get(account_idx)
        if position is None:
            position = ClearedPosition(account_idx, self.contract_idx)
            self.positions[account_idx] = position
        return position

    def row(self) -> ContractRow:
        """Return the contract as a row of its table."""
        return ContractRow._make(_CONTRACT_FIELDS(self))

    @staticmethod
    def of_row(row: ContractRow) -> "ClearedContract":
        """Return what `row` was made of, without its positions."""
        contract = ClearedContract(row.contract_idx, row.symbol)
        for name, value in row._asdict().items():
            setattr(contract, name, value)
        return contract


class Effects:
    """All rows that the commands after `after_seq`, up to `last_seq`, add or change."""

    def __init__(self, after_seq: int) -> None:
        self.after_seq = after_seq
        self.last_seq = after_seq
        self.last_ns = 0  # time of the last command
        self.ledger_accounts: list[LedgerAccountRow] = []
        self.transfers: list[TransferRow] = []
        self.postings: list[PostingRow] = []
        self.balances: list[BalanceRow] = []
        self.trades: list[TradeRow] = []
        self.position_events: list[PositionEventRow] = []
        self.variations: list[VariationRow] = []
        self.settlements: list[SettlementRow] = []
        self.accruals: list[AccrualRow] = []
        self.liquidation_events: list[LiquidationEventRow] = []
        self.position_moves: list[PositionMoveRow] = []
        self.waterfall_uses: list[WaterfallUseRow] = []
        self.counts: list[CountRow] = []
        self.fee_rates: list[FeeRateRow] = []
        self.asset_prices: list[AssetPriceRow] = []
        self.orders: list[OrderRow] = []
        self.order_changes: list[OrderChangeRow] = []
        self.klines: list[KlineRow] = []
        self.minutes: list[MinuteRow] = []
        self.contracts: list[ContractRow] = []
        self.positions: list[PositionRow] = []
        self._minute_ns = -1

    def see_minute(self, seq: int, ts_ns: int) -> None:
        """Note the first command of each minute."""
        minute_ns = ts_ns - ts_ns % MINUTE_NS
        if minute_ns != self._minute_ns:
            self._minute_ns = minute_ns
            self.minutes.append(MinuteRow(minute_ns, seq))
