"""Market data: candles, days, and channels that never break their chain."""

import json
import zlib
from random import Random

import pytest

from exchange.rules import public_data
from exchange.rules.candles import NS_PER_DAY, NS_PER_MINUTE, Candle, Day
from exchange.rules.mirror import Mirror
from exchange.services.market_data import MarketData
from exchange.services.market_data.service import kind_of
from tests.support.flow import Flow

NOON_NS = 1_700_000_000 * 10**9 // NS_PER_MINUTE * NS_PER_MINUTE
SYMBOL = "H100-USE-2027M01"


class Ear:
    """A subscriber that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[dict] = []

    def deliver(self, channel: str, payload: bytes) -> None:
        message = json.loads(payload)
        assert message["channel"] == channel
        self.heard.append(message)


def test_a_candle_has_its_first_highest_lowest_and_last_price():
    day = Day()
    for second, price, lots in ((0, 20, 1), (10, 25, 2), (20, 15, 3), (59, 18, 4)):
        day.add(NOON_NS + second * 10**9, price, lots)
    day.add(NOON_NS + NS_PER_MINUTE, 30, 5)
    first, second = day.candles
    assert (first.open_ticks, first.high_ticks, first.low_ticks, first.close_ticks) == (
        20, 25, 15, 18,
    )  # fmt: skip
    assert (first.volume_lots, first.trades, first.tick_lots) == (10, 4, 20 + 50 + 45 + 72)
    assert second.open_ns == NOON_NS + NS_PER_MINUTE
    assert (day.open_ticks, day.high_ticks, day.low_ticks, day.volume_lots) == (20, 30, 15, 15)


@pytest.mark.parametrize("seed", range(5))
def test_a_day_always_equals_its_trades_counted_anew(seed: int):
    chance, day, trades, now_ns = Random(seed), Day(), [], NOON_NS
    for _ in range(600):
        now_ns += chance.choice((0, 10**9, 7 * NS_PER_MINUTE, 3600 * 10**9 // 2))
        price, lots = chance.randint(900, 1100), chance.randint(1, 9)
        day.add(now_ns, price, lots)
        trades.append((now_ns, price, lots))
        day.expire(now_ns)
        since_ns = now_ns - NS_PER_DAY
        inside = [t for t in trades if t[0] - t[0] % NS_PER_MINUTE >= since_ns]
        assert day.volume_lots == sum(lots for _, _, lots in inside)
        assert day.high_ticks == max(price for _, price, _ in inside)
        assert day.low_ticks == min(price for _, price, _ in inside)
        assert day.open_ticks == inside[0][1]
    day.expire(now_ns + 2 * NS_PER_DAY)
    assert (day.open_ticks, day.high_ticks, day.low_ticks, day.volume_lots) == (0, 0, 0, 0)


def test_candles_from_before_come_first():
    day = Day()
    day.add(NOON_NS + NS_PER_MINUTE, 40, 1)
    old = Candle(NOON_NS, 50)
    old.add(50, 7)
    day.put([old])
    assert [candle.open_ns for candle in day.candles] == [NOON_NS, NOON_NS + NS_PER_MINUTE]
    assert (day.high_ticks, day.low_ticks, day.volume_lots) == (50, 40, 8)


@pytest.mark.parametrize(
    ("name", "kind", "symbol"),
    [
        ("book.H100-USE-2027.raw", "book.*.raw", "H100-USE-2027"),
        ("book.H100.T-USE-2027.100ms", "book.*.100ms", "H100.T-USE-2027"),
        ("bbo.H100.T-USE-2027", "bbo.*", "H100.T-USE-2027"),
        ("kline.H100-USE-2027.1m", "kline.*.1m", "H100-USE-2027"),
    ],
)
def test_a_channel_names_its_kind_and_symbol_dots_and_all(name: str, kind: str, symbol: str):
    assert kind_of(name) == (kind, symbol)


def apply(book: dict, message: dict) -> None:
    if message["type"] == "snapshot":
        book.clear()
        book.update(bids={}, asks={})
    else:
        assert message["prev_seq"] == book["seq"]
    for side in ("bids", "asks"):
        for price, size in message["data"][side]:
            if size == "0":
                book[side].pop(price, None)
            else:
                book[side][price] = size
    book["seq"] = message["seq"]


@pytest.mark.parametrize("seed", range(3))
def test_every_book_kept_by_deltas_equals_the_mirrors_at_every_seq(seed: int):
    mirror, chance = Mirror(), Random(seed)
    flow = Flow(seed)
    feed = MarketData(mirror)
    followers: list[tuple[str, Ear, dict]] = []
    for number, batch in enumerate(flow.batches(120)):
        changes = mirror.apply(batch.commands, batch.events)
        feed.apply(batch, changes)
        if number and chance.random() < 0.2:  # somebody joins at any moment
            ear = Ear()
            name = f"book.{SYMBOL}.{chance.choice(('raw', '100ms'))}"
            snapshot = feed.subscribe(name, ear)
            assert snapshot is not None
            ear.heard.append(json.loads(snapshot))
            followers.append((name, ear, {}))
        if chance.random() < 0.3:
            feed.turn()
            for name, ear, book in followers:
                for message in ear.heard:
                    apply(book, message)
                ear.heard.clear()
                contract = mirror.contract(SYMBOL)
                assert contract is not None
                whole = feed.book(contract, 10**6)
                assert book["seq"] == whole["seq"], name
                assert sorted(book["bids"].items()) == sorted(map(tuple, whole["bids"]))
                assert sorted(book["asks"].items()) == sorted(map(tuple, whole["asks"]))
    assert len(followers) > 5


def test_trades_tickers_and_candles_follow_the_same_flow():
    mirror = Mirror()
    feed = MarketData(mirror, now_ns=lambda: 0)  # so early that no block is published
    flow = Flow(7)
    batches = flow.batches(150)
    first = next(batches)
    feed.apply(first, mirror.apply(first.commands, first.events))
    ears = {name: Ear() for name in (f"trades.{SYMBOL}", f"ticker.{SYMBOL}", f"bbo.{SYMBOL}")}
    seqs = {}
    for name, ear in ears.items():
        snapshot = feed.subscribe(name, ear)
        assert snapshot is not None
        seqs[name] = json.loads(snapshot)["seq"]
    lots = count = 0
    for batch in batches:
        changes = mirror.apply(batch.commands, batch.events)
        feed.apply(batch, changes)
        own = [t for t in changes.trades if mirror.contracts[t.contract_idx].symbol == SYMBOL]
        lots, count = lots + sum(t.qty_lots for t in own), count + len(own)
        feed.turn()
    assert count
    for name, ear in ears.items():
        for message in ear.heard:
            assert message["prev_seq"] == seqs[name]
            seqs[name] = message["seq"]
    told = [trade for message in ears[f"trades.{SYMBOL}"].heard for trade in message["data"]]
    assert len(told) == count
    assert sum(int(trade["quantity"]) for trade in told) == lots
    contract = mirror.contract(SYMBOL)
    assert contract is not None
    last = ears[f"ticker.{SYMBOL}"].heard[-1]["data"]
    assert last == feed.ticker(contract)
    assert ears[f"bbo.{SYMBOL}"].heard[-1]["data"] == public_data.best(contract)


def test_a_ticker_is_told_when_the_day_moves_on_and_a_candle_when_it_was_the_last():
    mirror, ear, batches = Mirror(), Ear(), Flow(3).batches(40)
    data = MarketData(mirror)
    for batch in batches:
        data.apply(batch, mirror.apply(batch.commands, batch.events))
    symbol = next(one.symbol for one in mirror.contracts if one.trades)
    names = (f"ticker.{symbol}", f"kline.{symbol}.1m")
    for name in names:
        assert data.subscribe(name, ear) is not None
    data.turn()
    assert ear.heard == []
    mirror.ts_ns += 2 * NS_PER_DAY
    data.turn()
    data.turn()
    ticker, candle = ear.heard
    assert [ticker["channel"], candle["channel"]] == [*names]
    assert ticker["data"]["volume_24h"] == "0" and candle["data"]["kline"] is None
    assert all(one["seq"] == one["prev_seq"] == mirror.seq for one in ear.heard)


def test_a_channel_without_subscribers_is_forgotten():
    mirror = Mirror()
    feed = MarketData(mirror)
    first = next(Flow(1).batches(0))
    feed.apply(first, mirror.apply(first.commands, first.events))
    ear, name = Ear(), f"bbo.{SYMBOL}"
    assert feed.subscribe(name, ear) is not None
    feed.unsubscribe(name, ear)
    feed.unsubscribe(name, ear)
    assert feed.snapshot(name) is None
    assert feed.subscribe("bbo.NOPE", ear) is None
    assert feed.subscribe("nope", ear) is None


def test_the_checksum_is_of_the_ten_best_levels_in_turn():
    mirror = Mirror()
    first = next(Flow(1).batches(0))
    mirror.apply(first.commands, first.events)
    contract = mirror.contracts[0]
    contract.books[0].add(1990, 3)
    contract.books[0].add(1980, 5)
    contract.books[1].add(2010, 7)
    assert public_data.checksum(contract) == zlib.crc32(b"1.990:3:2.010:7:1.980:5")
