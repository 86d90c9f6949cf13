# Made by tools/sync_client.py from async_delivering.py: change that file.
"""Receipts for GPU-hours: what is held, what is done with one, telemetry, proofs.

made from this file's twin.
"""

from wellhead import delivery_calls as dc
from wellhead import efd_calls as ec
from wellhead import types as wt
from wellhead.calls import Json
from wellhead.http_sync import Http
from wellhead.order_fields import Number


class Delivering:
    """What `Client` does about delivery: `client.receipts`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def own(
        self, status: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> wt.Page[dc.Receipt]:
        """Return own receipts, what changed last first."""
        return self._http.run(dc.receipts(status, limit, cursor))

    def offers(
        self, *, sku: str | None = None, hub: str | None = None, limit: int | None = None
    ) -> wt.Page[dc.Receipt]:
        """Return receipts that anybody may buy."""
        return self._http.run(dc.offers(sku, hub, limit))

    def show(self, receipt_id: str) -> dc.ReceiptDetail:
        """Return a receipt with its events, its metering and the gaps in that."""
        return self._http.run(dc.detail(receipt_id))

    def issue(self, wish: Json) -> dc.Receipt:
        """Issue a receipt; with a `receipt_key` it is issued once."""
        return self._http.run(dc.issue(wish))

    def transfer(self, receipt_id: str, to: str) -> dc.Receipt:
        """Give a receipt to another account."""
        return self._http.run(dc.act(receipt_id, "transfer", to=to))

    def split(
        self, receipt_id: str, *, at_ts: int | None = None, nodes: list[str] | None = None
    ) -> dc.Receipt:
        """Cut a receipt in two, at an hour or by nodes."""
        return self._http.run(dc.act(receipt_id, "split", at_ts=at_ts, nodes=nodes))

    def pledge(
        self, receipt_id: str, to: str | None = None, *, symbol: str | None = None
    ) -> dc.Receipt:
        """Pledge a receipt to an account, or without one as cover of a contract's short lots."""
        return self._http.run(dc.act(receipt_id, "pledge", to=to, symbol=symbol))

    def cover(self) -> dc.Cover:
        """Return what own pledges cover, and what margin asks for with and without them."""
        return self._http.run(dc.cover())

    def release(self, receipt_id: str) -> dc.Receipt:
        """Free a receipt that is pledged to the account, or ask for one that is cover."""
        return self._http.run(dc.act(receipt_id, "unpledge"))

    def offer(self, receipt_id: str, price: Number, to: str | None = None) -> dc.Receipt:
        """Offer a receipt for money, to one account or to anybody."""
        return self._http.run(dc.act(receipt_id, "offer", price=str(price), to=to))

    def withdraw(self, receipt_id: str) -> dc.Receipt:
        """Take an offer back."""
        return self._http.run(dc.act(receipt_id, "withdraw"))

    def buy(self, receipt_id: str, price: Number) -> dc.Receipt:
        """Pay what is asked for a receipt, and hold it."""
        return self._http.run(dc.act(receipt_id, "buy", price=str(price)))

    def redeem(self, receipt_id: str) -> dc.Receipt:
        """Take delivery: hours that begin from now on are owed."""
        return self._http.run(dc.act(receipt_id, "redeem"))

    def telemetry(self, readings: list[Json]) -> list[dc.ReadingResult]:
        """Report up to 30 signed readings of own nodes."""
        return self._http.run(dc.telemetry(readings))

    def proofs(self, receipt_id: str) -> list[Json]:
        """Return everything that happened to a receipt, with the ways to signed roots."""
        return self._http.run(dc.proofs(receipt_id))

    def roots(self, limit: int | None = None, cursor: str | None = None) -> wt.Page[dc.Root]:
        """Return the signed root of each closed day, newest first."""
        return self._http.run(dc.roots(limit, cursor))

    def sessions(
        self, symbol: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> wt.Page[ec.EfdSession]:
        """Return sessions of the exchange for delivery, in the order of their calls."""
        return self._http.run(ec.sessions(symbol, limit, cursor))

    def enter(
        self,
        session_id: str,
        side: str,
        quantity: Number,
        differential: Number,
        entry_id: str | None = None,
    ) -> ec.EfdEntry:
        """Say in a session how many lots would be exchanged, and at which differential."""
        return self._http.run(ec.enter(session_id, side, quantity, differential, entry_id))

    def entries(self) -> wt.Page[ec.EfdEntry]:
        """Return own entries, each version of each."""
        return self._http.run(ec.entries())

    def result(self, session_id: str) -> ec.EfdResult:
        """Return what a call came to, with all inputs."""
        return self._http.run(ec.result(session_id))
