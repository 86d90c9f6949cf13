"""The ledger and the views in Postgres, written by clearing alone.

A transaction holds everything that one or several whole batches of the journal did, and how far
that is (`follower`): taken again, a batch changes nothing; taken twice at once, one of the two
fails. Which batches shared a transaction is not visible in the result.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from exchange.io.copying import binary_rows, layout_of
from exchange.io.db import queries
from exchange.io.errors import Corrupt, ExchangeError
from exchange.rules.cleared import ClearedContract, ClearedPosition, Effects
from exchange.rules.clearing_house import ClearingHouse
from exchange.rules.clearing_rows import (
    BalanceRow,
    ContractRow,
    LedgerAccountRow,
    PositionRow,
    TransferRow,
)
from exchange.rules.core_books import CoreBooks
from exchange.rules.fees import Rates
from exchange.rules.ledger_months import month_of, month_start_ns
from exchange.rules.postings import Books

# A settlement of everything at once is millions of rows: slow is not lost.
TIMEOUT_S: Final = 600.0
TIME_MAX_NS: Final = 2**63 - 1  # of the year 2262
MONTHS_AHEAD: Final = 2  # whose partitions are made when a month is written to first

SQL: Final = queries("ledger")


Row = tuple[Any, ...]  # a NamedTuple of clearing_rows


class LedgerMismatch(Corrupt):
    """The ledger contradicts the journal, the core, or itself: nothing more may be posted."""


class ClearingMoved(ExchangeError):
    """Another process has posted what this one was about to post: read the ledger again."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something in the tables that must never be."""

    rule: str
    place: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.place}: expected {self.expected}, found {self.found}"


