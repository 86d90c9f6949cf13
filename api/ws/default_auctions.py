"""Auctions of defaults as they open and end: read from Postgres, told to who may bid."""

import time
from typing import TYPE_CHECKING, Any, Final

from api import answers_auctions
from api.ws.reading import reading
from exchange.io.default_auctions import AuctionSeen

if TYPE_CHECKING:
    from api.deps import Services
    from api.ws.private import PrivateChannels

LOOK_S: Final = 5.0  # without being told
LATE_NS: Final = 60_000_000_000  # changes are stamped by clocks that differ by less
NAME: Final = "default_auction"
GOING: Final = frozenset({"open", "closing", "closed"})
_NEVER: Final = 1 << 62


class DefaultAuctionChannel:
    """What is known of auctions, and who is to be told of a change; bids are never told."""

    def __init__(self, services: "Services", private: "PrivateChannels") -> None:
        self._services = services
        self._private = private
        self._known: dict[int, AuctionSeen] = {}
        self._since_ns: int | None = None  # None before the first look
        self._due_s = 0.0
        private.open_auctions = self.open_of

    def changed(self, _: str = "") -> None:
        """Look at the next turn: an auction has changed."""
        self._due_s = 0.0

    def open_of(self, account_idx: int) -> list[dict[str, Any]]:
        """Return the auctions that an account may bid in now."""
        return [
            answers_auctions.auction(one)
            for one in self._known.values()
            if account_idx in one.terms.bidders and one.status == "open"
        ]

    async def turn(self) -> None:
        """Read what has changed and tell it, if it is time."""
        now_s = time.monotonic()
        if self._services.auctions is None or now_s < self._due_s:
            return
        self._due_s = now_s + LOOK_S
        async with reading():
            since_ns = self._since_ns if self._since_ns is not None else _NEVER
            for row in await self._services.auctions.changed(since_ns):
                self._take(row)
            self._since_ns = self._services.gateway.mirror.ts_ns - LATE_NS
            self._known = {
                number: one
                for number, one in self._known.items()
                if one.status in GOING or one.updated_ns >= self._since_ns
            }

    def _take(self, row: AuctionSeen) -> None:
        number = row.terms.liquidation_id
        before = self._known.get(number)
        self._known[number] = row
        if self._since_ns is None or (before is not None and before.status == row.status):
            return
        data = [answers_auctions.auction(row)]
        for account_idx in row.terms.bidders:
            self._private.tell(NAME, account_idx, data)
