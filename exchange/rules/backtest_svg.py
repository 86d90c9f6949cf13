"""Plots of a backtest as SVG text, in whole pixels: no library, the same bytes each time."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np

from exchange.rules.svg import Sheet, polyline, whole
from exchange.rules.tenors import DAY

SHEET: Final = Sheet(width=860, height=260, left=56, right=12, top=28, bottom=26)
PPM_A_PERCENT: Final = 10_000
_COLOURS: Final = ("#1f6feb", "#8b949e")


def _y(ppm: int, top_ppm: int) -> int:
    """Return the height of a value between -top and +top."""
    return SHEET.top + (top_ppm - ppm) * SHEET.inner_height // (2 * top_ppm)


def _x(day: int, days: int) -> int:
    return SHEET.left + day * SHEET.inner_width // max(1, days - 1)


def _grid(top_ppm: int) -> list[str]:
    lines = []
    for part in range(-2, 3):
        value = top_ppm * part // 2
        y = _y(value, top_ppm)
        lines.append(SHEET.level(y, f"{value // PPM_A_PERCENT} %"))
    return lines


def _years(first: date, days: int) -> list[str]:
    lines = []
    for day in range(days):
        at = first + day * DAY
        if (at.month, at.day) == (1, 1):
            x = _x(day, days)
            lines.append(SHEET.moment(x, str(at.year), SHEET.height - 8))
    return lines


def _line(values: Sequence[int], tested: Sequence[bool], top_ppm: int, colour: str) -> str:
    """Return a line through the tested days; each value that stays the same is one point less."""
    points: list[str] = []
    for day, value in enumerate(values):
        if tested[day]:
            points.append(f"{_x(day, len(values))},{_y(value, top_ppm)}")
    kept = [p for at, p in enumerate(points) if at in (0, len(points) - 1) or p != points[at - 1]]
    return polyline(kept, colour, 1)


def margin_plot(
    title: str,
    first: date,
    tested: np.ndarray,
    moves: np.ndarray,
    margins: Sequence[np.ndarray],
) -> str:
    """Return the plot of two-day moves (dots) within margins (lines above and below zero).

    Args:
        tested: (days,) whether there was a test on the day.
        moves: (days,) ppm.
        margins: one array of ppm a line; the first is drawn strongest.
    """
    days = np.flatnonzero(tested)
    begin, end = (int(days[0]), int(days[-1]) + 1) if len(days) else (0, 2)
    shown = tested[begin:end].tolist()
    most = max([int(np.abs(margin[begin:end]).max()) for margin in margins], default=1)
    top_ppm = max(most, int(np.abs(moves[begin:end]).max(initial=0)), PPM_A_PERCENT) * 11 // 10
    lines = [
        *SHEET.head(title, title_y=16),
        *_grid(top_ppm),
        *_years(first + begin * DAY, end - begin),
    ]
    for margin, colour in zip(margins, _COLOURS, strict=False):
        own = margin[begin:end]
        lines += [_line(own.tolist(), shown, top_ppm, colour)]
        lines += [_line((-own).tolist(), shown, top_ppm, colour)]
    for day, move in enumerate(moves[begin:end].tolist()):
        if shown[day] and move:
            x, y = _x(day, end - begin), _y(move, top_ppm)
            lines.append(f'<circle cx="{x}" cy="{y}" r="2" fill="#cf222e"/>')
    return whole(lines)
