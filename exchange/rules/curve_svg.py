"""A forward curve as SVG text, in whole pixels: no library, the same bytes each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from exchange.rules.money import price_text
from exchange.rules.tenors import Period, Tenor

WIDTH: Final = 860
HEIGHT: Final = 360
LEFT: Final = 56
RIGHT: Final = 12
TOP: Final = 34
BOTTOM: Final = 52
GRID_LINES: Final = 5
COLOURS: Final = {
    "book": "#1a7f37", "settlement": "#1f6feb", "reference": "#8b949e", "strip": "#9a6700",
}  # fmt: skip
_STRIP_COLOUR: Final = {Tenor.QUARTER: "#8250df", Tenor.CALENDAR: "#bf3989"}
_INNER_WIDTH: Final = WIDTH - LEFT - RIGHT
_INNER_HEIGHT: Final = HEIGHT - TOP - BOTTOM


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
        return TOP + (self.high_ticks - ticks) * _INNER_HEIGHT // span

    def across(self, period: Period) -> tuple[int, int]:
        """Return where a period begins and ends."""
        first, last = (period.start - self.first).days, (period.end - self.first).days
        return (
            LEFT + first * _INNER_WIDTH // self.days,
            LEFT + last * _INNER_WIDTH // self.days,
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
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="18" font-size="13" fill="#24292f">{title}</text>',
        *_grid(frame),
        *_times(frame, dots),
    ]
    for dot in dots:
        lines += _strip(frame, dot) if dot.period.tenor in _STRIP_COLOUR else _month(frame, dot)
    return "\n".join([*lines, *_legend(), "</svg>", ""])


def _grid(frame: _Frame) -> list[str]:
    lines = []
    for part in range(GRID_LINES):
        span = frame.high_ticks - frame.low_ticks
        ticks = frame.low_ticks + span * part // (GRID_LINES - 1)
        y = frame.y(ticks)
        lines.append(
            f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="#d0d7de"/>'
            f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end" fill="#57606a">'
            f"{price_text(ticks)}</text>"
        )
    return lines


def _times(frame: _Frame, dots: Sequence[Dot]) -> list[str]:
    """Return a line and a label where a quarter begins."""
    lines = []
    for dot in dots:
        start = dot.period.start
        if dot.period.tenor is Tenor.MONTH and start.month % 3 == 1:
            x, _ = frame.across(dot.period)
            lines.append(
                f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{HEIGHT - BOTTOM}" stroke="#eaeef2"/>'
                f'<text x="{x}" y="{HEIGHT - BOTTOM + 14}" fill="#57606a">'
                f"{start.year}-{start.month:02d}</text>"
            )
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
        f'<text x="{LEFT + 100 * at}" y="{HEIGHT - 10}" fill="{colour}">{label}</text>'
        for at, (label, colour) in enumerate(labels)
    ]
