"""Settlement prices and what they come from; own margin calls.

`settling.py`, the one without, is made from this file.
"""

from wellhead import default_auction_calls, default_calls, restraint_calls, settlement_calls
from wellhead import default_auction_types as at
from wellhead import default_types as dt
from wellhead import restraint_types as rt
from wellhead import settlement_types as st
from wellhead import types as wt
from wellhead.calls import Json
from wellhead.http_async import AsyncHttp
from wellhead.order_fields import Number


class AsyncSettling:
    """The part of `AsyncClient` that tells prices, why they are so, and what is called for."""

    _http: AsyncHttp

    async def settlements(
        self,
        *,
        symbol: str | None = None,
        date: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> wt.Page[st.Settlement]:
        """Return settlements with their inputs, newest first; `date` as in 2026-11-22."""
        return await self._http.run(settlement_calls.settlements(symbol, limit, cursor, date))

    async def settlement_run(self, run_id: str) -> st.SettlementRun:
        """Return everything that the prices of a moment come from."""
        return await self._http.run(settlement_calls.run(run_id))

    async def accruals(
        self,
        *,
        state: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> wt.Page[st.InDelivery]:
        """Return contracts in delivery and how far they are: delivery, provisional or final."""
        return await self._http.run(settlement_calls.accruals(state, limit, cursor))

    async def settlement_proof(self, symbol: str) -> Json:
        """Return the way from a final settlement to the signed root of its day."""
        return await self._http.run(settlement_calls.proof(symbol))

    async def margin_calls(self, *, limit: int | None = None) -> wt.Page[dt.MarginCall]:
        """Return own margin calls, newest first."""
        return await self._http.run(default_calls.own_margin_calls(limit))

    async def acknowledge_margin_call(self, call_id: str) -> wt.Page[dt.MarginCall]:
        """Say that a margin call was seen; said again it changes nothing."""
        return await self._http.run(default_calls.acknowledge(call_id))

    async def position_limits(self) -> rt.OwnerHoldings:
        """Return what the owner of the account holds in all its accounts, and may."""
        return await self._http.run(restraint_calls.position_limits())

    async def notices(self, *, limit: int | None = None) -> wt.Page[rt.Notice]:
        """Return what the account was told, newest first: limits, restraints, calls of the fund."""
        return await self._http.run(restraint_calls.notices(limit))

    async def default_auctions(self, *, limit: int | None = None) -> wt.Page[at.DefaultAuction]:
        """Return the auctions of defaults that the account is asked to bid in, newest first."""
        return await self._http.run(default_auction_calls.auctions(limit))

    async def bid_in_default_auction(
        self,
        liquidation_id: str,
        lot: int,
        premium: Number | None,
        share: Number | None = None,
        *,
        bid_id: str | None = None,
    ) -> at.DefaultAuction:
        """Put a sealed bid for a lot; the last one counts, a share of 0 passes."""
        call = default_auction_calls.bid(liquidation_id, lot, premium, share, bid_id=bid_id)
        return await self._http.run(call)
