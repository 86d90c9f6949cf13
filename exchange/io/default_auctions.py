"""Auctions of defaults in Postgres: announced, bid for under seal, decided once, moved.

Bids are read by the service that closes an auction, by nobody else before: no endpoint shows
another's. Who may read the database itself may read them.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import asyncpg

from exchange.io.db import LOST, queries
from exchange.io.errors import DatabaseUnavailable, IdempotencyConflict
from exchange.io.store import Store
from exchange.rules.auction_steps import CLOSED, OPEN, OVER, Auction, Won
from exchange.rules.default_auction import Bid, Result, Terms
from exchange.rules.default_auction_public import lot_in, lot_out, result_out

_SQL: Final = queries("default_auctions")
_MAX: Final = (1 << 63) - 1
_PHASES: Final = {"open": OPEN, "closing": OPEN, "closed": CLOSED}


class AuctionSeen(NamedTuple):
    """An auction and where it is."""

    terms: Terms
    status: str
    updated_ns: int


class OwnBid(NamedTuple):
    """What an account said last of a lot."""

    liquidation_id: int
    lot_no: int
    premium_ticks: int
    share_bps: int
    ts_ns: int


class MoveOfAward(NamedTuple):
    """Lots that a winner took, signed as the defaulter held them."""

    seq: int
    winner_idx: int
    symbol: str
    qty_lots: int
    price_ticks: int


class NoBidNow(Exception):
    """The auction takes no bid of the account: it is closed, or the account was not asked."""


class DefaultAuctions(Store):
    """The door to the tables of auctions."""

    # For the leader alone

    async def cleared_seq(self) -> int:
        """Return how far clearing is."""
        return int(await self._value(_SQL["cleared_seq"]) or 0)

    async def bidders(self) -> frozenset[int]:
        """Return who may be asked: members, and who was admitted, less who was excluded."""
        members = {row[0] for row in await self._rows(_SQL["members"])}
        said = {row[0]: row[1] for row in await self._rows(_SQL["admissions"])}
        admitted = {idx for idx, yes in said.items() if yes}
        return frozenset((members - said.keys()) | admitted)

    async def going(self, ids: Sequence[int]) -> dict[int, Auction]:
        """Return the auctions of these liquidations, and all that have not ended."""
        seen = [_seen(row) for row in await self._rows(_SQL["going"], list(ids))]
        every = [one.terms.liquidation_id for one in seen]
        results = {row[0]: row for row in await self._rows(_SQL["results"], every)}
        won: dict[int, list[Won]] = {}
        for row in await self._rows(_SQL["awards"], every):
            won.setdefault(row[0], []).append(Won(*tuple(row)[1:]))
        found = {}
        for one in seen:
            number = one.terms.liquidation_id
            closed = results.get(number)
            found[number] = Auction(
                terms=one.terms, phase=_PHASES.get(one.status, OVER),
                closed_ns=closed[1] if closed else 0, won=tuple(won.get(number, ())),
                juniors=frozenset(closed[2]) if closed else frozenset(),
            )  # fmt: skip
        return found

    async def moved(self, seq: int, ids: Sequence[int]) -> list[tuple[int, int, int, int]]:
        """Return (liquidation, winner, contract, lots) that winners took up to a command."""
        return [tuple(row) for row in await self._rows(_SQL["moved"], seq, list(ids))]

    async def open(self, terms: Terms) -> None:
        """Announce an auction; again it changes nothing."""
        await self._rows(
            _SQL["open"], terms.liquidation_id, terms.account_idx, terms.opened_seq,
            terms.opened_ns, terms.closes_ns, json.dumps([lot_out(lot) for lot in terms.lots]),
            list(terms.bidders),
        )  # fmt: skip

    async def answered(self, liquidation_id: int) -> dict[int, int]:
        """Return how many lots each bidder has answered."""
        rows = await self._rows(_SQL["bidders_said"], liquidation_id)
        return {row[0]: row[1] for row in rows}

    async def begin_close(self, liquidation_id: int, now_ns: int) -> list[Bid]:
        """Take no more bids, and return the last of each bidder and lot."""
        await self._rows(_SQL["begin_close"], liquidation_id, now_ns)
        rows = await self._rows(_SQL["bids"], liquidation_id)
        return [Bid(*row) for row in rows]

    async def decide(
        self, result: Result, won: Iterable[Won], juniors: Iterable[int], now_ns: int
    ) -> None:
        """Write what came of an auction, once, before anything of it is moved."""
        number = result.liquidation_id
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                if await connection.fetchval(_SQL["set_closed"], number, now_ns) is None:
                    return
                await connection.execute(
                    _SQL["keep_result"], number, result.state_seq, now_ns, result.digest(),
                    json.dumps(result_out(result)), sorted(juniors),
                )  # fmt: skip
                for place, one in enumerate(won, 1):
                    await connection.execute(_SQL["keep_award"], number, place, *one)
        except LOST as error:
            raise DatabaseUnavailable(f"the database does not answer: {error!r}") from error

    async def end(self, liquidation_id: int, status: str, now_ns: int) -> None:
        """Write how an auction ended; the first end stays."""
        await self._rows(_SQL["end"], liquidation_id, status, now_ns)

    # For bidders

    async def bid(self, liquidation_id: int, bid: Bid, key: str, who: str, now_ns: int) -> None:
        """Keep a bid; the same key again is the same.

        Errors:
            NoBidNow: it is too late, or the account was not asked.
            IdempotencyConflict: the key was used for something else.
        """
        try:
            made = await self._value(
                _SQL["bid"], liquidation_id, bid.lot_no, bid.account_idx, key, bid.premium_ticks,
                bid.share_bps, who, now_ns,
            )  # fmt: skip
        except asyncpg.RaiseError as error:
            raise NoBidNow(str(error)) from error
        if made is not None:
            return
        known = await self._row(
            _SQL["bid_by_key"], liquidation_id, bid.lot_no, bid.account_idx, key
        )
        if known is None:
            raise NoBidNow("it has closed, or the account was not asked to bid for this lot")
        if tuple(known) != (bid.premium_ticks, bid.share_bps):
            raise IdempotencyConflict(f"{key!r} was used for another bid")

    async def own_bids(self, ids: Sequence[int], account_idx: int) -> list[OwnBid]:
        """Return what an account said last of each lot."""
        rows = await self._rows(_SQL["own_bids"], list(ids), account_idx)
        return [OwnBid(*row) for row in rows]

    # For anybody

    async def get(self, liquidation_id: int) -> AuctionSeen | None:
        """Return an auction."""
        row = await self._row(_SQL["get"], liquidation_id)
        return _seen(row) if row is not None else None

    async def page(
        self, bidder_idx: int | None, *, before_id: int | None = None, limit: int = 100
    ) -> list[AuctionSeen]:
        """Return auctions that an account is asked to bid in, or all; newest first."""
        rows = await self._rows(_SQL["list"], bidder_idx, before_id or _MAX, limit)
        return [_seen(row) for row in rows]

    async def changed(self, since_ns: int) -> Sequence[AuctionSeen]:
        """Return the auctions that go on, and those that changed since a moment."""
        return [_seen(row) for row in await self._rows(_SQL["changed"], since_ns)]

    async def result(self, liquidation_id: int) -> dict[str, Any] | None:
        """Return what came of an auction as it is published, with its digest."""
        row = await self._row(_SQL["result"], liquidation_id)
        return {"digest": row[0], **json.loads(row[1])} if row is not None else None

    async def moves(self, liquidation_id: int) -> Sequence[MoveOfAward]:
        """Return the lots that winners took."""
        rows = await self._rows(_SQL["public_moves"], liquidation_id)
        return [MoveOfAward(*row) for row in rows]

    async def admit(self, account_idx: int, who: str, now_ns: int, *, admitted: bool) -> None:
        """Say that an account may bid, or may not; the last word counts."""
        await self._rows(_SQL["admit"], account_idx, admitted, who, now_ns)

    async def admissions(self) -> dict[int, bool]:
        """Return whom an operator admitted, or excluded."""
        return {row[0]: row[1] for row in await self._rows(_SQL["admissions"])}


def _seen(row: asyncpg.Record) -> AuctionSeen:
    lots = tuple(lot_in(one) for one in json.loads(row["lots"]))
    terms = Terms(
        row["liquidation_id"], row["account_idx"], row["opened_seq"], row["opened_ns"],
        row["closes_ns"], lots, tuple(row["bidders"]),
    )  # fmt: skip
    return AuctionSeen(terms, row["status"], row["updated_ns"])
