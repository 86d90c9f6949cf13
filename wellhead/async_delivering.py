"""Receipts for GPU-hours: what is held, what is done with one, telemetry, proofs.

`delivering.py`, the one without, is made from this file.
"""

from wellhead import delivery_calls as dc
from wellhead import efd_calls as ec
from wellhead import types as wt
from wellhead.calls import Json
from wellhead.http_async import AsyncHttp
from wellhead.order_fields import Number


class AsyncDelivering:
    """What `AsyncClient` does about delivery: `client.receipts`."""

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def own(
        self, status: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> wt.Page[dc.Receipt]:
        """Return own receipts, what changed last first."""
        return await self._http.run(dc.receipts(status, limit, cursor))

    async def offers(
        self, *, sku: str | None = None, hub: str | None = None, limit: int | None = None
    ) -> wt.Page[dc.Receipt]:
        """Return receipts that anybody may buy."""
        return await self._http.run(dc.offers(sku, hub, limit))

    async def show(self, receipt_id: str) -> dc.ReceiptDetail:
        """Return a receipt with its events, its metering and the gaps in that."""
        return await self._http.run(dc.detail(receipt_id))

    async def issue(self, wish: Json) -> dc.Receipt:
        """Issue a receipt; with a `receipt_key` it is issued once."""
        return await self._http.run(dc.issue(wish))

    async def transfer(self, receipt_id: str, to: str) -> dc.Receipt:
        """Give a receipt to another account."""
        return await self._http.run(dc.act(receipt_id, "transfer", to=to))

    async def split(
        self, receipt_id: str, *, at_ts: int | None = None, nodes: list[str] | None = None
    ) -> dc.Receipt:
        """Cut a receipt in two, at an hour or by nodes."""
        return await self._http.run(dc.act(receipt_id, "split", at_ts=at_ts, nodes=nodes))

    async def pledge(
        self, receipt_id: str, to: str | None = None, *, symbol: str | None = None
    ) -> dc.Receipt:
        """Pledge a receipt to an account, or without one as cover of a contract's short lots."""
        return await self._http.run(dc.act(receipt_id, "pledge", to=to, symbol=symbol))

    async def cover(self) -> dc.Cover:
        """Return what own pledges cover, and what margin asks for with and without them."""
        return await self._http.run(dc.cover())

    async def release(self, receipt_id: str) -> dc.Receipt:
        """Free a receipt that is pledged to the account, or ask for one that is cover."""
        return await self._http.run(dc.act(receipt_id, "unpledge"))

    async def offer(self, receipt_id: str, price: Number, to: str | None = None) -> dc.Receipt:
        """Offer a receipt for money, to one account or to anybody."""
        return await self._http.run(dc.act(receipt_id, "offer", price=str(price), to=to))

    async def withdraw(self, receipt_id: str) -> dc.Receipt:
        """Take an offer back."""
        return await self._http.run(dc.act(receipt_id, "withdraw"))

    async def buy(self, receipt_id: str, price: Number) -> dc.Receipt:
        """Pay what is asked for a receipt, and hold it."""
        return await self._http.run(dc.act(receipt_id, "buy", price=str(price)))

    async def redeem(self, receipt_id: str) -> dc.Receipt:
        """Take delivery: hours that begin from now on are owed."""
        return await self._http.run(dc.act(receipt_id, "redeem"))

    async def telemetry(self, readings: list[Json]) -> list[dc.ReadingResult]:
        """Report up to 30 signed readings of own nodes."""
        return await self._http.run(dc.telemetry(readings))

    async def proofs(self, receipt_id: str) -> list[Json]:
        """Return everything that happened to a receipt, with the ways to signed roots."""
        return await self._http.run(dc.proofs(receipt_id))

    async def roots(self, limit: int | None = None, cursor: str | None = None) -> wt.Page[dc.Root]:
        """Return the signed root of each closed day, newest first."""
        return await self._http.run(dc.roots(limit, cursor))

    async def sessions(
        self, symbol: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> wt.Page[ec.EfdSession]:
        """Return sessions of the exchange for delivery, in the order of their calls."""
        return await self._http.run(ec.sessions(symbol, limit, cursor))

    async def enter(
        self,
        session_id: str,
        side: str,
        quantity: Number,
        differential: Number,
        entry_id: str | None = None,
    ) -> ec.EfdEntry:
        """Say in a session how many lots would be exchanged, and at which differential."""
        return await self._http.run(ec.enter(session_id, side, quantity, differential, entry_id))

    async def entries(self) -> wt.Page[ec.EfdEntry]:
        """Return own entries, each version of each."""
        return await self._http.run(ec.entries())

    async def result(self, session_id: str) -> ec.EfdResult:
        """Return what a call came to, with all inputs."""
        return await self._http.run(ec.result(session_id))
