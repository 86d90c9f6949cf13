"""Market data behind a restart: the day before, and the blocks that wait for their time."""

import json
from random import Random
from typing import ClassVar

import pytest

from exchange.io.batch import Batch
from exchange.io.errors import Unavailable
from exchange.io.views import Page, Span
from exchange.rules.candles import NS_PER_DAY, NS_PER_MINUTE, Candle
from exchange.rules.cleared_legs import TradeKind
from exchange.rules.clearing_house import ClearingHouse
from exchange.rules.clearing_rows import KlineRow, TradeRow
from exchange.rules.klines import Klines, merged
from exchange.rules.mirror import Mirror
from exchange.services.market_data import MarketData
from exchange.services.market_data.channels import TRADES_SHOWN
from tests.support.flow import Flow

SYMBOL = "H100-USE-2027M01"


class Ear:
    """A subscriber that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[dict] = []

    def deliver(self, channel: str, payload: bytes) -> None:
        self.heard.append(json.loads(payload))


class NoneYet:
    """Views that know no trade of the minute of the start."""

    async def candles_since(self, from_ns: int, until_seq: int) -> Page[KlineRow]:
        return Page(until_seq, [], None)


async def test_the_day_before_the_start_comes_from_the_views():
    class History(NoneYet):
        async def klines(self, contract_idx: int, interval_s: int, span: Span) -> Page[KlineRow]:
            assert (interval_s, span.until_ns - span.from_ns) == (60, NS_PER_DAY)
            newest = span.until_ns - NS_PER_MINUTE
            rows = [
                KlineRow(contract_idx, 60, newest - n * NS_PER_MINUTE, 9, 9 + n, 8, 9, 2, 18, 1)
                for n in range(3)
            ]
            return Page(1, rows, None)

    mirror = Mirror()
    first = next(Flow(1).batches(0))
    mirror.apply(first.commands, first.events)
    feed = MarketData(mirror)
    assert await feed.load(History())  # type: ignore[arg-type]
    ticker = feed.ticker(mirror.contracts[0])
    assert (ticker["volume_24h"], ticker["high_24h"], ticker["low_24h"]) == ("6", "0.011", "0.008")


async def test_who_subscribed_before_the_day_was_read_is_told_what_it_was():
    class History(NoneYet):
        async def klines(self, contract_idx: int, interval_s: int, span: Span) -> Page[KlineRow]:
            opened = span.until_ns - NS_PER_MINUTE
            return Page(1, [KlineRow(contract_idx, 60, opened, 9, 9, 8, 9, 7, 63, 1)], None)

    mirror, ear = Mirror(), Ear()
    first = next(Flow(1).batches(0))
    mirror.apply(first.commands, first.events)
    feed = MarketData(mirror)
    symbol = mirror.contracts[0].symbol
    for name in (f"ticker.{symbol}", f"kline.{symbol}.1m"):
        feed.subscribe(name, ear)
    assert await feed.load(History())  # type: ignore[arg-type]
    feed.turn()
    ticker, candle = ear.heard
    assert ticker["data"]["volume_24h"] == candle["data"]["kline"]["volume"] == "7"


class Cleared:
    """Views as clearing writes them, of all that it has applied."""

    def __init__(self) -> None:
        self.house, self.seq = ClearingHouse(), 0
        self.trades: list[TradeRow] = []
        self.rows: dict[tuple[int, int, int], KlineRow] = {}

    def apply(self, batch: Batch) -> None:
        self.house.apply(batch.commands, batch.events)
        effects = self.house.take()
        self.seq = effects.last_seq
        self.trades += effects.trades
        for row in effects.klines:
            known = self.rows.get(row[:3])
            self.rows[row[:3]] = merged(known, row) if known else row

    async def klines(self, contract_idx: int, interval_s: int, span: Span) -> Page[KlineRow]:
        rows = [
            row
            for row in self.rows.values()
            if row[:2] == (contract_idx, interval_s) and span.from_ns <= row.open_ns < span.until_ns
        ]
        return Page(self.seq, sorted(rows, reverse=True), None)

    async def candles_since(self, from_ns: int, until_seq: int) -> Page[KlineRow]:
        counted = Klines()
        for one in self.trades:
            if (
                one.ts_ns >= from_ns
                and one.seq <= until_seq
                and not one.block
                and one.kind != TradeKind.LEG
            ):
                counted.add(one.contract_idx, one.ts_ns, one.price_ticks, one.qty_lots)
        return Page(self.seq, [row for row in counted.rows() if row.interval_s == 60], None)


@pytest.mark.parametrize("seed", range(6))
async def test_days_behind_a_restart_are_those_of_who_never_stopped(seed: int):
    """Whatever was traded in the minute of the stop, before and after it, is counted once."""
    mirror, views, chance = Mirror(), Cleared(), Random(seed)
    batches, always = list(Flow(seed).batches(120)), MarketData(mirror)
    stop, behind = chance.randint(40, 110), chance.randint(1, 5)
    other: MarketData | None = None
    for number, batch in enumerate(batches):
        if number == stop:
            other = MarketData(mirror)
        changes = mirror.apply(batch.commands, batch.events)
        for feed in (always, other) if other else (always,):
            feed.apply(batch, changes)
        if number >= behind:
            views.apply(batches[number - behind])
        if number in (stop, stop + behind - 1) and other:
            assert await other.load(views) is (number >= stop + behind - 1)  # type: ignore[arg-type]
    assert other is not None
    for contract in mirror.contracts:
        assert other.ticker(contract) == always.ticker(contract)
        for one, same in zip(other.klines(contract), always.klines(contract), strict=True):
            assert all(getattr(one, name) == getattr(same, name) for name in Candle.__slots__)


async def test_what_an_earlier_process_knew_is_asked_for_once_a_second_until_it_is_here():
    class Behind(NoneYet):
        seqs: ClassVar = [-1, 0, -1, 0]

        async def candles_since(self, from_ns: int, until_seq: int) -> Page[KlineRow]:
            return Page(self.seqs.pop(0), [], None)

        async def blocks_since(self, from_ns: int, until_seq: int) -> Page[TradeRow]:
            return Page(self.seqs.pop(0), [], None)

    views = Behind()
    feed = MarketData(Mirror(), views)  # type: ignore[arg-type]
    left = []
    for now_s in (0.5, 1.0, 1.6, 2.7, 9.0):
        await feed.ask_for_older(now_s)
        left.append(len(views.seqs))
    assert left == [3, 3, 1, 0, 0]


async def test_the_feed_begins_when_clearing_is_here_and_without_it_after_a_while():
    class Behind(NoneYet):
        reached: ClassVar[list[int | Exception]] = [0, Unavailable("gone")]
        asked: ClassVar[list[tuple[int, float]]] = []

        async def reach(self, seq: int, timeout_s: float) -> int:
            self.asked.append((seq, timeout_s))
            found = self.reached.pop(0)
            if isinstance(found, Exception):
                raise found
            return found

        async def candles_since(self, from_ns: int, until_seq: int) -> Page[KlineRow]:
            raise Unavailable("gone")

    mirror, views = Mirror(), Behind()
    mirror.seq = 9
    assert await MarketData(mirror, views).begin(2.0) == 0  # type: ignore[arg-type]
    assert await MarketData(mirror, views).begin(2.0) == 0  # type: ignore[arg-type]
    assert views.asked == [(9, 2.0)] * 2
    assert await MarketData(mirror).begin(2.0) == 0


class OldBlocks:
    """Views that know the blocks of an earlier process; clearing is behind at first."""

    def __init__(self, rows: list[TradeRow], *seqs: int) -> None:
        self.rows, self.seqs = rows, list(seqs)
        self.asked: list[tuple[int, int]] = []

    async def blocks_since(self, from_ns: int, until_seq: int) -> Page[TradeRow]:
        self.asked.append((from_ns, until_seq))
        return Page(self.seqs.pop(0), self.rows, None)


async def test_a_block_in_its_delay_is_published_after_a_restart_once():
    mirror, flow = Mirror(), Flow(7)
    for batch in flow.batches(20):
        mirror.apply(batch.commands, batch.events)
    now_ns, second = [mirror.ts_ns], 10**9
    feed = MarketData(mirror, now_ns=lambda: now_ns[0], block_delay_ns=60 * second)
    ear = Ear()
    assert feed.subscribe(f"trades.{SYMBOL}", ear) is not None
    idx = mirror.symbols[SYMBOL]
    rows = [
        TradeRow(seq, 0, idx, 2000, 50, 0, 1, 2, 9, 9, now_ns[0] - ago * second, 1)
        for seq, ago in ((3, 40), (5, 20))
    ]
    views = OldBlocks(rows, mirror.seq - 1, mirror.seq)
    assert not await feed.load_blocks(views)  # type: ignore[arg-type]
    assert await feed.load_blocks(views)  # type: ignore[arg-type]
    assert views.asked[1] == (now_ns[0] - 60 * second, mirror.seq)
    feed.turn()
    assert ear.heard == []
    for later_s, count in ((20, 1), (40, 2), (60, 2)):
        now_ns[0] = mirror.ts_ns + later_s * second
        feed.turn()
        told = [trade["trade_id"] for message in ear.heard for trade in message["data"]]
        assert told == ["3-0", "5-0"][:count]


def test_the_snapshot_of_trades_is_of_those_since_the_start_fifty_at_most():
    """As docs/api.md says; older ones are pages of `GET /trades`."""
    mirror, flow = Mirror(), Flow(5)
    feed = MarketData(mirror, now_ns=lambda: 0)  # no block is published
    snapshot = b""
    for batch in flow.batches(120):
        feed.apply(batch, mirror.apply(batch.commands, batch.events))
        if SYMBOL in mirror.symbols:
            snapshot = feed.subscribe(f"trades.{SYMBOL}", Ear()) or b""
            since = [
                one for one in mirror.contracts[mirror.symbols[SYMBOL]].trades if not one.block
            ]
            told = [one["trade_id"] for one in json.loads(snapshot)["data"]]
            assert told == [f"{one.seq}-{one.leg}" for one in since][-TRADES_SHOWN:]
    assert len(json.loads(snapshot)["data"]) == TRADES_SHOWN
