"""Blocks and requests for quotes: what two accounts agree on beside the book.

`dealing.py`, the one without, is made from this file.
"""

from wellhead import deal_calls
from wellhead import deal_types as dt
from wellhead import types as wt
from wellhead.http_async import AsyncHttp
from wellhead.order_fields import Number


class AsyncDealing:
    """What `AsyncClient` agrees with one other account: `client.deals`.

    `expires_at` is in milliseconds since 1970. Nothing is sent again by itself: after a lost
    answer the same call with the same `client_id` returns what is open already.
    """

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def propose(
        self,
        symbol: str,
        side: str,
        quantity: Number,
        price: Number,
        expires_at: int,
        *,
        counterparty: str | None = None,
        rfq_id: str | None = None,
        kind: str | None = None,
        client_id: str | None = None,
    ) -> dt.Block:
        """Propose a block (or `kind` efp) to an account, or in answer to a request for quotes."""
        call = deal_calls.propose(
            symbol,
            side,
            quantity,
            price,
            expires_at,
            counterparty=counterparty,
            rfq_id=rfq_id,
            kind=kind,
            client_id=client_id,
        )
        return await self._http.run(call)

    async def blocks(
        self, status: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> wt.Page[dt.Block]:
        """Return what the account proposed or was proposed: open, closed or all."""
        return await self._http.run(deal_calls.blocks(status, limit, cursor))

    async def accept(self, block_id: str) -> dt.Block:
        """Accept what was proposed: the margin of both sides is judged, the trade is booked."""
        return await self._http.run(deal_calls.accept(block_id))

    async def decline(self, block_id: str) -> dt.Block:
        """Decline what was proposed to the account."""
        return await self._http.run(deal_calls.end(block_id))

    async def withdraw(self, block_id: str) -> dt.Block:
        """Withdraw what the account proposed."""
        return await self._http.run(deal_calls.end(block_id))

    async def request_quotes(
        self,
        symbol: str,
        quantity: Number,
        expires_at: int,
        *,
        side: str | None = None,
        client_id: str | None = None,
    ) -> dt.Rfq:
        """Ask everybody for quotes of one side, or either; nobody is told who asks."""
        call = deal_calls.request_quotes(
            symbol, quantity, expires_at, side=side, client_id=client_id
        )
        return await self._http.run(call)

    async def rfqs(self) -> wt.Page[dt.Rfq]:
        """Return the open requests for quotes, oldest first."""
        return await self._http.run(deal_calls.rfqs())

    async def withdraw_rfq(self, rfq_id: str) -> dt.Rfq:
        """Withdraw a request; what was proposed in answer stays until it ends."""
        return await self._http.run(deal_calls.withdraw_rfq(rfq_id))

    # The operator

    async def set_rule(self, symbol: str, min_quantity: Number, range_bps: int) -> wt.Instrument:
        """Set the least quantity of a block, 0 for no blocks, and its range of prices."""
        return await self._http.run(deal_calls.set_rule(symbol, min_quantity, range_bps))
