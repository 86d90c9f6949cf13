"""Auctions of defaults in memory, behind the door of the real ones."""

import json
from typing import Any, Final

from exchange.io.default_auctions import AuctionSeen, MoveOfAward, NoBidNow, OwnBid
from exchange.io.errors import IdempotencyConflict
from exchange.rules.adl import tag_of
from exchange.rules.auction_steps import CLOSED, OVER, Auction, Won
from exchange.rules.default_auction import (
    ALL_BPS,
    Ask,
    Bid,
    Lot,
    LotResult,
    Piece,
    Result,
    Terms,
    allocate,
    awards_of,
    dues_of,
)
from exchange.rules.default_auction_public import PublicMove, faults_of_published, result_out

LOT: Final = Lot(1, "H100", (Piece(0, "H100-USE-2027M01", 10, 2_000, 744_000),))


def terms(number: int, *bidders: int) -> Terms:
    """Return an auction of one lot, open for ever."""
    return Terms(number, 99, 5, 1_000_000, 1 << 62, (LOT,), bidders)


def result(number: int, winner_idx: int) -> Result:
    """Return what comes of one bid, for all of it."""
    asks = [Ask(tag_of(winner_idx, number), 5, ALL_BPS)]
    rows = allocate(LOT, 10**12, asks, lambda *_: True)
    lot = LotResult(lot=LOT, reserve_usd_micros=10**12, rows=rows)
    return Result(
        liquidation_id=number, state_seq=9, price_top_ticks=65_535, lots=(lot,),
        awards=tuple(awards_of(lot, 65_535)), dues=dues_of([lot], {"member": 5}),
    )  # fmt: skip


class MemoryAuctions:
    """What the service asks of Postgres; bids are put into `said`."""

    def __init__(self, *bidders: int) -> None:
        self.may_bid = frozenset(bidders)
        self.kept: dict[int, Auction] = {}
        self.status: dict[int, str] = {}
        self.said: dict[int, list[Bid]] = {}
        self.results: dict[int, Result] = {}
        self.decided = 0
        self.keys: dict[tuple[int, int, int, str], Bid] = {}
        self.moved_lots: list[MoveOfAward] = []
        self.said_of: dict[int, bool] = {}

    async def bidders(self) -> frozenset[int]:
        return self.may_bid

    async def going(self, ids: list[int]) -> dict[int, Auction]:
        ends = ("open", "closing", "closed")
        return {
            number: Auction(one.terms, one.phase, one.closed_ns, one.won, one.juniors)
            for number, one in self.kept.items()
            if number in ids or self.status[number] in ends
        }

    async def moved(self, seq: int, ids: list[int]) -> list[tuple[int, int, int, int]]:
        return []  # the mirror of these tests has seen everything

    async def open(self, terms: Terms) -> None:
        self.kept.setdefault(terms.liquidation_id, Auction(terms=terms))
        self.status.setdefault(terms.liquidation_id, "open")

    async def answered(self, liquidation_id: int) -> dict[int, int]:
        said = {(bid.account_idx, bid.lot_no) for bid in self.said.get(liquidation_id, [])}
        return {idx: sum(one == idx for one, _ in said) for idx, _ in said}

    async def begin_close(self, liquidation_id: int, now_ns: int) -> list[Bid]:
        self.status[liquidation_id] = "closing"
        last = {(bid.lot_no, bid.account_idx): bid for bid in self.said.get(liquidation_id, [])}
        return list(last.values())

    async def decide(
        self, result: Result, won: tuple[Won, ...], juniors: frozenset[int], now_ns: int
    ) -> None:
        number = result.liquidation_id
        if self.status[number] != "closing":
            return
        self.decided += 1
        self.status[number] = "closed"
        self.results[number] = result
        one = self.kept[number]
        self.kept[number] = Auction(one.terms, CLOSED, now_ns, won, juniors)

    async def end(self, liquidation_id: int, status: str, now_ns: int) -> None:
        if self.status[liquidation_id] in ("open", "closing", "closed"):
            self.status[liquidation_id] = status
            one = self.kept[liquidation_id]
            self.kept[liquidation_id] = Auction(
                one.terms, OVER, one.closed_ns, one.won, one.juniors
            )

    # What the API asks

    async def get(self, liquidation_id: int) -> AuctionSeen | None:
        one = self.kept.get(liquidation_id)
        return None if one is None else self._seen(one)

    def _seen(self, one: Auction) -> AuctionSeen:
        return AuctionSeen(one.terms, self.status[one.terms.liquidation_id], one.terms.opened_ns)

    async def page(
        self, bidder_idx: int | None, *, before_id: int | None = None, limit: int = 100
    ) -> list[AuctionSeen]:
        return [
            self._seen(one)
            for number, one in sorted(self.kept.items(), reverse=True)
            if (bidder_idx is None or bidder_idx in one.terms.bidders)
            and number < (before_id or 1 << 62)
        ][:limit]

    async def changed(self, since_ns: int) -> list[AuctionSeen]:
        return [self._seen(one) for one in self.kept.values()]

    async def own_bids(self, ids: list[int], account_idx: int) -> list[OwnBid]:
        last = {
            (number, bid.lot_no): OwnBid(number, bid.lot_no, bid.premium_ticks, bid.share_bps, 1)
            for number in ids
            for bid in self.said.get(number, [])
            if bid.account_idx == account_idx
        }
        return list(last.values())

    async def bid(self, liquidation_id: int, bid: Bid, key: str, who: str, now_ns: int) -> None:
        known = self.keys.get((liquidation_id, bid.lot_no, bid.account_idx, key))
        if known is not None:
            if known != bid:
                raise IdempotencyConflict(f"{key!r} was used for another bid")
            return
        if self.status[liquidation_id] != "open":
            raise NoBidNow("it has closed")
        self.keys[liquidation_id, bid.lot_no, bid.account_idx, key] = bid
        self.said.setdefault(liquidation_id, []).append(bid)

    async def result(self, liquidation_id: int) -> dict[str, Any] | None:
        found = self.results.get(liquidation_id)
        return None if found is None else {"digest": found.digest(), **result_out(found)}

    async def moves(self, liquidation_id: int) -> list[MoveOfAward]:
        return self.moved_lots

    async def admit(self, account_idx: int, who: str, now_ns: int, *, admitted: bool) -> None:
        self.said_of[account_idx] = admitted

    async def admissions(self) -> dict[int, bool]:
        return self.said_of

    def faults(self, liquidation_id: int, moves: list[PublicMove]) -> list[str]:
        """Return what is wrong with what would be published, read back from its JSON."""
        result = self.results[liquidation_id]
        body = json.loads(json.dumps({"digest": result.digest(), **result_out(result)}))
        return faults_of_published(body, moves)
