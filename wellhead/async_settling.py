"""Settlement prices, and what they come from.

`settling.py`, the one without, is made from this file.
"""

from wellhead import settlement_calls
from wellhead import settlement_types as st
from wellhead import types as wt
from wellhead.http_async import AsyncHttp


class AsyncSettling:
    """The part of `AsyncClient` that anybody needs to know why a price is what it is."""

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
