"""The exchange for delivery in Postgres: sealed entries, one call a session, how each leg ended.

A call is one transaction with the registry of receipts: the result with all its inputs, the legs,
the receipts that they lock and the payments that they ask for. Killed in between, it never was.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from typing import Any, Final, NamedTuple

from exchange.io.db import queries
from exchange.io.delivery import Writing
from exchange.io.notify import EFD
from exchange.io.store import Store
from exchange.rules.contracts import Contract
from exchange.rules.delivery import deeds
from exchange.rules.delivery.deeds import Refused
from exchange.rules.delivery.exchange import (
    KEYS_MAX,
    NODE_LOTS,
    Called,
    Entry,
    Means,
    Session,
    body_of,
    called,
    counted,
    fits,
    result_fields,
    standing,
    usd_micros_per_lot,
)
from exchange.rules.delivery.receipts import FIRST, NS_PER_HOUR, Receipt, receipt_of
from exchange.rules.delivery.uncross import NOTHING
from exchange.rules.fees import efd_most_usd_micros_per_gpu_hour
from exchange.rules.tenors import date_of, ns_of

LEG_BASE: Final = 1 << 40  # added to a leg's id, which thereby is no give-up's nor liquidation's
SAID_MAX: Final = 200  # versions that an account may say in a session
ENTRIES_MAX: Final = 20_000

_SQL: Final = queries("efd")
_NOTIFY: Final = queries("registry")["notify"]


class Leg(NamedTuple):
    """A position that is to move now: its price is in escrow."""

    leg_id: int
    buyer_idx: int
    seller_idx: int
    contract_idx: int
    price_ticks: int
    qty_lots: int


class Listed(NamedTuple):
    """A session, and what came of it."""

    session: Session
    result: dict[str, Any] | None


class OwnEntry(NamedTuple):
    """What an account said in a session."""

    session_id: str
    entry: Entry
    digest: bytes


class Outcome(NamedTuple):
    """How a leg ended; None: it has not yet."""

    place: int
    receipt_id: str
    outcome: str | None
    code: int | None
    seq: int | None


class Moment(NamedTuple):
    """What is known of the exchange when a session is called."""

    settle_ticks: int
    seq: int
    means: Callable[[int], tuple[int, int]]  # position and free cash of an account
    void: str = ""


class Exchanges(Store):
    """The door to the tables of the exchange for delivery."""

    async def add(self, session: Session) -> Session:
        """Write a session; the same again is the one that is there."""
        await self._rows(_SQL["add_session"], *astuple(session))
        found = await self.session(session.session_id)
        assert found is not None, "sessions are never removed"
        return found

    async def session(self, session_id: str) -> Session | None:
        """Return a session."""
        row = await self._row(_SQL["session"], session_id)
        return None if row is None else Session(**row)

    async def sessions(
        self, *, symbol: str | None, since_ns: int, after: int, limit: int
    ) -> list[Listed]:
        """Return sessions in the order of their calls, with what came of them."""
        rows = await self._rows(_SQL["sessions"], symbol, since_ns, after, limit)
        return [_listed(row) for row in rows]

    async def current(self, now_ns: int, since_ns: int, known: Sequence[str]) -> list[Listed]:
        """Return sessions that have opened and are called from a moment on.

        Args:
            known: sessions whose result is not wanted again: it never changes.
        """
        rows = await self._rows(_SQL["current"], now_ns, since_ns, list(known))
        return [_listed(row) for row in rows]

    async def result(self, session_id: str) -> tuple[str, bytes] | None:
        """Return the result of a session as it is hashed, and its digest."""
        row = await self._row(_SQL["result"], session_id)
        return None if row is None else (row["body"], row["digest"])

    async def legs(self, session_id: str) -> list[Outcome]:
        """Return how the legs of a session ended."""
        return [Outcome(*row) for row in await self._rows(_SQL["legs"], session_id)]

    async def own(self, account_idx: int, since_ns: int) -> list[OwnEntry]:
        """Return what an account said in sessions that are called from a moment on."""
        rows = [tuple(row) for row in await self._rows(_SQL["own"], account_idx, since_ns)]
        return [OwnEntry(row[0], Entry(*row[1:8]), row[8]) for row in rows]

    async def enter(self, session: Session, wish: Entry) -> OwnEntry:
        """Write an interest; what stands already is not written again.

        Args:
            wish: its number is given here.

        Errors:
            Refused: the session takes none now, or there are too many.
        """
        name = session.session_id
        if not session.opens_ns <= wish.ts_ns < session.call_ns:
            raise Refused("efd_not_open", "interest is taken from its opening up to its call")
        async with Writing(self._pool, wish.ts_ns) as book:
            await book.run(_SQL["lock"])
            if await book.run(_SQL["result"], name):
                raise Refused("efd_not_open", "the session was called")
            rows = await book.run(_SQL["entry_of"], name, wish.account_idx, wish.entry_key)
            if rows and Entry(*rows[0])[3:6] == wish[3:6]:
                known = Entry(*rows[0])
                digest = (await book.run(_SQL["entry_digest"], name, known.number))[0][0]
                return OwnEntry(name, known, digest)
            ((said, keys),) = await book.run(_SQL["entry_counts"], name, wish.account_idx)
            last = await book.run(_SQL["last_entry"], name)
            number = last[0]["number"] + 1 if last else 1
            if said >= SAID_MAX or (not rows and keys >= KEYS_MAX) or number > ENTRIES_MAX:
                raise Refused("efd_full", f"{KEYS_MAX} entries, said {SAID_MAX} times in all")
            entry = wish._replace(number=number)
            digest = entry.digest(name, last[0]["digest"] if last else FIRST)
            await book.run(_SQL["add_entry"], name, *entry, digest)
        return OwnEntry(name, entry, digest)

    # For the leader alone

    async def due(self, now_ns: int) -> list[Session]:
        """Return sessions that are to be called now, oldest first."""
        return [Session(**row) for row in await self._rows(_SQL["due"], now_ns)]

    async def call(self, session: Session, contract: Contract, now: Moment, ts_ns: int) -> bool:
        """Call a session, once; return whether this did it."""
        async with Writing(self._pool, ts_ns) as book:
            await book.run(_SQL["lock"])
            if await book.run(_SQL["result"], session.session_id):
                return False
            await _Calling(book, session, contract, now).run(ts_ns)
            await book.run(_NOTIFY, EFD, session.session_id)
        return True

    async def ready(self) -> list[Leg]:
        """Return legs whose position is to move: their price is in escrow."""
        return [Leg(*row) for row in await self._rows(_SQL["ready"])]

    async def settling(self) -> bool:
        """Return whether a leg of an earlier call, or its money, is still on its way."""
        return bool(await self._value(_SQL["settling"]))

    async def end_unpaid(self, ts_ns: int) -> None:
        """End the legs whose price was refused."""
        await self._rows(_SQL["unpaid"], ts_ns)

    async def moved(self) -> list[tuple[int, int]]:
        """Return leg and seq of legs without an end that clearing has seen move."""
        return [tuple(row) for row in await self._rows(_SQL["moved"], LEG_BASE)]

    async def decided(self, leg_id: int, code: int | None, seq: int, ts_ns: int) -> None:
        """Write what the core said of a position, and what follows for the receipt, once."""
        async with Writing(self._pool, ts_ns) as book:
            rows = await book.run(_SQL["leg"], leg_id)
            if not rows:
                return
            receipt = await book.need(rows[0]["receipt_id"])
            await book.write(deeds.exchanged(receipt, code is None))
            outcome = "exchanged" if code is None else "refused"
            at = seq if code is None else None
            await book.run(_SQL["end_leg"], leg_id, outcome, code, at, ts_ns)
            await book.run(_NOTIFY, EFD, "")

    async def cleared_seq(self) -> int:
        """Return how far clearing is."""
        return int(await self._value(_SQL["cleared_seq"]) or 0)


class _Calling:
    """One call, inside the transaction that writes it."""

    def __init__(self, book: Writing, session: Session, contract: Contract, now: Moment) -> None:
        self._book = book
        self._session = session
        self._contract = contract
        self._now = now

    async def run(self, ts_ns: int) -> None:
        """Read what was said, pair it, write the result, lock the receipts."""
        name, now = self._session.session_id, self._now
        entries = [Entry(*row) for row in await self._book.run(_SQL["entries"], name)]
        stands = [] if now.void else standing(entries)
        held = {one: await self._held(one) for one in {entry.account_idx for entry in stands}}
        means = {one: Means(*now.means(one), _lots(rows)) for one, rows in held.items()}
        hours = self._contract.period.hours
        fee = efd_most_usd_micros_per_gpu_hour(date_of(self._session.call_ns))
        lots = counted(stands, means, now.settle_ticks, hours, fee)
        outcome = called(stands, lots) if stands else Called(NOTHING, [])
        fields = result_fields(
            self._session, entries, lots, outcome, settle_ticks=now.settle_ticks, hours=hours,
            seq=now.seq, void=now.void,
        )  # fmt: skip
        owner = {entry.number: entry.account_idx for entry in entries}
        price = usd_micros_per_lot(now.settle_ticks, outcome.price.price or 0, hours)
        for pair in outcome.pairs:
            buyer_idx, seller_idx = owner[pair.buy_number], owner[pair.sell_number]
            left = pair.lots // NODE_LOTS
            while left:
                receipt, left = await self._cut(held[seller_idx], seller_idx, left)
                fields["legs"].append(
                    {"place": len(fields["legs"]), "buyer_idx": buyer_idx,
                     "seller_idx": seller_idx, "receipt_id": receipt.receipt_id,
                     "lots": len(receipt.nodes) * NODE_LOTS,
                     "amount_usd_micros": len(receipt.nodes) * NODE_LOTS * price}
                )  # fmt: skip
        body = body_of(fields)
        digest = hashlib.sha256(body.encode()).digest()
        await self._book.run(_SQL["add_result"], name, body, digest, ts_ns)
        for leg in fields["legs"]:
            await self._lock(leg, digest)

    async def _held(self, account_idx: int) -> list[Receipt]:
        of, period = self._contract.series, self._contract.period
        rows = await self._book.run(
            _SQL["held"], account_idx, of.sku.symbol, of.hub.symbol,
            ns_of(period.start) // NS_PER_HOUR, ns_of(period.end) // NS_PER_HOUR,
        )  # fmt: skip
        series = (of.sku.symbol, of.hub.symbol, of.grade.symbol)
        found = [receipt_of(row["body"]) for row in rows]
        return [one for one in found if fits(one, series, period)]

    async def _cut(self, held: list[Receipt], seller_idx: int, nodes: int) -> tuple[Receipt, int]:
        """Take nodes of the seller's first receipt, cut off if it has more; return what is left."""
        receipt = held.pop(0)
        if len(receipt.nodes) <= nodes:
            return receipt, nodes - len(receipt.nodes)
        deed = deeds.split_nodes(receipt, seller_idx, receipt.nodes[:nodes])
        await self._book.write(deed)
        taken, rest = (change.receipt for change in deed.changes[1:])
        held.insert(0, rest)
        return taken, 0

    async def _lock(self, leg: Mapping[str, Any], digest: bytes) -> None:
        name = f"{self._session.session_id}/{leg['place']}"
        receipt = await self._book.need(leg["receipt_id"])
        deed = deeds.exchange(
            receipt, leg["buyer_idx"], leg["amount_usd_micros"], name, f"{name} {digest.hex()}"
        )
        await self._book.write(deed)
        await self._book.run(
            _SQL["add_leg"], self._session.session_id, leg["place"], leg["buyer_idx"],
            leg["seller_idx"], leg["receipt_id"], self._session.contract_idx,
            self._now.settle_ticks, leg["lots"],
        )  # fmt: skip


def _listed(row: Mapping[str, Any]) -> Listed:
    fields = dict(row)
    body = fields.pop("body")
    return Listed(Session(**fields), json.loads(body) if body else None)


def _lots(receipts: list[Receipt]) -> int:
    return sum(len(one.nodes) for one in receipts) * NODE_LOTS
