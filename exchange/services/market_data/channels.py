"""Channels: who subscribed, what was said last, and what is to be said next."""

from collections.abc import Callable
from typing import Any, Protocol

from exchange.rules import public_data as shapes
from exchange.rules.candles import Day
from exchange.rules.records import Contract, Trade
from matching.codes import Side

TRADES_SHOWN = 50  # in the snapshot of a trades channel
LEVELS_ALL = 1 << 30


class Subscriber(Protocol):
    """Who listens. `deliver` never waits: whoever is too slow drops or closes by itself."""

    def deliver(self, channel: str, payload: bytes) -> None:
        """Take one message of a channel."""
        ...


Touched = list[tuple[int, int]]  # (side, price_ticks)


class Channel:
    """One name that can be subscribed to; `seq` is that of the last message."""

    def __init__(self, name: str, contract: Contract, day: Day, seq: int) -> None:
        self.name = name
        self.contract = contract
        self.day = day
        self.seq = seq
        self.subscribers: dict[Subscriber, None] = {}  # in order of arrival
        self.published: Callable[[Trade], bool] = lambda trade: True

    def whole(self) -> Any:
        """Return the data of a snapshot."""
        raise NotImplementedError

    def on_book(self, touched: Touched, seq: int, ts_ns: int) -> None:
        """Levels of the book changed, or the contract went to another state or phase."""

    def on_trades(self, trades: list[Trade], seq: int, ts_ns: int) -> None:
        """There were trades."""

    def on_blocks(self, trades: list[Trade], seq: int, ts_ns: int) -> None:
        """Blocks are published, later than they were traded."""

    def on_contract(self, seq: int) -> None:
        """A price, the state or the book of the contract changed."""

    def on_batch(self, seq: int, ts_ns: int) -> None:
        """A batch that changed the contract is over."""

    def flush(self, ts_ns: int) -> None:
        """Send what was collected."""

    def snapshot(self, ts_ns: int) -> bytes:
        """Return the whole of it, true at `seq`."""
        return shapes.message(self.name, "snapshot", self.seq, None, ts_ns, self.whole())

    def send(self, kind: str, seq: int, ts_ns: int, data: object) -> None:
        """Tell everyone."""
        payload = shapes.message(self.name, kind, seq, self.seq, ts_ns, data)
        self.seq = seq
        for subscriber in tuple(self.subscribers):
            subscriber.deliver(self.name, payload)


class BookChannel(Channel):
    """The whole book, kept by a delta for each batch; one without levels says a new state."""

    def whole(self) -> Any:
        """Return the book."""
        return shapes.book(self.contract, LEVELS_ALL)

    def on_book(self, touched: Touched, seq: int, ts_ns: int) -> None:
        """Send the levels as they are now."""
        self.send("delta", seq, ts_ns, shapes.delta(self.contract, touched))


class SlowBookChannel(BookChannel):
    """The whole book, kept by a delta of what changed between two turns."""

    def __init__(self, name: str, contract: Contract, day: Day, seq: int) -> None:
        super().__init__(name, contract, day, seq)
        self._touched: dict[tuple[int, int], None] = {}
        self._touched_seq = seq
        self._is_due = False

    def on_book(self, touched: Touched, seq: int, ts_ns: int) -> None:
        """Remember what changed."""
        self._touched.update(dict.fromkeys(touched))
        self._touched_seq, self._is_due = seq, True

    def flush(self, ts_ns: int) -> None:
        """Send what changed since the last turn."""
        if self._is_due:
            self._is_due = False
            touched = list(self._touched)
            self._touched.clear()
            super().on_book(touched, self._touched_seq, ts_ns)


class BestChannel(Channel):
    """The best bid and ask, sent when one of the four numbers changes."""

    def __init__(self, name: str, contract: Contract, day: Day, seq: int) -> None:
        super().__init__(name, contract, day, seq)
        self._last = self.whole()

    def whole(self) -> Any:
        """Return the best bid and ask."""
        return shapes.best(self.contract)

    def on_book(self, touched: Touched, seq: int, ts_ns: int) -> None:
        """Send the best prices if they changed."""
        now = self.whole()
        if now != self._last:
            self._last = now
            self.send("update", seq, ts_ns, now)


