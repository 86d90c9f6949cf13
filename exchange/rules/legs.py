"""What a combination takes from its legs: mark, band, value of a tick, shocks.

A spread buys its first leg and sells its second; its price is their difference, and in its book
zero stands at `spread_base_ticks`. A strip buys two to twelve legs; its price is their mean.
"""

from collections.abc import Sequence
from enum import StrEnum

from matching.codes import Side
from matching.wire import spread_base_ticks

BPS = 10_000


class Listed(StrEnum):
    """Which combinations the calendar lists."""

    NONE = "none"
    FRONT = "front"  # the nearest of the first two series
    ALL = "all"  # of all series: neighbouring months and quarters


Marks = Sequence[tuple[int, int]]  # (mark in ticks, ratio) of each leg


def is_spread(ratios: Sequence[int]) -> bool:
    """Return whether legs of these ratios, 1 bought and -1 sold, are a spread."""
    return len(ratios) == 2 and ratios[1] < 0


def base_ticks(ratios: Sequence[int], price_bits: int) -> int:
    """Return the price in ticks that stands for zero: 0 but for a spread."""
    return spread_base_ticks(price_bits) if is_spread(ratios) else 0


def mark_ticks(marks: Marks, base: int, side: int) -> int:
    """Return the mark of a combination, as orders of a side are held against it.

    A strip's is rounded to the tick against the order; a spread's may be outside its domain.
    """
    net = sum(mark * ratio for mark, ratio in marks)
    if base:
        return base + net
    return net // len(marks) if side == Side.BUY else -(-net // len(marks))


def band_ticks(marks: Marks, base: int, band_bps: int, price_ticks_max: int) -> tuple[int, int]:
    """Return the lowest sell and the highest buy: bps of the mean of the legs' marks."""
    highest = price_ticks_max - 1
    if band_bps == 0:
        return 1, highest
    middle = mark_ticks(marks, base, Side.BUY)
    width = sum(mark for mark, _ in marks) // len(marks) * band_bps // BPS
    return min(max(1, middle - width), highest), max(min(highest, middle + width), 1)


def tick_value_usd_micros(tick_values: Sequence[int], ratios: Sequence[int]) -> int:
    """Return what one tick of a combination is worth, of one lot.

    A tick of a strip moves every leg by one, a tick of a spread the leg of the larger value.
    """
    return max(tick_values) if is_spread(ratios) else sum(tick_values)


def shocks_usd_micros(rows: Sequence[Sequence[int]], ratios: Sequence[int]) -> list[int]:
    """Return the profit of one long lot by scenario, from that of its legs."""
    return [
        sum(shock * ratio for shock, ratio in zip(column, ratios, strict=True))
        for column in zip(*rows, strict=True)
    ]
