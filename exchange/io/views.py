"""History as the API shows it: fills, ledger entries, orders, trades, klines, settlements.

Written by clearing (`ledger.py`), read here. Each answer says at which `seq` it is true, which is
as far as clearing was at that moment.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeVar

import asyncpg

from exchange.io.db import LOST, queries
from exchange.io.errors import DatabaseUnavailable
from exchange.io.reached import Reached
from exchange.rules.clearing_rows import (
    KlineRow,
    OrderRow,
    SettlementRow,
    TradeRow,
    VariationRow,
)
from exchange.rules.settlement_run import Evidence, evidence_of
from matching.limits import ORDERS_MAX

_SQL: Final = {**queries("views"), "settlements": queries("settlements")["settlements"]}
_MAX: Final = (1 << 63) - 1

T = TypeVar("T")
Row = tuple[Any, ...]


class Fill(NamedTuple):
    """A trade from the side of one account."""

    account_idx: int
    seq: int
    leg: int
    side: int  # of this account's order
    is_maker: bool
    contract_idx: int
    order_id: int
    price_ticks: int
    qty_lots: int  # signed: positive when bought
    position_lots: int  # after the fill
    realised_usd_micros: int  # by this fill, against the average entry
    ts_ns: int
    client_order_id: str | None
    block: int  # 0: of the book; 1 a block, 2 an EFP: the order id is then the deal's
    fee_usd_micros: int = 0  # of trading and of clearing

    @property
    def trade_id(self) -> str:
        """Return the public id of the trade."""
        return f"{self.seq}-{self.leg}"


class LedgerEntry(NamedTuple):
    """A posting to an account's cash, and the transfer it belongs to."""

    version: int  # 1, 2, 3, ... of this account, unbroken
    transfer_id: int
    seq: int
    leg: int
    reason: str
    ref_id: int
    amount_usd_micros: int
    balance_usd_micros: int
    ts_ns: int


class TransferRow(NamedTuple):
    """A posting of any ledger account, with the transfer it belongs to."""

    transfer_id: int
    seq: int
    leg: int
    reason: str
    ref_id: int
    ts_ns: int
    code: str
    account_id: str | None  # None: the house's
    version: int
    amount_usd_micros: int  # of an asset: its units
    balance_usd_micros: int


class SettlementSeen(NamedTuple):
    """A settlement price, its revision, and what was seen of its contract."""

    row: SettlementRow
    revision: int  # of the price of its moment, from 1
    evidence: Evidence | None  # None where nothing was kept
    superseded: bool = False  # by a later revision

    @staticmethod
    def of(row: tuple[Any, ...]) -> "SettlementSeen":
        """Return it from a row of the query."""
        *columns, revision, superseded, body = row
        evidence = evidence_of(json.loads(body)) if body is not None else None
        return SettlementSeen(SettlementRow(*columns), revision, evidence, superseded)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows; `cursor` continues after them, None when there are no more."""

    seq: int  # what is here is true after this command
    rows: list[T]
    cursor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which rows: commands after `after_seq` and times in [from_ns, until_ns), in pages."""

    after_seq: int = 0
    from_ns: int = 0
    until_ns: int = _MAX
    limit: int = 100
    cursor: int | None = None  # of the page before


