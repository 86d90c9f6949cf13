"""Views: what pages give, put together, is exactly what happened."""

from itertools import product

import pytest

from exchange.io.ledger import Ledger
from exchange.io.views import Span
from exchange.io.views_tape import TapeViews
from exchange.rules.cleared_legs import TradeKind
from exchange.rules.clearing_house import ClearingHouse
from exchange.rules.klines import INTERVALS_S, MINUTE_NS, Klines
from tests.support.flow import Flow

ACCOUNT = 3


@pytest.fixture
async def market(database):
    """Give what a flow did, cleared, in memory and in the tables."""
    batches = list(Flow(41, accounts=6).batches(150))
    house = ClearingHouse()
    for batch in batches:
        house.apply(batch.commands, batch.events)
    effects = house.take()
    connection = await database.connect()
    await Ledger(connection).write(effects)
    yield effects
    connection.terminate()


@pytest.fixture
async def views(pool, market):
    return TapeViews(pool)


async def paged(read, limit: int = 7, **span) -> list:
    """Return the rows of all pages, each read at the cursor of the one before."""
    rows, cursor = [], None
    while True:
        page = await read(Span(limit=limit, cursor=cursor, **span))
        assert len(page.rows) <= limit
        rows += page.rows
        cursor = page.cursor
        if cursor is None:
            return rows
        assert len(page.rows) == limit


def fills_of(market) -> list[tuple]:
    events = [e for e in market.position_events if e.account_idx == ACCOUNT]
    clients = {o.order_id: o.client_order_id for o in market.orders}
    blocks = {(t.seq, t.leg): t.block for t in market.trades}
    assert set(blocks.values()) == {0, 1, 2}
    rows = [
        (*e[:12], clients.get(e.order_id), blocks[e.seq, e.leg],
         e.trading_fee_usd_micros + e.clearing_fee_usd_micros)
        for e in events
    ]  # fmt: skip
    return sorted(rows, key=lambda row: row[1:4])


async def test_fills_of_an_account_come_in_pages_both_ways(views, market):
    expected = fills_of(market)
    assert len(expected) > 20
    assert await paged(lambda s: views.fills(ACCOUNT, s)) == expected[::-1]
    assert await paged(lambda s: views.fills(ACCOUNT, s, oldest_first=True)) == expected


