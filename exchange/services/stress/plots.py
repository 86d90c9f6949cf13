"""Line charts as SVG text: nothing but strings, the same numbers give the same bytes."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

WIDTH: Final = 720
HEIGHT: Final = 260
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 36, 34
COLOURS: Final = ("#1f6feb", "#d1242f", "#1a7f37", "#8250df")
TICKS: Final = 4


class Line(NamedTuple):
    """One line of a chart."""

    name: str
    values: Sequence[float]


def chart(title: str, unit: str, across: Sequence[int], lines: Sequence[Line]) -> str:
    """Return a chart of lines over seconds, with a scale from the least to the greatest value."""
    values = [value for line in lines for value in line.values]
    low, high = min(0, *values), max(values)
    high = high if high > low else low + 1
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    span = max(1, across[-1] - across[0])

    def x_of(second: float) -> float:
        return LEFT + wide * (second - across[0]) / span

    def y_of(value: float) -> float:
        return TOP + tall * (high - value) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="18" font-size="14">{escape(title)}</text>',
    ]
    for place in range(TICKS + 1):
        value = low + (high - low) * place / TICKS
        y = y_of(value)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d0d7de"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:,.0f}</text>'
        )
        second = across[0] + span * place // TICKS
        parts.append(
            f'<text x="{x_of(second):.1f}" y="{HEIGHT - 12}" text-anchor="middle">{second} s</text>'
        )
    for place, line in enumerate(lines):
        colour = COLOURS[place % len(COLOURS)]
        points = " ".join(
            f"{x_of(second):.1f},{y_of(value):.1f}"
            for second, value in zip(across, line.values, strict=True)
        )
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>'
        )
        parts.append(
            f'<text x="{WIDTH - RIGHT}" y="{18 + 14 * place}" text-anchor="end" fill="{colour}">'
            f"{escape(line.name)} ({escape(unit)})</text>"
        )
    return "\n".join([*parts, "</svg>", ""])
