"""Runs the auctions of defaults for the liquidation that asks for them; nothing is kept here.

An auction is announced by a row, takes bids until its close, is decided in one transaction, and
only then are its lots moved, by commands of the liquidation. A kill between any two of these
loses nothing: the next leader reads where each auction stands, in core time, and goes on.
"""

import logging
from typing import Final, Protocol

from exchange.rules.auction_close import close
from exchange.rules.auction_steps import (
    CLOSED,
    OPEN,
    OVER,
    Auction,
    Auctions,
    Won,
    is_sent_enough,
    moves_due,
)
from exchange.rules.default_auction import AWARD_NS, Bid, Result, Terms
from exchange.rules.liquidator import Liquidator
from exchange.rules.standing import held_of

LOOK_NS: Final = 1_000_000_000  # of the core's time, between two looks at who has answered

_log = logging.getLogger("wellhead.auctions")


class Rows(Protocol):
    """What it keeps: `exchange.io.default_auctions.DefaultAuctions`."""

    async def bidders(self) -> frozenset[int]:
        """Return who may be asked."""
        ...

    async def going(self, ids: list[int]) -> dict[int, Auction]:
        """Return the auctions of these liquidations, and all that have not ended."""
        ...

    async def moved(self, seq: int, ids: list[int]) -> list[tuple[int, int, int, int]]:
        """Return (liquidation, winner, contract, lots) that winners took."""
        ...

    async def open(self, terms: Terms) -> None:
        """Announce an auction."""
        ...

    async def answered(self, liquidation_id: int) -> dict[int, int]:
        """Return how many lots each bidder has answered."""
        ...

    async def begin_close(self, liquidation_id: int, now_ns: int) -> list[Bid]:
        """Take no more bids, and return the last of each."""
        ...

    async def decide(
        self, result: Result, won: tuple[Won, ...], juniors: frozenset[int], now_ns: int
    ) -> None:
        """Write what came of an auction, once."""
        ...

    async def end(self, liquidation_id: int, status: str, now_ns: int) -> None:
        """Write how an auction ended."""
        ...


class Auctioneer:
    """Keeps `auctions` as the rows say, for the liquidator that looks at them."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.auctions = Auctions()
        self._looked_ns: dict[int, int] = {}  # by liquidation

    async def prepare(self, liquidator: Liquidator, seq: int) -> None:
        """Read what was under way when the last process ended; clearing has all up to `seq`."""
        mirror = liquidator.mirror
        ids = [one.liquidation_id for one in mirror.liquidations.values()]
        going = await self._rows.going(ids)
        moved = await self._rows.moved(seq, list(going))
        self.auctions.going = going
        for liquidation_id, winner_idx, contract_idx, lots in moved:
            mirror.note_auctioned(liquidation_id, winner_idx, contract_idx, lots)
        liquidator.auctions = self.auctions

    async def know_bidders(self) -> None:
        """Read who may bid."""
        self.auctions.bidders = await self._rows.bidders()

    async def open(self, terms: Terms) -> None:
        """Announce an auction."""
        await self._rows.open(terms)
        self.auctions.going[terms.liquidation_id] = Auction(terms=terms)
        _log.warning(
            "liquidation %d: %d lots are auctioned among %d accounts",
            terms.liquidation_id, len(terms.lots), len(terms.bidders),
        )  # fmt: skip

    async def step(self, liquidator: Liquidator, given: set[int]) -> None:
        """See to all auctions: close what is due, end what is over.

        Args:
            given: accounts with commands under way; their auctions wait for them.

        Errors:
            Unavailable: the next step does what is left.
        """
        mirror = liquidator.mirror
        live = {one.liquidation_id for one in mirror.liquidations.values()}
        for number, one in list(self.auctions.going.items()):
            if number not in live:
                if one.phase != OVER:
                    status = "withdrawn" if one.phase == OPEN else self._ended(liquidator, one)
                    await self._rows.end(number, status, mirror.ts_ns)
                del self.auctions.going[number]
                self._looked_ns.pop(number, None)
            elif one.terms.account_idx in given:
                continue
            elif one.phase == OPEN and await self._is_due(one, mirror.ts_ns):
                await self._close(liquidator, one)
            elif one.phase == CLOSED and (is_sent_enough(one) or moves_due(mirror, one) is None):
                await self._rows.end(number, self._ended(liquidator, one), mirror.ts_ns)
                one.phase = OVER

    @staticmethod
    def _ended(liquidator: Liquidator, one: Auction) -> str:
        """Return whether all that was won was moved while there was time."""
        mirror = liquidator.mirror
        moved = mirror.auctioned.get(one.terms.liquidation_id, {})
        left = any((won.account_idx, won.contract_idx) not in moved for won in one.won)
        late = mirror.ts_ns - one.closed_ns > AWARD_NS
        return "lapsed" if left and late and not one.sent else "done"

    async def _is_due(self, one: Auction, now_ns: int) -> bool:
        """Return whether its time is up, or everybody has answered for every lot."""
        terms = one.terms
        if now_ns >= terms.closes_ns:
            return True
        if now_ns - self._looked_ns.get(terms.liquidation_id, 0) < LOOK_NS:
            return False
        self._looked_ns[terms.liquidation_id] = now_ns
        answered = await self._rows.answered(terms.liquidation_id)
        return all(answered.get(idx, 0) >= len(terms.lots) for idx in terms.bidders)

    async def _close(self, liquidator: Liquidator, one: Auction) -> None:
        """Take no more bids, decide by them and the state of now, and keep the decision."""
        mirror, terms = liquidator.mirror, one.terms
        bids = await self._rows.begin_close(terms.liquidation_id, mirror.ts_ns)
        # From here to the row that keeps it nothing waits: one state decides.
        idx, now_ns = terms.account_idx, mirror.ts_ns
        held = held_of(mirror, idx, liquidator.shocks)
        result, won, juniors = close(
            mirror, terms, bids, liquidator.standing(idx), held, liquidator.funds
        )
        await self._rows.decide(result, won, juniors, now_ns)
        one.won, one.juniors, one.closed_ns, one.phase = won, juniors, now_ns, CLOSED
        lots = sum(abs(award.qty_lots) for award in won)
        _log.warning("liquidation %d: %d bids, %d lots won", terms.liquidation_id, len(bids), lots)