class Views:
    """Reads over any connection; newest first, where not said otherwise."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._reached = Reached(self.seq)

    async def reach(self, seq: int, timeout_s: float) -> int:
        """Wait until a command is posted, but not much longer than so; return the last one."""
        return await self._reached.wait(seq, timeout_s)

    async def seq(self) -> int:
        """Return the number of the last command that is posted.

        Errors:
            DatabaseUnavailable: the database does not answer; so of every read here.
        """
        seq: int = (await self._fetch("seq"))[0][0]
        return seq

    async def fills(
        self,
        account_idx: int,
        span: Span,
        *,
        contract_idx: int | None = None,
        order_id: int | None = None,
        oldest_first: bool = False,
    ) -> Page[Fill]:
        """Return the fills of an account; oldest first to catch up from `after_seq`."""
        at = _fill_place(span.cursor if span.cursor is not None else _edge(oldest_first))
        name = "fills_oldest" if oldest_first else "fills_newest"
        window = await self._window(span)
        rows = await self._fetch(
            name, account_idx, *window, contract_idx, order_id, *at, span.limit + 1
        )
        return page_of(rows, span, Fill._make, _fill_cursor)

    async def trades(
        self,
        contract_idx: int,
        span: Span,
        *,
        blocks_until_ns: int = _MAX,
        oldest_first: bool = False,
    ) -> Page[TradeRow]:
        """Return the trades of a contract; of blocks those that traded up to a moment."""
        at = _trade_place(span.cursor if span.cursor is not None else _edge(oldest_first))
        name = "trades_oldest" if oldest_first else "trades_newest"
        window = await self._window(span)
        rows = await self._fetch(name, contract_idx, *window, *at, blocks_until_ns, span.limit + 1)
        return page_of(rows, span, TradeRow._make, lambda t: t.seq * ORDERS_MAX + t.leg)

    async def ledger(
        self, account_idx: int, span: Span, *, oldest_first: bool = False
    ) -> Page[LedgerEntry]:
        """Return what was posted to an account's cash."""
        at = span.cursor if span.cursor is not None else _edge(oldest_first)
        name = "ledger_oldest" if oldest_first else "ledger_newest"
        window = await self._window(span)
        rows = await self._fetch(name, account_idx, *window, at, span.limit + 1)
        return page_of(rows, span, LedgerEntry._make, lambda entry: entry.version)

    async def transfer(self, transfer_id: int) -> list[TransferRow]:
        """Return every posting of a transfer, none when there is no such transfer."""
        rows = await self._fetch("transfer", transfer_id)
        return [TransferRow._make(tuple(row)[1:]) for row in rows if row[1] is not None]

    async def statement(self, account_idx: int, span: Span) -> Page[TransferRow]:
        """Return what was posted to all ledger accounts of an account, oldest first.

        The cursor is how many rows came before: they never change.
        """
        window, skipped = await self._window(span), span.cursor or 0
        rows = await self._fetch("own_statement", account_idx, *window, skipped, span.limit + 1)
        return page_of(rows, span, TransferRow._make, lambda row: skipped + span.limit)

    async def variations(
        self, account_idx: int, span: Span, *, contract_idx: int | None = None
    ) -> Page[VariationRow]:
        """Return the variation margin of an account by settlement; the ledger has it netted."""
        window = await self._window(span)
        rows = await self._fetch(
            "variations_newest", account_idx, *window, contract_idx, _before(span), span.limit + 1
        )
        return page_of(rows, span, VariationRow._make, lambda row: row.seq)

    async def orders(
        self,
        account_idx: int,
        span: Span,
        *,
        contract_idx: int | None = None,
        is_open: bool | None = None,
        but: Collection[int] = (),
    ) -> Page[OrderRow]:
        """Return orders, the last accepted first; `after_seq` and times are of acceptance.

        Without those of `but`: of orders that wait for a price the views know no state.
        """
        after_seq, until_seq, *times = await self._window(span)
        ids = (_last_order_id(after_seq), _last_order_id(until_seq))
        rows = await self._fetch(
            "orders_newest", account_idx, *ids, *times, contract_idx, is_open, _before(span),
            list(but), span.limit + 1,
        )  # fmt: skip
        return page_of(rows, span, OrderRow._make, lambda order: order.order_id)

    async def order(self, account_idx: int, order_id: int) -> OrderRow | None:
        """Return an order of an account, None when it has no such order."""
        rows = await self._fetch("order", account_idx, order_id)
        return OrderRow._make(rows[0]) if rows else None

    async def order_by_client(self, account_idx: int, client_order_id: str) -> OrderRow | None:
        """Return the last order of an account with a client order id."""
        rows = await self._fetch("order_by_client", account_idx, client_order_id)
        return OrderRow._make(rows[0]) if rows else None

    async def klines(self, contract_idx: int, interval_s: int, span: Span) -> Page[KlineRow]:
        """Return klines of 60, 3600 or 86400 s by their opening time; `after_seq` has no effect."""
        until_ns = min(span.until_ns, _before(span))
        rows = await self._fetch(
            "klines_newest", contract_idx, interval_s, span.from_ns, until_ns, span.limit + 1
        )
        return page_of(rows, span, KlineRow._make, lambda kline: kline.open_ns)

    async def settlements(
        self, span: Span, *, contract_idx: int | None = None, due_ns: int | None = None
    ) -> Page[SettlementSeen]:
        """Return settlement prices of one contract or all, perhaps of one moment."""
        window = await self._window(span)
        rows = await self._fetch(
            "settlements", *window, contract_idx, _before(span), due_ns, span.limit + 1
        )
        return page_of(rows, span, SettlementSeen.of, lambda seen: seen.row.seq)

    async def _window(self, span: Span) -> tuple[int, int, int, int]:
        """Return the bounds of seq and time; the seq lets an index find what the time selects."""
        after_seq, until_seq = span.after_seq, _MAX
        if span.from_ns > 0 or span.until_ns < _MAX:
            bounds = (await self._fetch("seq_range", span.from_ns, span.until_ns))[0]
            after_seq, until_seq = max(after_seq, bounds[0]), bounds[1]
        return after_seq, until_seq, span.from_ns, span.until_ns

    async def _fetch(self, query: str, *args: object) -> list[Row]:
        try:
            rows: list[Row] = await self._pool.fetch(_SQL[query], *args)
        except LOST as error:
            raise DatabaseUnavailable(f"cannot read the views: {error!r}") from error
        return rows


def page_of(
    rows: list[Row], span: Span, make: Callable[[Row], T], cursor: Callable[[T], int]
) -> Page[T]:
    """Return a page of rows fetched with one more than its limit, each led by the seq."""
    seq = rows[0][0]
    found = [make(tuple(row)[1:]) for row in rows if row[1] is not None]
    more = len(found) > span.limit
    found = found[: span.limit]
    return Page(seq, found, cursor(found[-1]) if more else None)


def _edge(oldest_first: bool) -> int:
    """Return a cursor before everything."""
    return 0 if oldest_first else _MAX


def _before(span: Span) -> int:
    return span.cursor if span.cursor is not None else _MAX


def _last_order_id(seq: int) -> int:
    """Return a number no order accepted up to a command is above."""
    return min(_MAX, (seq + 1) * ORDERS_MAX - 1)


# A cursor of fills is seq, leg and side in one number: a command has fewer legs than there are
# orders, so it stays below 2^63.


def _fill_cursor(fill: Fill) -> int:
    return (fill.seq * ORDERS_MAX + fill.leg) * 2 + fill.side


def _fill_place(cursor: int) -> tuple[int, int, int]:
    return (*_trade_place(cursor >> 1), cursor & 1)


def _trade_place(cursor: int) -> tuple[int, int]:
    return divmod(cursor, ORDERS_MAX)
