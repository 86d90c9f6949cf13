"""Klines of one minute, one hour and one day (UTC), from trades. Empty intervals are absent."""

from typing import Final

from exchange.rules.clearing_rows import KlineRow

MINUTE_S: Final = 60
HOUR_S: Final = 3600
DAY_S: Final = 86_400
INTERVALS_S: Final = (MINUTE_S, HOUR_S, DAY_S)
NS_PER_S: Final = 1_000_000_000
MINUTE_NS: Final = MINUTE_S * NS_PER_S

_Key = tuple[int, int]  # contract_idx, open_ns


class Klines:
    """Collects trades, in order, into the rows to be merged with what is stored."""

    def __init__(self) -> None:
        self._minutes: dict[_Key, list[int]] = {}

    def add(self, contract_idx: int, ts_ns: int, price_ticks: int, qty_lots: int) -> None:
        """Add one trade."""
        key = (contract_idx, ts_ns - ts_ns % MINUTE_NS)
        bar = self._minutes.get(key)
        if bar is None:
            bar = [price_ticks, price_ticks, price_ticks, price_ticks, 0, 0, 0]
            self._minutes[key] = bar
        if price_ticks > bar[1]:
            bar[1] = price_ticks
        if price_ticks < bar[2]:
            bar[2] = price_ticks
        bar[3] = price_ticks
        bar[4] += qty_lots
        bar[5] += qty_lots * price_ticks
        bar[6] += 1

    def rows(self) -> list[KlineRow]:
        """Return the bars of every interval, in order of contract, interval and time."""
        rows: list[KlineRow] = []
        for interval_s in INTERVALS_S:
            bars = _fold(self._minutes, interval_s * NS_PER_S)
            rows += [KlineRow(key[0], interval_s, key[1], *bar) for key, bar in bars.items()]
        return sorted(rows)

    def clear(self) -> None:
        """Forget what was written."""
        self._minutes = {}


def merged(before: KlineRow, after: KlineRow) -> KlineRow:
    """Return two rows of the same interval as one; `after` holds the later trades."""
    return before._replace(
        high_ticks=max(before.high_ticks, after.high_ticks),
        low_ticks=min(before.low_ticks, after.low_ticks),
        close_ticks=after.close_ticks,
        volume_lots=before.volume_lots + after.volume_lots,
        volume_tick_lots=before.volume_tick_lots + after.volume_tick_lots,
        trade_count=before.trade_count + after.trade_count,
    )


def _fold(minutes: dict[_Key, list[int]], interval_ns: int) -> dict[_Key, list[int]]:
    """Merge minutes, which come in order of time, into longer intervals."""
    bars: dict[_Key, list[int]] = {}
    for (contract_idx, open_ns), minute in minutes.items():
        key = (contract_idx, open_ns - open_ns % interval_ns)
        bar = bars.get(key)
        if bar is None:
            bars[key] = list(minute)
            continue
        bar[1] = max(bar[1], minute[1])
        bar[2] = min(bar[2], minute[2])
        bar[3] = minute[3]
        bar[4:] = [a + b for a, b in zip(bar[4:], minute[4:], strict=True)]
    return bars