class AuctionChannel(Channel):
    """The call auction: its beginning, each indicative price, its end and the state behind it."""

    def __init__(self, name: str, contract: Contract, day: Day, seq: int) -> None:
        super().__init__(name, contract, day, seq)
        self._last = self.whole()

    def whole(self) -> Any:
        """Return the auction as it is."""
        return shapes.auction_now(self.contract)

    def on_batch(self, seq: int, ts_ns: int) -> None:
        """Send what changed in a batch, if anything did."""
        now = self.whole()
        if now != self._last:
            self._last = now
            self.send("update", seq, ts_ns, now)


class ImpliedChannel(Channel):
    """The implied prices of a contract, all of them, at most once a turn."""

    def __init__(self, name: str, contract: Contract, day: Day, seq: int) -> None:
        super().__init__(name, contract, day, seq)
        self._last = self.whole()
        self.seq_now: Callable[[], int] = lambda: self.seq

    def whole(self) -> Any:
        """Return the implied prices."""
        return shapes.implied(self.contract)

    def flush(self, ts_ns: int) -> None:
        """Send them if they changed: orders of other books make them."""
        now, seq = self.whole(), self.seq_now()
        if now != self._last:
            self._last = now
            self.send("update", seq, ts_ns, now)


class TradesChannel(Channel):
    """Public trades, oldest first within a message."""

    def whole(self) -> Any:
        """Return the latest trades since the start; older ones are in the views."""
        latest = [one for one in self.contract.trades if self.published(one)][-TRADES_SHOWN:]
        return [shapes.trade(self.contract, trade) for trade in latest]

    def on_trades(self, trades: list[Trade], seq: int, ts_ns: int) -> None:
        """Send new trades."""
        self.send("update", seq, ts_ns, [shapes.trade(self.contract, one) for one in trades])

    def on_blocks(self, trades: list[Trade], seq: int, ts_ns: int) -> None:
        """Send blocks; each has its own time and seq."""
        self.on_trades(trades, seq, ts_ns)


class TickerChannel(Channel):
    """The ticker, at most once a turn."""

    def __init__(self, name: str, contract: Contract, day: Day, seq: int) -> None:
        super().__init__(name, contract, day, seq)
        self._touched_seq = seq
        self._revised = day.revised

    def whole(self) -> Any:
        """Return the ticker."""
        return shapes.ticker(self.contract, self.day)

    def on_contract(self, seq: int) -> None:
        """Remember that something changed."""
        self._touched_seq = seq

    def flush(self, ts_ns: int) -> None:
        """Send it if something changed, is more than a day ago by now, or was before the start."""
        if self._touched_seq > self.seq or self.day.revised != self._revised:
            self._revised = self.day.revised
            self.send("update", max(self.seq, self._touched_seq), ts_ns, self.whole())


class KlineChannel(TickerChannel):
    """The running candle of one minute, at most once a turn."""

    def whole(self) -> Any:
        """Return the newest candle, None when there was no trade in a day."""
        candles = self.day.candles
        return {
            "symbol": self.contract.symbol,
            "interval": "1m",
            "kline": shapes.candle(self.contract, candles[-1]) if candles else None,
        }

    def on_contract(self, seq: int) -> None:
        """Marks and books do not touch a candle."""

    def on_trades(self, trades: list[Trade], seq: int, ts_ns: int) -> None:
        """Remember that there were trades."""
        self._touched_seq = seq


def touched_sides(levels: set[tuple[int, int, int]]) -> dict[int, Touched]:
    """Return touched levels by contract as (side, price_ticks), best bids and asks first."""
    by_contract: dict[int, Touched] = {}
    for contract_idx, side, ticks in levels:
        by_contract.setdefault(contract_idx, []).append((side, ticks))
    for touched in by_contract.values():
        touched.sort(key=_best_first)
    return by_contract


def _best_first(level: tuple[int, int]) -> tuple[int, int]:
    side, ticks = level
    return side, -ticks if side == Side.BUY else ticks
