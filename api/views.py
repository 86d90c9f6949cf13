"""What the API reads of clearing's views: history, which the mirror does not keep."""

from collections.abc import Collection
from typing import Any, Final, Protocol

from api import answers
from api.errors import Problem, core_problem
from exchange.io.views import Fill, LedgerEntry, Page, SettlementSeen, Span, TransferRow
from exchange.rules.clearing_rows import KlineRow, OrderRow, TradeRow
from exchange.rules.mirror_state import MirrorState
from matching.codes import Code

WAIT_S: Final = 3.0


class Views(Protocol):
    """Reads of Postgres, true at the `seq` that clearing has reached: `exchange.io.views`."""

    async def reach(self, seq: int, timeout_s: float) -> int:
        """Wait until clearing has posted a command; return the last one that it has."""
        ...

    async def order(self, account_idx: int, order_id: int) -> OrderRow | None:
        """Return an order of an account, None when it has no such order."""
        ...

    async def order_by_client(self, account_idx: int, client_order_id: str) -> OrderRow | None:
        """Return the last order of an account with a client order id."""
        ...

    async def orders(
        self,
        account_idx: int,
        span: Span,
        *,
        contract_idx: int | None = None,
        is_open: bool | None = None,
        but: Collection[int] = (),
    ) -> Page[OrderRow]:
        """Return orders, the last accepted first, without those of `but`."""
        ...

    async def fills(
        self,
        account_idx: int,
        span: Span,
        *,
        contract_idx: int | None = None,
        order_id: int | None = None,
        oldest_first: bool = False,
    ) -> Page[Fill]:
        """Return the fills of an account."""
        ...

    async def trades(
        self, contract_idx: int, span: Span, *, blocks_until_ns: int
    ) -> Page[TradeRow]:
        """Return the trades of a contract, newest first; blocks up to a moment."""
        ...

    async def ledger(
        self, account_idx: int, span: Span, *, oldest_first: bool = False
    ) -> Page[LedgerEntry]:
        """Return what was posted to an account's cash."""
        ...

    async def transfer(self, transfer_id: int) -> list[TransferRow]:
        """Return every posting of a transfer, none when there is no such transfer."""
        ...

    async def statement(self, account_idx: int, span: Span) -> Page[TransferRow]:
        """Return what was posted to all ledger accounts of an account, oldest first."""
        ...

    async def klines(self, contract_idx: int, interval_s: int, span: Span) -> Page[KlineRow]:
        """Return klines, newest first."""
        ...

    async def settlements(
        self, span: Span, *, contract_idx: int | None = None, due_ns: int | None = None
    ) -> Page[SettlementSeen]:
        """Return settlement prices of one contract or all, perhaps of one moment."""
        ...


async def caught_up(views: Views, seq: int) -> None:
    """Wait until the views show command `seq`.

    Errors:
        Problem: `views_behind` when they do not in time.
    """
    shown = await views.reach(seq, WAIT_S)
    if shown < seq:
        raise Problem("views_behind", f"clearing is at {shown}, the journal at {seq}")


async def find_order(
    views: Views, state: MirrorState, account_idx: int, order_id: int, client_order_id: str
) -> dict[str, Any]:
    """Return an order that the mirror does not know, by either id.

    Errors:
        Problem: `order_unknown`.
    """
    await caught_up(views, state.seq)
    if order_id:
        row = await views.order(account_idx, order_id)
    else:
        row = await views.order_by_client(account_idx, client_order_id)
    if row is None:
        raise core_problem(Code.ORDER_UNKNOWN)
    return answers.order_row(state.contracts[row.contract_idx], row)
