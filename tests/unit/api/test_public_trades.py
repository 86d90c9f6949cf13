"""The public tape over REST: pages of what is in memory, then of what the views have."""

from typing import Any

import pytest

from api.routes.history import place_of
from exchange.io.views import Page, Span
from exchange.rules.clearing_rows import TradeRow
from exchange.rules.records import Trade
from tests.support.api_fakes import MemoryViews
from tests.support.api_world import SYMBOL, World, running


class OldTrades(MemoryViews):
    """Views with trades from before the start, oldest first."""

    rows: tuple[TradeRow, ...] = ()

    async def trades(
        self, contract_idx: int, span: Span, *, blocks_until_ns: int = 0, **_: Any
    ) -> Page[Any]:
        shown = [row for row in self.rows if not row.block or row.ts_ns <= blocks_until_ns]
        places = {row.seq << 20 | row.leg: row for row in reversed(shown)}
        found = [row for place, row in places.items() if span.cursor is None or place < span.cursor]
        return Page(10**6, found[: span.limit], None)


def old(seq: int, ts_ns: int = 0, block: int = 0) -> TradeRow:
    """Return a trade from before the start."""
    return TradeRow(seq, 0, 0, 2000, 1, 0, 1, 2, 9, 9, ts_ns, block)


@pytest.fixture
async def world():
    """Give an exchange that was started again: two old trades, three new ones."""
    async with running() as one:
        views = OldTrades(one.mirror)
        views.rows = (old(1), old(2))
        one.services.views, one.gateway.began_seq = views, 3
        for _ in range(3):
            await one.place("alice", "sell", "2.000", "1")
            await one.place("bob", "buy", "2.000", "1")
        yield one


async def pages(world: World, limit: int) -> list[list[str]]:
    """Return the ids of each page, as who follows `next_cursor` gets them."""
    found, cursor = [], ""
    while len(found) < 20:
        path = f"/trades/{SYMBOL}?limit={limit}{cursor}"
        answer = (await world.call("", "GET", path)).json()
        found.append([trade["trade_id"] for trade in answer["trades"]])
        if answer["next_cursor"] is None:
            break
        cursor = f"&cursor={answer['next_cursor']}"
    return found


@pytest.mark.parametrize("limit", range(1, 7))
async def test_pages_lead_from_memory_to_the_views_wherever_they_are_cut(world: World, limit: int):
    new = [f"{trade.seq}-{trade.leg}" for trade in reversed(world.mirror.contracts[0].trades)]
    every = [*new, "2-0", "1-0"]
    assert len(every) == 5
    cut = [every[at : at + limit] for at in range(0, 5, limit)]
    assert await pages(world, limit) == cut


@pytest.mark.parametrize("limit", range(1, 7))
async def test_a_block_in_its_delay_shortens_no_page_and_is_in_no_cursor(world: World, limit: int):
    now_ns = world.now_ns()
    kept = world.mirror.contracts[0].trades
    await world.list_contract(2, "H100-USE-2027M05")  # the mirror's seq goes on
    hidden = Trade(world.mirror.seq, 0, now_ns, 0, 2000, 1, 0, 1, 9, 2, 9, 0, block=1)
    ids = [f"{trade.seq}-{trade.leg}" for trade in reversed(kept)]
    kept.append(hidden)
    world.services.views.rows = (old(1), old(2, 0, 1), old(3, now_ns, 1))  # type: ignore[attr-defined]
    every = [*ids, "2-0", "1-0"]
    assert await pages(world, limit) == [every[at : at + limit] for at in range(0, 5, limit)]
    first = (await world.call("", "GET", f"/trades/{SYMBOL}?limit=3")).json()
    assert first["next_cursor"] == str(place_of(kept[0]))
