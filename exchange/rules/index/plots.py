"""Plots of the index as SVG text, in whole pixels: no library, the same bytes each time."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from exchange.rules.index.prints import Print, Step
from exchange.rules.money import usd_text
from exchange.rules.svg import Sheet, polyline, whole
from exchange.rules.tenors import DAY

SHEET: Final = Sheet(width=860, height=300, left=56, right=12, top=34, bottom=40)
MONTHS_APART_DAYS: Final = 400  # longer plots name years, shorter ones months
COLOURS: Final = (
    "#1f6feb", "#cf222e", "#1a7f37", "#9a6700", "#8250df", "#0a3069", "#57606a", "#bf3989",
)  # fmt: skip
_NO_QUORUM: Final = "#f6e7e7"


def price_plot(title: str, series: Sequence[tuple[str, Sequence[Print]]]) -> str:
    """Return the plot of some indices over time; days of the first without a quorum are shaded.

    Args:
        series: label and prints in order of day, at least one print each.
    """
    first = min(rows[0].day for _, rows in series)
    days = (max(rows[-1].day for _, rows in series) - first).days + 1
    top = max(one.price_usd_micros for _, rows in series for one in rows)
    top += top // 10
    lines = [
        *SHEET.head(title),
        *_shades(series[0][1], first, days),
        *_grid(top),
        *_ticks(first, days),
    ]
    for at, (label, rows) in enumerate(series):
        colour = COLOURS[at % len(COLOURS)]
        lines.append(_line(rows, first, days, top, colour))
        x = SHEET.left + at * 110
        lines.append(f'<text x="{x}" y="{SHEET.height - 8}" fill="{colour}">{label}</text>')
    return whole(lines)


def _x(day: date, first: date, days: int) -> int:
    return SHEET.left + (day - first).days * SHEET.inner_width // max(1, days - 1)


def _y(usd_micros: int, top: int) -> int:
    return SHEET.top + (top - usd_micros) * SHEET.inner_height // top


def _shades(rows: Sequence[Print], first: date, days: int) -> list[str]:
    """Return a rectangle for each run of days without a quorum."""
    found: list[str] = []
    begin: date | None = None
    for one in [*rows, None]:
        silent = one is not None and one.step >= Step.MEAN
        if silent and begin is None and one is not None:
            begin = one.day
        elif not silent and begin is not None:
            left = _x(begin, first, days)
            right = _x(rows[-1].day if one is None else one.day, first, days)
            found.append(
                f'<rect x="{left}" y="{SHEET.top}" width="{max(1, right - left)}"'
                f' height="{SHEET.inner_height}" fill="{_NO_QUORUM}"/>'
            )
            begin = None
    return found


def _grid(top: int) -> list[str]:
    lines = []
    for part in range(5):
        value = top * part // 4
        y = _y(value, top)
        lines.append(SHEET.level(y, usd_text(value // 10_000 * 10_000)))
    return lines


def _ticks(first: date, days: int) -> list[str]:
    lines = []
    long = days > MONTHS_APART_DAYS
    for at in range(days):
        day = first + at * DAY
        if day.day != 1 or (long and day.month != 1):
            continue
        x = _x(day, first, days)
        label = str(day.year) if long else day.isoformat()[:7]
        lines.append(SHEET.moment(x, label, SHEET.height - SHEET.bottom + 14))
    return lines


def _line(rows: Sequence[Print], first: date, days: int, top: int, colour: str) -> str:
    points = [f"{_x(one.day, first, days)},{_y(one.price_usd_micros, top)}" for one in rows]
    kept = [
        point
        for at, point in enumerate(points)
        if at in (0, len(points) - 1) or not points[at - 1] == point == points[at + 1]
    ]
    return polyline(kept, colour, 2)


def raw_plot(title: str, rows: Sequence[Print]) -> str:
    """Return the plot of an index and of the raw median it follows, which nothing holds back."""
    raw = [
        one._replace(price_usd_micros=one.explanation["raw_usd_micros"])
        for one in rows
        if one.step == Step.PANEL
    ]
    return price_plot(title, [("index", rows), ("raw median", raw)])