async def test_fills_after_a_seq_of_a_contract_or_an_order(views, market):
    expected = fills_of(market)
    middle = expected[len(expected) // 2]
    got = await paged(lambda s: views.fills(ACCOUNT, s, oldest_first=True), after_seq=middle[1])
    assert got == [row for row in expected if row[1] > middle[1]]
    got = await paged(lambda s: views.fills(ACCOUNT, s, contract_idx=1))
    assert got == [row for row in expected if row[5] == 1][::-1]
    got = await paged(lambda s: views.fills(ACCOUNT, s, order_id=middle[6]))
    assert got == [row for row in expected if row[6] == middle[6]][::-1]


async def test_fills_by_time_are_those_in_the_half_open_interval(views, market):
    expected = fills_of(market)
    from_ns, until_ns = expected[5][11], expected[-5][11]
    for bounds in ((from_ns, until_ns), (from_ns + 1, until_ns + 1), (0, from_ns), (until_ns, 1)):
        got = await paged(lambda s: views.fills(ACCOUNT, s), from_ns=bounds[0], until_ns=bounds[1])
        assert got == [row for row in expected if bounds[0] <= row[11] < bounds[1]][::-1]


async def test_trades_of_a_contract_come_in_pages_both_ways(views, market):
    expected = [t for t in market.trades if t.contract_idx == 1]
    assert await paged(lambda s: views.trades(1, s)) == expected[::-1]
    assert await paged(lambda s: views.trades(1, s, oldest_first=True)) == expected
    at_ns = expected[9].ts_ns
    got = await paged(lambda s: views.trades(1, s), from_ns=at_ns)
    assert got == [t for t in expected if t.ts_ns >= at_ns][::-1]


async def test_trades_leave_out_the_blocks_after_a_moment_and_fill_their_pages(views, market):
    last = [t for t in market.trades if t.block][-1]
    until_ns = last.ts_ns - 1
    traded = [t for t in market.trades if t.contract_idx == last.contract_idx]
    shown = [t for t in traded if not t.block or t.ts_ns <= until_ns]
    assert 7 < len(shown) < len(traded)
    got = await paged(lambda s: views.trades(last.contract_idx, s, blocks_until_ns=until_ns))
    assert got == shown[::-1]


async def test_ledger_entries_lead_from_balance_to_balance(views, market):
    entries = await paged(lambda s: views.ledger(ACCOUNT, s, oldest_first=True))
    assert [e.version for e in entries] == list(range(1, len(entries) + 1))
    balance = 0
    for entry in entries:
        balance += entry.amount_usd_micros
        assert entry.balance_usd_micros == balance
    assert await paged(lambda s: views.ledger(ACCOUNT, s)) == entries[::-1]
    after = entries[10].seq
    got = await paged(lambda s: views.ledger(ACCOUNT, s, oldest_first=True), after_seq=after)
    assert got == [e for e in entries if e.seq > after]
    assert {e.reason for e in entries} >= {"deposit", "variation_collect", "variation_pay"}


async def test_variation_of_each_settlement_adds_up_to_the_ledger(views):
    rows = await paged(lambda s: views.variations(ACCOUNT, s))
    entries = await paged(lambda s: views.ledger(ACCOUNT, s))
    posted = sum(e.amount_usd_micros for e in entries if e.reason.startswith("variation"))
    assert sum(row.amount_usd_micros for row in rows) == posted != 0


async def test_orders_are_found_by_state_contract_time_and_both_ids(views, market):
    mine = sorted((o for o in market.orders if o.account_idx == ACCOUNT), key=lambda o: -o.order_id)
    assert await paged(lambda s: views.orders(ACCOUNT, s)) == mine
    for account_idx, is_open in product(range(6), (True, False)):
        got = await paged(lambda s, a=account_idx, o=is_open: views.orders(a, s, is_open=o))
        theirs = [o for o in market.orders if o.account_idx == account_idx]
        assert got == [o for o in reversed(theirs) if (o.open_lots > 0) == is_open]
    assert any(o.open_lots for o in market.orders)
    out = [o.order_id for o in mine[::3]]
    got = await paged(lambda s: views.orders(ACCOUNT, s, but=out))
    assert got == [o for o in mine if o.order_id not in out]
    got = await paged(lambda s: views.orders(ACCOUNT, s, contract_idx=2))
    assert got == [o for o in mine if o.contract_idx == 2]
    at_ns = mine[10].placed_ns
    got = await paged(lambda s: views.orders(ACCOUNT, s), from_ns=at_ns)
    assert got == [o for o in mine if o.placed_ns >= at_ns]
    one = next(o for o in mine if o.client_order_id)
    assert await views.order(ACCOUNT, one.order_id) == one
    assert await views.order_by_client(ACCOUNT, one.client_order_id) == one
    assert await views.order(ACCOUNT + 1, one.order_id) is None
    assert await views.order_by_client(ACCOUNT + 1, one.client_order_id) is None


@pytest.mark.parametrize("interval_s", INTERVALS_S)
async def test_klines_are_made_of_the_trades_in_them(views, market, interval_s):
    got = await paged(lambda s: views.klines(0, interval_s, s), limit=3)
    trades = [t for t in market.trades if t.contract_idx == 0 and not t.block]
    opens = sorted({t.ts_ns - t.ts_ns % (interval_s * 10**9) for t in trades}, reverse=True)
    assert [k.open_ns for k in got] == opens
    for kline in got:
        inside = [t for t in trades if 0 <= t.ts_ns - kline.open_ns < interval_s * 10**9]
        prices = [t.price_ticks for t in inside]
        assert kline[3:7] == (prices[0], max(prices), min(prices), prices[-1])
        assert kline.volume_lots == sum(t.qty_lots for t in inside)
        assert kline.volume_tick_lots == sum(t.qty_lots * t.price_ticks for t in inside)
        assert kline.trade_count == len(inside)


async def test_settlements_say_what_they_were_reached_from(views, market):
    assert [s.row for s in await paged(views.settlements)] == market.settlements[::-1]
    got = await paged(lambda s: views.settlements(s, contract_idx=1))
    mine = [s for s in market.settlements if s.contract_idx == 1]
    assert [s.row for s in got] == mine[::-1]
    daily_ticks = mine[0].previous_ticks  # what is paid in between is no settlement price
    for one in mine:
        assert one.previous_ticks == daily_ticks
        daily_ticks = daily_ticks if one.cycle else one.price_ticks


async def test_every_answer_says_at_which_seq_it_is_true(views, market):
    last_seq = market.last_seq
    assert await views.seq() == last_seq
    pages = [
        await views.fills(ACCOUNT, Span()),
        await views.fills(99, Span()),
        await views.trades(99, Span()),
        await views.ledger(99, Span()),
        await views.orders(99, Span()),
        await views.klines(99, 60, Span()),
        await views.settlements(Span()),
    ]
    assert {page.seq for page in pages} == {last_seq}
    assert [page.rows for page in pages[1:6]] == [[]] * 5


async def test_the_blocks_since_a_moment_are_all_of_them_up_to_a_command(views, market):
    blocks = [trade for trade in market.trades if trade.block]
    assert len(blocks) > 5
    middle, last = blocks[len(blocks) // 2], blocks[-2]
    page = await views.blocks_since(0, market.last_seq)
    assert (page.seq, page.rows) == (market.last_seq, blocks)
    page = await views.blocks_since(middle.ts_ns, last.seq)
    assert page.rows == [t for t in blocks if t.ts_ns > middle.ts_ns and t.seq <= last.seq]


async def test_the_candles_since_a_moment_are_of_the_trades_up_to_a_command(views, market):
    shown = [t for t in market.trades if not t.block and t.kind != TradeKind.LEG]
    last = shown[-3]
    from_ns = last.ts_ns - last.ts_ns % MINUTE_NS - MINUTE_NS
    counted = Klines()
    for one in shown:
        if one.ts_ns >= from_ns and one.seq <= last.seq:
            counted.add(one.contract_idx, from_ns, one.price_ticks, one.qty_lots)
    page = await views.candles_since(from_ns, last.seq)
    assert page.seq == market.last_seq
    assert len(page.rows) > 1
    assert sorted(page.rows) == [row for row in counted.rows() if row.interval_s == 60]
