"""Receipts in Postgres: one writer at a time adds events; money that they move goes with them.

A deed is one transaction: its events, where the receipts stand, and the transfers that the outbox
carries out. Killed in between, it is as if it never began. What the core said of a payment becomes
an event once, whoever looks and however often.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import asyncpg

from exchange.io.db import LOST, queries
from exchange.io.errors import DatabaseUnavailable, Invalid, NotFound
from exchange.io.notify import OUTBOX
from exchange.io.store import Store
from exchange.rules.delivery import deeds
from exchange.rules.delivery.deeds import ESCROW, Deed, Payment, Purpose
from exchange.rules.delivery.metering import GRACE_HOURS, Hour, Reading, assess, is_due
from exchange.rules.delivery.receipts import (
    EMPTY,
    NS_PER_HOUR,
    Event,
    Head,
    Receipt,
    Status,
    chained,
    receipt_of,
)
from matching.limits import TRANSFER_USD_MICROS_MAX

ID_MAX: Final = (1 << 62) - 1
TOGETHER: Final = 100
HISTORY_MAX: Final = 10_000
ESCROW_ID: Final = "delivery-escrow"

_SQL: Final = queries("delivery")
_REGISTRY: Final = queries("registry")


class Answer(NamedTuple):
    """What the core said of a payment."""

    payment_id: int
    receipt_id: str
    payment: Payment
    is_done: bool


class Row(NamedTuple):
    """A receipt, and the number of its newest event."""

    receipt: Receipt
    number: int


Act = Callable[[Receipt], Deed]


class PostgresReceipts(Store):
    """The registry of receipts."""

    async def issue(self, receipt: Receipt, now_ns: int) -> Receipt:
        """Begin a receipt; the same again is the one that is there.

        Errors:
            Refused: a node of it is on another receipt in these hours.
            Invalid: a bond larger than one transfer.
        """
        async with Writing(self._pool, now_ns) as book:
            known = await book.receipt(receipt.receipt_id)
            if known is not None:
                return known
            rows = await book.rows("issued", receipt.issuer_idx, receipt.start_hour)
            others = [receipt_of(row["body"]) for row in rows]
            await book.write(deeds.issue(receipt, others))
        return receipt

    async def act(self, receipt_id: str, act: Act, now_ns: int) -> Receipt:
        """Do something with a receipt; return it as it is then.

        Errors:
            NotFound: there is no such receipt.
            Refused: the rules say no.
        """
        async with Writing(self._pool, now_ns) as book:
            deed = act(await book.need(receipt_id))
            await book.write(deed)
        return deed.changes[0].receipt

    async def get(self, receipt_id: str) -> Receipt | None:
        """Return a receipt."""
        body = await self._value(_SQL["current"], receipt_id)
        return None if body is None else receipt_of(body)

    async def own(
        self, account_idx: int, *, before: int = ID_MAX, status: str | None = None, limit: int = 100
    ) -> list[Row]:
        """Return what an account holds, issued, may buy or holds in pledge, newest first."""
        rows = await self._rows(_SQL["own"], account_idx, min(before, ID_MAX), status, limit)
        return [Row(receipt_of(row["body"]), row["number"]) for row in rows]

    async def offers(
        self, *, before: int = ID_MAX, sku: str | None = None, hub: str | None = None,
        limit: int = 100,
    ) -> list[Row]:  # fmt: skip
        """Return what anybody may buy, newest first."""
        rows = await self._rows(_SQL["offers"], min(before, ID_MAX), sku, hub, limit)
        return [Row(receipt_of(row["body"]), row["number"]) for row in rows]

    async def history(self, receipt_id: str) -> list[Event]:
        """Return what happened to a receipt, oldest first."""
        rows = await self._rows(_SQL["history"], receipt_id, HISTORY_MAX)
        return [Event(*row) for row in rows]

    async def events(self, after: int, until: int = ID_MAX, limit: int = 2_000) -> list[Event]:
        """Return events in the order of the chain."""
        return [Event(*row) for row in await self._rows(_SQL["events"], after, until, limit)]

    async def claims(self, before: int = ID_MAX, limit: int = 100) -> list[Event]:
        """Return events that left something for the default fund, newest first."""
        rows = await self._rows(_SQL["claims"], min(before, ID_MAX), limit)
        return [Event(*row) for row in rows]

    async def escrow_idx(self) -> int | None:
        """Return the account of the registry, None before anybody was admitted."""
        row = await self._row(_REGISTRY["account_by_id"], ESCROW_ID)
        return None if row is None else int(row["account_idx"])

    # For the leader alone

    async def answers(self) -> list[Answer]:
        """Return what the core decided and no event says yet, oldest first."""
        rows = await self._rows(_SQL["answered"], TOGETHER)
        return [
            Answer(
                row["payment_id"], row["receipt_id"],
                Payment(Purpose(row["purpose"]), row["place"], row["from_idx"], row["to_idx"],
                        row["amount_usd_micros"]),
                row["done"],
            )
            for row in rows
        ]  # fmt: skip

    async def settle(self, answer: Answer, now_ns: int) -> None:
        """Write what follows from an answer, once."""
        async with Writing(self._pool, now_ns) as book:
            if await book.value("is_answered", answer.payment_id):
                return
            receipt = await book.need(answer.receipt_id)
            deed = deeds.answered(receipt, answer.payment, answer.is_done)
            await book.write(deed, answer.payment_id)

    async def due(self, now_ns: int) -> list[Receipt]:
        """Return receipts of which an hour is to be judged, or that are over, oldest first."""
        hour = now_ns // NS_PER_HOUR - GRACE_HOURS - 1
        rows = await self._rows(_SQL["due"], hour, TOGETHER)
        found = [await self.get(row["receipt_id"]) for row in rows]
        return [one for one in found if one is not None]

    async def judge(
        self, receipt_id: str, index_usd_micros: int, free_usd_micros: int, hour: int, now_ns: int
    ) -> None:
        """Judge an hour of a redeemed receipt, or close one whose window is over; once.

        Args:
            hour: the one that index and cash were looked up for; another has its turn later.
        """
        async with Writing(self._pool, now_ns) as book:
            receipt = await book.need(receipt_id)
            if receipt.status == Status.REDEEMED and receipt.assessed_hour < receipt.end_hour:
                if receipt.assessed_hour == hour and is_due(receipt, now_ns):
                    known = await book.hour_of(receipt, index_usd_micros, free_usd_micros)
                    await book.write(assess(receipt, known))
            elif _is_over(receipt, now_ns) and not await book.value("unpaid", receipt_id):
                await book.write(deeds.close(receipt))


_OPEN: Final = (Status.ACTIVE, Status.PLEDGED, Status.OFFERED, Status.REDEEMED)


def _is_over(receipt: Receipt, now_ns: int) -> bool:
    over = next_hour(receipt) <= now_ns // NS_PER_HOUR - GRACE_HOURS - 1
    return over and receipt.status in _OPEN


def next_hour(receipt: Receipt) -> int:
    """Return the hour whose end, and a grace, is the next moment to look at a receipt."""
    if receipt.status == Status.REDEEMED:
        return min(receipt.assessed_hour, receipt.end_hour - 1)
    return receipt.end_hour - 1


class Writing:
    """One transaction that adds events; others wait for it."""

    def __init__(self, pool: asyncpg.Pool, now_ns: int) -> None:
        self._pool = pool
        self._now_ns = now_ns
        self._connection: Any = None
        self._transaction: Any = None

    async def __aenter__(self) -> "Writing":
        try:
            self._connection = await self._pool.acquire()
            self._transaction = self._connection.transaction()
            await self._transaction.start()
            await self._connection.execute(_SQL["lock"])
        except LOST as error:
            if self._connection is not None:
                await self._pool.release(self._connection)
            raise DatabaseUnavailable(f"the database does not answer: {error!r}") from error
        return self

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        try:
            await (self._transaction.commit() if kind is None else self._transaction.rollback())
        except LOST as lost:
            raise DatabaseUnavailable(f"the database does not answer: {lost!r}") from lost
        finally:
            await self._pool.release(self._connection)
        if isinstance(error, LOST):
            raise DatabaseUnavailable(f"the database does not answer: {error!r}") from error

    async def value(self, name: str, *args: object) -> Any:
        """Return the one value that a query finds."""
        return await self._connection.fetchval(_SQL[name], *args)

    async def rows(self, name: str, *args: object) -> Sequence[Any]:
        """Return what a query finds."""
        found: Sequence[Any] = await self._connection.fetch(_SQL[name], *args)
        return found

    async def run(self, query: str, *args: object) -> Sequence[Any]:
        """Return what a query of another table finds or writes, in the same transaction."""
        found: Sequence[Any] = await self._connection.fetch(query, *args)
        return found

    async def receipt(self, receipt_id: str) -> Receipt | None:
        """Return a receipt as it is now."""
        body = await self.value("current", receipt_id)
        return None if body is None else receipt_of(body)

    async def need(self, receipt_id: str) -> Receipt:
        """Return a receipt that must be there."""
        found = await self.receipt(receipt_id)
        if found is None:
            raise NotFound(f"there is no receipt {receipt_id[:64]}")
        return found

    async def hour_of(self, receipt: Receipt, index_usd_micros: int, free_usd_micros: int) -> Hour:
        """Return what is known of the hour that is to be judged."""
        at = receipt.assessed_hour
        rows = await self.rows(
            "readings", receipt.issuer_idx, list(receipt.nodes), at, at + 1, len(receipt.nodes)
        )
        readings = [Reading(*row) for row in rows]
        return Hour(
            readings={one.node: one for one in readings},
            index_usd_micros=index_usd_micros,
            is_curtailed=await self.value("is_curtailed", receipt.hub, at),
            seller_free_usd_micros=min(free_usd_micros, TRANSFER_USD_MICROS_MAX),
        )

    async def write(self, deed: Deed, payment_id: int | None = None) -> None:
        """Add the events of a deed, and ask for its payments."""
        row = await self._connection.fetchrow(_SQL["head"])
        head = EMPTY if row is None else Head(row["number"], row["digest"])
        ts_ns = self._now_ns if row is None else max(self._now_ns, row["ts_ns"])
        for event in chained(deed.changes, ts_ns, head):
            await self._connection.execute(_SQL["add_event"], *event, payment_id)
            await self._place(event)
            payment_id = None  # the first event answers it
        if deed.payments:
            escrow = await self._connection.fetchrow(_REGISTRY["account_by_id"], ESCROW_ID)
            if escrow is None:
                raise NotFound("there is no escrow yet: admit an issuer first")
            for payment in deed.payments:
                await self._pay(deed.changes[0].receipt, payment, escrow["account_idx"])
            await self._connection.execute(_REGISTRY["notify"], OUTBOX, "delivery")

    async def _place(self, event: Event) -> None:
        one = event.receipt
        await self._connection.execute(
            _SQL["place_receipt"], one.receipt_id, event.number, one.status, one.issuer_idx,
            one.holder_idx, one.pledgee_idx, one.buyer_idx, one.is_open_offer, one.sku, one.hub,
            one.start_hour, one.end_hour, next_hour(one),
        )  # fmt: skip

    async def _pay(self, receipt: Receipt, payment: Payment, escrow_idx: int) -> None:
        if payment.amount_usd_micros > TRANSFER_USD_MICROS_MAX:
            raise Invalid("more than one transfer may move: use smaller receipts")
        ends = (payment.from_idx, payment.to_idx)
        from_idx, to_idx = (escrow_idx if idx == ESCROW else idx for idx in ends)
        key = f"cdr/{receipt.receipt_id}/{payment.purpose}/{payment.place}"
        transfer_id = await self.value(
            "add_transfer", from_idx, -payment.amount_usd_micros, key, to_idx
        )
        await self._connection.execute(
            _SQL["add_payment"], receipt.receipt_id, payment.purpose, payment.place, from_idx,
            to_idx, payment.amount_usd_micros, transfer_id,
        )  # fmt: skip