class Ledger:
    """Reads and writes over one connection of its own."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._is_prepared = False
        self._months: set[int] = set()  # that have partitions, as we know

    async def seq(self) -> int:
        """Return the number of the last command that is posted."""
        seq: int = await self._connection.fetchval(SQL["clearing_seq"])
        return seq

    async def try_lock(self) -> bool:
        """Become the one that clears, until the connection ends; False: another is."""
        locked: bool = await self._connection.fetchval(SQL["clearing_lock"])
        return locked

    async def load(self) -> ClearingHouse:
        """Return the clearing house as the last transaction left it."""
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            seq = await self.seq()
            transfer_id = await self._connection.fetchval(SQL["last_transfer_id"])
            accounts = await self._rows("ledger_accounts")
            books = Books([LedgerAccountRow(*row) for row in accounts], transfer_id)
            for row in await self._rows("balances"):
                books.set_balance(BalanceRow(*row))
            house = ClearingHouse(books, seq)
            counted = await self._rows("counted_at", seq)
            house.counted_usd_micros = {row[0]: row[1] for row in counted}
            for idx, *rates in await self._rows("fee_rates_at", seq):
                house.fee_rates[idx] = Rates(*rates)
            for row in await self._rows("contracts"):
                house.contracts.append(ClearedContract.of_row(ContractRow(*row)))
            for row in await self._rows("positions"):
                position = ClearedPosition.of_row(PositionRow(*row))
                house.contracts[position.contract_idx].positions[position.account_idx] = position
        return house

    async def prepare(self, effects: Effects) -> None:
        """Make connection and ledger ready to write these; again it does nothing."""
        if not self._is_prepared:
            await self._connection.execute(SQL["make_staging"])
            self._is_prepared = True
        await self._make_months(effects.transfers)

    async def write(self, effects: Effects) -> None:
        """Write all of it, or nothing.

        Errors:
            ClearingMoved: the ledger is not where these effects begin.
            LedgerMismatch: they change an order that the ledger does not know.
        """
        await self.prepare(effects)
        async with self._connection.transaction():
            await self._move(effects)
            await self._fill(effects)

    async def archived_seq(self) -> int:
        """Return the last command of the months that were taken out; 0 when none was."""
        seq: int = await self._connection.fetchval(SQL["archived_seq"])
        return seq

    async def books_at(self, seq: int) -> CoreBooks:
        """Return what the ledger had after a command that is posted."""
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            cash = await self._rows("cash_at", seq)
            lots = await self._rows("positions_at", seq)
            counted = await self._rows("counted_at", seq)
            units = await self._rows("units_at", seq)
        return CoreBooks(
            {row[0]: row[1] for row in cash},
            {(row[0], row[1]): row[2] for row in lots},
            {row[0]: row[1] for row in counted},
            {(row[0], row[1]): row[2] for row in units},
        )

    async def violations(self, *, history: bool) -> list[Violation]:
        """Return what must not be, ten of each rule; with `history` everything is read through."""
        rows = await self._rows("violations" if history else "violations_now")
        return [Violation(*row) for row in rows]

    async def _make_months(self, transfers: Sequence[TransferRow]) -> None:
        """Make the partitions of months we did not write to yet, and of those that come next.

        Before the transaction that needs them: a partition that is empty changes nothing.
        """
        if new := {month_of(row.ts_ns) for row in transfers} - self._months:
            wanted = {month for first in new for month in range(first, first + 1 + MONTHS_AHEAD)}
            starts = [min(month_start_ns(month), TIME_MAX_NS) for month in sorted(wanted)]
            await self._connection.execute(SQL["make_months"], starts, timeout=TIMEOUT_S)
            self._months |= new

    async def _move(self, effects: Effects) -> None:
        moved = await self._connection.fetchval(
            SQL["move_clearing"], effects.after_seq, effects.last_seq
        )
        if moved is None:
            raise ClearingMoved(f"the ledger is not at command {effects.after_seq} any more")

    async def _fill(self, effects: Effects) -> None:
        await self._append(effects)
        await self._put("put_balances", effects.balances)
        await self._put("put_contracts", effects.contracts)
        await self._put_staged("put_positions", "staged_position", effects.positions)
        await self._put("put_klines", effects.klines)
        await self._put("put_minutes", effects.minutes)
        changed = await self._put_staged(
            "change_orders", "staged_order_change", effects.order_changes
        )
        if changed != len(effects.order_changes):
            raise LedgerMismatch(
                f"of {len(effects.order_changes)} orders that changed in commands"
                f" {effects.after_seq + 1} to {effects.last_seq} the ledger knows {changed}"
            )

    async def _append(self, effects: Effects) -> None:
        tables: Mapping[str, Sequence[Row]] = {
            "ledger_account": effects.ledger_accounts,
            "transfer": effects.transfers,
            "posting": effects.postings,
            "trade": effects.trades,
            "position_event": effects.position_events,
            "settlement": effects.settlements,
            "accrual": effects.accruals,
            "variation": effects.variations,
            "liquidation_event": effects.liquidation_events,
            "position_move": effects.position_moves,
            "waterfall_use": effects.waterfall_uses,
            "collateral_count": effects.counts,
            "fee_rate": effects.fee_rates,
            "asset_price": effects.asset_prices,
            "order_history": effects.orders,
        }
        for table, rows in tables.items():
            await self._copy(table, rows)

    async def _put(self, query: str, rows: Sequence[Row]) -> int:
        """Run a query over the columns of the rows; return how many rows it changed."""
        if not rows:
            return 0
        return await self._run(query, *zip(*rows, strict=True))

    async def _put_staged(self, query: str, table: str, rows: Sequence[Row]) -> int:
        """Copy the rows into a temporary table and run a query over it."""
        if not rows:
            return 0
        await self._copy(table, rows)
        return await self._run(query)

    async def _run(self, query: str, *args: object) -> int:
        status: str = await self._connection.execute(SQL[query], *args, timeout=TIMEOUT_S)
        return int(status.rsplit(" ", 1)[1])

    async def _copy(self, table: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        columns = rows[0]._fields  # type: ignore[attr-defined]
        if layout := layout_of(type(rows[0])):
            texts = layout.texts
            plain = [row for row in rows if row[texts[0]] is None] if texts else rows
            rows = [row for row in rows if row[texts[0]] is not None] if texts else ()
            source = binary_rows(layout, plain)
            await self._connection.copy_to_table(
                table, source=source, columns=columns, format="binary", timeout=TIMEOUT_S
            )
        if rows:
            await self._connection.copy_records_to_table(
                table, records=rows, columns=columns, timeout=TIMEOUT_S
            )

    async def _rows(self, query: str, *args: object) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self._connection.fetch(
            SQL[query], *args, timeout=TIMEOUT_S
        )
        return rows
