"""A forward curve as SVG text, in whole pixels: no library, the same bytes each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from exchange.rules.money import price_text
from exchange.rules.svg import Sheet, whole
from exchange.rules.tenors import Period, Tenor

SHEET: Final = Sheet(width=860, height=360, left=56, right=12, top=34, bottom=52)
GRID_LINES: Final = 5
COLOURS: Final = {
    "book": "#1a7f37", "settlement": "#1f6feb", "reference": "#8b949e", "strip": "#9a6700",
}  # fmt: skip
_STRIP_COLOUR: Final = {Tenor.QUARTER: "#8250df", Tenor.CALENDAR: "#bf3989"}


@dataclass(frozen=True, slots=True)
class Dot:
    """A point to be drawn; prices in ticks, bid and ask 0 for none."""

    period: Period
    price_ticks: int
    source: str
    bid_ticks: int
    ask_ticks: int


class _Frame:
    """Where days and prices are on the picture."""

    def __init__(self, dots: Sequence[Dot]) -> None:
        ends = [end for dot in dots for end in shown_range(dot)]
        margin = max(1, (max(ends) - min(ends)) // 10)
        self.low_ticks = max(0, min(ends) - margin)
        self.high_ticks = max(ends) + margin
        self.first = min(dot.period.start for dot in dots)
        self.days = max((max(dot.period.end for dot in dots) - self.first).days, 1)

    def y(self, ticks: int) -> int:
        """Return the height of a price."""
        span = self.high_ticks - self.low_ticks
        return SHEET.top + (self.high_ticks - ticks) * SHEET.inner_height // span

    def across(self, period: Period) -> tuple[int, int]:
        """Return where a period begins and ends."""
        first, last = (period.start - self.first).days, (period.end - self.first).days
        return (
            SHEET.left + first * SHEET.inner_width // self.days,
            SHEET.left + last * SHEET.inner_width // self.days,
        )


def shown_range(dot: Dot) -> tuple[int, int]:
    """Return the lowest and highest price of a dot: with both sides of its book, or its own."""
    if dot.bid_ticks and dot.ask_ticks:
        return min(dot.bid_ticks, dot.price_ticks), max(dot.ask_ticks, dot.price_ticks)
    return dot.price_ticks, dot.price_ticks


def curve_plot(title: str, dots: Sequence[Dot]) -> str:
    """Return the plot: months as steps coloured by source with bid to ask, strips as dashes.

    Args:
        dots: one at least.
    """
    frame = _Frame(dots)
    lines = [
        *SHEET.head(title),
        *_grid(frame),
        *_times(frame, dots),
    ]
    for dot in dots:
        lines += _strip(frame, dot) if dot.period.tenor in _STRIP_COLOUR else _month(frame, dot)
    return whole([*lines, *_legend()])


def _grid(frame: _Frame) -> list[str]:
    lines = []
    for part in range(GRID_LINES):
        span = frame.high_ticks - frame.low_ticks
        ticks = frame.low_ticks + span * part // (GRID_LINES - 1)
        y = frame.y(ticks)
        lines.append(SHEET.level(y, price_text(ticks)))
    return lines


def _times(frame: _Frame, dots: Sequence[Dot]) -> list[str]:
    """Return a line and a label where a quarter begins."""
    lines = []
    for dot in dots:
        start = dot.period.start
        if dot.period.tenor is Tenor.MONTH and start.month % 3 == 1:
            x, _ = frame.across(dot.period)
            label = f"{start.year}-{start.month:02d}"
            label_y = SHEET.height - SHEET.bottom + 14
            lines.append(SHEET.moment(x, label, label_y, stroke="#eaeef2", anchor=""))
    return lines


def _month(frame: _Frame, dot: Dot) -> list[str]:
    left, right = frame.across(dot.period)
    y, colour = frame.y(dot.price_ticks), COLOURS[dot.source]
    lines = [
        f'<line x1="{left}" y1="{y}" x2="{right}" y2="{y}" stroke="{colour}" stroke-width="3"/>'
    ]
    if dot.bid_ticks and dot.ask_ticks:
        top, bottom = frame.y(dot.ask_ticks), frame.y(dot.bid_ticks)
        lines.insert(
            0,
            f'<rect x="{left + 1}" y="{top}" width="{max(1, right - left - 2)}"'
            f' height="{max(1, bottom - top)}" fill="{colour}" fill-opacity="0.2"/>',
        )
    return lines


def _strip(frame: _Frame, dot: Dot) -> list[str]:
    left, right = frame.across(dot.period)
    y, colour = frame.y(dot.price_ticks), _STRIP_COLOUR[dot.period.tenor]
    return [
        f'<line x1="{left}" y1="{y}" x2="{right}" y2="{y}" stroke="{colour}"'
        ' stroke-dasharray="4 3"/>'
    ]


def _legend() -> list[str]:
    labels = [
        *COLOURS.items(),
        ("quarter", _STRIP_COLOUR[Tenor.QUARTER]),
        ("year", _STRIP_COLOUR[Tenor.CALENDAR]),
    ]
    return [
        f'<text x="{SHEET.left + 100 * at}" y="{SHEET.height - 10}" fill="{colour}">{label}</text>'
        for at, (label, colour) in enumerate(labels)
    ]
