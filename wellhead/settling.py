# Made by tools/sync_client.py from async_settling.py: change that file.
"""Settlement prices and what they come from; own margin calls.

made from this file's twin.
"""

from wellhead import default_auction_calls, default_calls, restraint_calls, settlement_calls
from wellhead import default_auction_types as at
from wellhead import default_types as dt
from wellhead import restraint_types as rt
from wellhead import settlement_types as st
from wellhead import types as wt
from wellhead.calls import Json
from wellhead.http_sync import Http
from wellhead.order_fields import Number


class Settling:
    """The part of `Client` that tells prices, why they are so, and what is called for."""

    _http: Http

    def settlements(
        self,
        *,
        symbol: str | None = None,
        date: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> wt.Page[st.Settlement]:
        """Return settlements with their inputs, newest first; `date` as in 2026-11-22."""
        return self._http.run(settlement_calls.settlements(symbol, limit, cursor, date))

    def settlement_run(self, run_id: str) -> st.SettlementRun:
        """Return everything that the prices of a moment come from."""
        return self._http.run(settlement_calls.run(run_id))

    def accruals(
        self,
        *,
        state: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> wt.Page[st.InDelivery]:
        """Return contracts in delivery and how far they are: delivery, provisional or final."""
        return self._http.run(settlement_calls.accruals(state, limit, cursor))

    def settlement_proof(self, symbol: str) -> Json:
        """Return the way from a final settlement to the signed root of its day."""
        return self._http.run(settlement_calls.proof(symbol))

    def margin_calls(self, *, limit: int | None = None) -> wt.Page[dt.MarginCall]:
        """Return own margin calls, newest first."""
        return self._http.run(default_calls.own_margin_calls(limit))

    def acknowledge_margin_call(self, call_id: str) -> wt.Page[dt.MarginCall]:
        """Say that a margin call was seen; said again it changes nothing."""
        return self._http.run(default_calls.acknowledge(call_id))

    def position_limits(self) -> rt.OwnerHoldings:
        """Return what the owner of the account holds in all its accounts, and may."""
        return self._http.run(restraint_calls.position_limits())

    def notices(self, *, limit: int | None = None) -> wt.Page[rt.Notice]:
        """Return what the account was told, newest first: limits, restraints, calls of the fund."""
        return self._http.run(restraint_calls.notices(limit))

    def default_auctions(self, *, limit: int | None = None) -> wt.Page[at.DefaultAuction]:
        """Return the auctions of defaults that the account is asked to bid in, newest first."""
        return self._http.run(default_auction_calls.auctions(limit))

    def bid_in_default_auction(
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
        return self._http.run(call)
