"""Ledger and views: every row that the batches should have made, against the row that is stored."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from exchange.io.stored import RowsUnreadable, Stored
from exchange.rules.cleared import Effects
from exchange.rules.clearing_house import ClearingHouse
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
    OpeningRow,
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
from exchange.rules.findings import Finding, rows_differ
from exchange.rules.klines import NS_PER_S, merged
from exchange.rules.order_history import changed
from exchange.rules.postings import HOUSE_ACCOUNTS
from matching.limits import SEQ_MAX

FLUSH_EVENTS: Final = 50_000


class Table(NamedTuple):
    """A table, the NamedTuple of its rows, and the fields that name a row."""

    name: str
    make: Any
    keys: tuple[str, ...]

    def key(self, row: Any) -> tuple[Any, ...]:
        """Return what names a row."""
        return tuple(getattr(row, name) for name in self.keys)

    def by_key(self, rows: Sequence[Any]) -> dict[Hashable, Any]:
        """Return the rows by their key."""
        return {self.key(row): row for row in rows}

    def differences(self, expected: Sequence[Any], found: Sequence[Any]) -> Iterator[Finding]:
        """Yield what differs."""
        return rows_differ(self.name, self.keys, self.by_key(expected), self.by_key(found))


TRANSFER = Table("transfer", TransferRow, ("transfer_id",))
POSTING = Table("posting", PostingRow, ("transfer_id", "ledger_account_id"))
TRADE = Table("trade", TradeRow, ("seq", "leg"))
VARIATION = Table("variation", VariationRow, ("seq", "account_idx"))
SETTLEMENT = Table("settlement", SettlementRow, ("seq", "contract_idx"))
ACCRUAL = Table("accrual", AccrualRow, ("contract_idx", "seq"))
LIQUIDATION = Table("liquidation_event", LiquidationEventRow, ("seq",))
MOVE = Table("position_move", PositionMoveRow, ("seq",))
USE = Table("waterfall_use", WaterfallUseRow, ("seq",))
COUNT = Table("collateral_count", CountRow, ("account_idx", "seq"))
FEE_RATE = Table("fee_rate", FeeRateRow, ("account_idx", "seq"))
ASSET_PRICE = Table("asset_price", AssetPriceRow, ("asset", "seq"))
MINUTE = Table("journal_minute", MinuteRow, ("minute_ns",))
EVENT = Table("position_event", PositionEventRow, ("account_idx", "seq", "leg", "side"))
ORDER = Table("order_history", OrderRow, ("account_idx", "order_id"))
KLINE = Table("kline", KlineRow, ("contract_idx", "interval_s", "open_ns"))
LEDGER_ACCOUNT = Table("ledger_account", LedgerAccountRow, ("ledger_account_id",))
OPENING = Table("ledger_opening", OpeningRow, ("ledger_account_id",))
BALANCE = Table("balance", BalanceRow, ("ledger_account_id",))
CONTRACT = Table("contract", ContractRow, ("contract_idx",))
POSITION = Table("position", PositionRow, ("account_idx", "contract_idx"))

BY_SEQ: Final[tuple[tuple[Table, Callable[[Effects], Sequence[Any]]], ...]] = (
    (TRANSFER, lambda effects: effects.transfers),
    (TRADE, lambda effects: effects.trades),
    (VARIATION, lambda effects: effects.variations),
    (SETTLEMENT, lambda effects: effects.settlements),
    (ACCRUAL, lambda effects: effects.accruals),
    (LIQUIDATION, lambda effects: effects.liquidation_events),
    (MOVE, lambda effects: effects.position_moves),
    (USE, lambda effects: effects.waterfall_uses),
    (COUNT, lambda effects: effects.counts),
    (FEE_RATE, lambda effects: effects.fee_rates),
    (ASSET_PRICE, lambda effects: effects.asset_prices),
)


class Tables:
    """Keeps a clearing house of its own beside the replay."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self.house = ClearingHouse()
        self._events = 0  # taken and not compared yet
        self._transfer_id = 0
        self._archived_id = 0  # up to which transfers are in months that were taken out
        self._openings: dict[int, OpeningRow] = {}  # what those left, by ledger account
        self._counts: dict[str, int] = {}
        self._orders: dict[int, OrderRow] = {}  # open ones: they may still change
        self._klines: dict[tuple[int, int, int], KlineRow] = {}  # of intervals that go on
        self._minutes: dict[int, MinuteRow] = {}
        self._accounts: list[LedgerAccountRow] = list(HOUSE_ACCOUNTS)
        self._state: dict[Table, dict[Hashable, Any]] = {BALANCE: {}, CONTRACT: {}, POSITION: {}}

    def apply(self, commands: np.ndarray, events: np.ndarray) -> bool:
        """Take a batch; say whether it is time to `flush`.

        Errors:
            ClearingMismatch: the core's variation margin is not what clearing computes.
        """
        self.house.apply(commands, events)
        self._events += len(events)
        return self._events >= FLUSH_EVENTS

    async def flush(self) -> list[Finding]:
        """Compare what was taken since the last call."""
        effects = self.house.take()
        self._events = 0
        found: list[Finding] = []
        await self._leave_archived(effects)
        for table, rows_of in BY_SEQ:
            expected = rows_of(effects)
            bounds = (effects.after_seq, effects.last_seq)
            found += await self._compared(table, expected, *bounds)
        found += await self._flush_postings(effects)
        found += await self._flush_keyed(EVENT, effects.position_events)
        found += await self._flush_minutes(effects)
        found += await self._flush_keyed(ORDER, self._ended_orders(effects))
        found += await self._flush_keyed(KLINE, self._ended_klines(effects))
        self._accounts += effects.ledger_accounts
        for table, changes in (
            (BALANCE, effects.balances),
            (CONTRACT, effects.contracts),
            (POSITION, effects.positions),
        ):
            self._state[table].update(table.by_key(changes))
        return found

    async def finish(self) -> list[Finding]:
        """Compare what is as it is after the last batch, and look for rows too many."""
        found = await self.flush()
        found += await self._flush_keyed(ORDER, list(self._orders.values()))
        found += await self._flush_keyed(KLINE, list(self._klines.values()))
        for table, latest in self._state.items():
            found += await self._compared(table, list(latest.values()))
        found += await self._compared(LEDGER_ACCOUNT, self._accounts)
        found += await self._compared(OPENING, list(self._openings.values()))
        found += await self._later_rows()
        return found + await self._rows_too_many()

    async def _rows_too_many(self) -> list[Finding]:
        """Return the tables with more rows than expected; missing ones were named one by one."""
        try:
            counts = await self._stored.counts()
        except RowsUnreadable as error:
            return [Finding(error.table, "all", "rows", "readable", error.reason)]
        expected = {name: self._counts.get(name, 0) for name in counts}
        return [
            Finding(name, "all", "rows", str(expected[name]), str(count))
            for name, count in counts.items()
            if count > expected[name]
        ]

    async def _later_rows(self) -> list[Finding]:
        """Return rows of commands that clearing has not reached."""
        found: list[Finding] = []
        for table, _ in BY_SEQ:
            found += await self._compared(table, [], self.house.seq, SEQ_MAX)
        return found

    async def _leave_archived(self, effects: Effects) -> None:
        """Take what was archived out of what is due; what it left is due instead."""
        self._archived_id, _ = await self._stored.archived()
        if self._transfer_id >= self._archived_id:
            return
        for row in effects.postings:
            if row.transfer_id <= self._archived_id:
                place = (row.ledger_account_id, row.version, row.balance_usd_micros)
                self._openings[row.ledger_account_id] = OpeningRow(*place)
        left = self._archived_id
        effects.transfers = [row for row in effects.transfers if row.transfer_id > left]
        effects.postings = [row for row in effects.postings if row.transfer_id > left]

    async def _flush_postings(self, effects: Effects) -> list[Finding]:
        first, self._transfer_id = self._transfer_id, self.house.books.transfer_id
        return await self._compared(POSTING, effects.postings, first, self._transfer_id)

    async def _flush_minutes(self, effects: Effects) -> list[Finding]:
        expected = [row for row in effects.minutes if row.minute_ns not in self._minutes]
        # Only the newest can come again.
        self._minutes = {row.minute_ns: row for row in (expected or self._minutes.values())}
        return await self._compared(MINUTE, expected, effects.after_seq, effects.last_seq)

    async def _flush_keyed(self, table: Table, expected: Sequence[Any]) -> list[Finding]:
        if not expected:
            return []
        keys: list[Any] = sorted(table.by_key(expected))
        return await self._compared(table, expected, *zip(*keys, strict=True))

    async def _compared(
        self, table: Table, expected: Sequence[Any], *args: object
    ) -> list[Finding]:
        """Return how the stored rows of a query differ from those expected."""
        self._counts[table.name] = self._counts.get(table.name, 0) + len(expected)
        try:
            rows = await self._stored.rows(table.name, table.make, *args)
        except RowsUnreadable as error:
            return [Finding(table.name, "some row", "row", "readable", error.reason)]
        if sorted(expected, key=table.key) == sorted(rows, key=table.key):
            return []
        return list(table.differences(expected, rows))

    def _ended_orders(self, effects: Effects) -> list[OrderRow]:
        ended, orders = [], self._orders
        before = [orders.pop(change.order_id) for change in effects.order_changes]
        after = map(changed, before, effects.order_changes)
        for row in (*effects.orders, *after):
            if row.open_lots:
                orders[row.order_id] = row
            else:
                ended.append(row)
        return ended

    def _ended_klines(self, effects: Effects) -> list[KlineRow]:
        klines = self._klines
        for row in effects.klines:
            key = row[:3]
            klines[key] = merged(klines[key], row) if key in klines else row
        now_ns = effects.last_ns
        ended = [k for k in klines.values() if k.open_ns + k.interval_s * NS_PER_S <= now_ns]
        for row in ended:
            del klines[row[:3]]
        return ended
