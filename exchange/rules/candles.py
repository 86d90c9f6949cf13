"""Candles of one minute for the last day, and the day's volume, high and low."""

from collections import deque
from collections.abc import Iterable
from typing import Final

from exchange.rules.clearing_rows import KlineRow
from exchange.rules.records import Trade

NS_PER_MINUTE: Final = 60_000_000_000
NS_PER_DAY: Final = 24 * 60 * NS_PER_MINUTE


class Candle:
    """Trades of one interval that begins at `open_ns`."""

    __slots__ = (
        "close_ticks",
        "high_ticks",
        "low_ticks",
        "open_ns",
        "open_ticks",
        "tick_lots",
        "trades",
        "volume_lots",
    )

    def __init__(self, open_ns: int, price_ticks: int) -> None:
        self.open_ns = open_ns
        self.open_ticks = self.high_ticks = self.low_ticks = self.close_ticks = price_ticks
        self.volume_lots = 0
        self.tick_lots = 0  # sum of price x lots
        self.trades = 0

    def add(self, price_ticks: int, qty_lots: int) -> None:
        """Add one trade."""
        if price_ticks > self.high_ticks:
            self.high_ticks = price_ticks
        elif price_ticks < self.low_ticks:
            self.low_ticks = price_ticks
        self.close_ticks = price_ticks
        self.volume_lots += qty_lots
        self.tick_lots += qty_lots * price_ticks
        self.trades += 1

    def begin_with(self, first: "Candle") -> None:
        """Add what was traded earlier in the same interval."""
        self.open_ticks = first.open_ticks
        self.high_ticks = max(self.high_ticks, first.high_ticks)
        self.low_ticks = min(self.low_ticks, first.low_ticks)
        self.volume_lots += first.volume_lots
        self.tick_lots += first.tick_lots
        self.trades += first.trades


def candle_of(row: KlineRow) -> Candle:
    """Return a stored candle."""
    candle = Candle(row.open_ns, row.open_ticks)
    candle.high_ticks, candle.low_ticks = row.high_ticks, row.low_ticks
    candle.close_ticks, candle.volume_lots = row.close_ticks, row.volume_lots
    candle.tick_lots, candle.trades = row.volume_tick_lots, row.trade_count
    return candle


class Day:
    """The last 24 hours of one contract, in candles of one minute."""

    __slots__ = ("_extremes", "candles", "revised", "volume_lots")

    def __init__(self) -> None:
        self.candles: deque[Candle] = deque()
        self.revised = 0  # how often candles were forgotten, or put before the others
        self.volume_lots = 0
        self._extremes: tuple[int, int, int, int] | None = None  # see `_past`

    def add(self, ts_ns: int, price_ticks: int, qty_lots: int) -> Candle:
        """Add one trade and return its candle."""
        open_ns = ts_ns - ts_ns % NS_PER_MINUTE
        if not self.candles or self.candles[-1].open_ns != open_ns:
            self.candles.append(Candle(open_ns, price_ticks))
        candle = self.candles[-1]
        candle.add(price_ticks, qty_lots)
        self.volume_lots += qty_lots
        return candle

    def put(self, candles: Iterable[Candle]) -> None:
        """Put older candles, made elsewhere, before what is there; they come oldest first.

        The newest of them may be the first part of the oldest that is there.
        """
        older = list(candles)
        self.volume_lots += sum(candle.volume_lots for candle in older)
        if older and self.candles and older[-1].open_ns == self.candles[0].open_ns:
            self.candles[0].begin_with(older.pop())
        assert not (older and self.candles) or older[-1].open_ns < self.candles[0].open_ns
        self.candles.extendleft(reversed(older))
        self.revised += 1
        self._extremes = None

    def expire(self, now_ns: int) -> None:
        """Forget what is older than a day."""
        since_ns = now_ns - NS_PER_DAY
        while self.candles and self.candles[0].open_ns < since_ns:
            self.volume_lots -= self.candles.popleft().volume_lots
            self.revised += 1

    @property
    def open_ticks(self) -> int:
        """Return the first price of the day, 0 when there was no trade."""
        return self.candles[0].open_ticks if self.candles else 0

    @property
    def high_ticks(self) -> int:
        """Return the highest price of the day, 0 when there was no trade."""
        return max(self.candles[-1].high_ticks, self._past()[0]) if self.candles else 0

    @property
    def low_ticks(self) -> int:
        """Return the lowest price of the day, 0 when there was no trade."""
        return min(self.candles[-1].low_ticks, self._past()[1]) if self.candles else 0

    def _past(self) -> tuple[int, int]:
        """Return high and low of all candles but the running one, computed once for each set."""
        first_ns, last_ns = self.candles[0].open_ns, self.candles[-1].open_ns
        known = self._extremes
        if known is None or known[2:] != (first_ns, last_ns):
            high_ticks = max(candle.high_ticks for candle in self.candles)
            low_ticks = min(candle.low_ticks for candle in self.candles)
            known = self._extremes = (high_ticks, low_ticks, first_ns, last_ns)
        return known[:2]


class Candles:
    """The last day of every contract that traded."""

    def __init__(self) -> None:
        self._days: dict[int, Day] = {}

    def add(self, trade: Trade) -> Candle:
        """Add one trade and return its candle."""
        return self.of(trade.contract_idx).add(trade.ts_ns, trade.price_ticks, trade.qty_lots)

    def of(self, contract_idx: int) -> Day:
        """Return the day of a contract."""
        day = self._days.get(contract_idx)
        if day is None:
            day = self._days[contract_idx] = Day()
        return day
