"""What the public tape begins with: what was traded before this process started."""

from exchange.io.views import Page, Span, Views, page_of
from exchange.rules.clearing_rows import KlineRow, TradeRow


class TapeViews(Views):
    """The views, and two reads that end at a command."""

    async def blocks_since(self, from_ns: int, until_seq: int) -> Page[TradeRow]:
        """Return all blocks since a moment, up to a command, oldest first."""
        after_seq, *_ = await self._window(Span(from_ns=from_ns))
        rows = await self._fetch("blocks_since", after_seq, until_seq, from_ns)
        return page_of(rows, Span(limit=len(rows)), TradeRow._make, lambda t: t.seq)

    async def candles_since(self, from_ns: int, until_seq: int) -> Page[KlineRow]:
        """Return of every contract one candle: of its trades since a moment, up to a command."""
        after_seq, *_ = await self._window(Span(from_ns=from_ns))
        rows = await self._fetch("candles_since", after_seq, until_seq, from_ns)
        return page_of(rows, Span(limit=len(rows)), KlineRow._make, lambda c: c.contract_idx)
