"""What plots as SVG text have in common: a sheet with a title, lines with labels, in whole pixels.

No library, the same bytes each time.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Sheet(NamedTuple):
    """A plot's size and margins, in pixels."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int

    @property
    def inner_width(self) -> int:
        """Return how wide what is drawn is."""
        return self.width - self.left - self.right

    @property
    def inner_height(self) -> int:
        """Return how high what is drawn is."""
        return self.height - self.top - self.bottom

    def head(self, title: str, title_y: int = 18) -> list[str]:
        """Return the begin of the text: white, with a title."""
        return [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
            ' font-family="sans-serif" font-size="11">',
            f'<rect width="{self.width}" height="{self.height}" fill="#ffffff"/>',
            f'<text x="{self.left}" y="{title_y}" font-size="13" fill="#24292f">{title}</text>',
        ]

    def level(self, y: int, label: str) -> str:
        """Return a line across, with its value on the left."""
        return (
            f'<line x1="{self.left}" y1="{y}" x2="{self.width - self.right}" y2="{y}"'
            f' stroke="#d0d7de"/><text x="{self.left - 6}" y="{y + 4}" text-anchor="end"'
            f' fill="#57606a">{label}</text>'
        )

    def moment(
        self, x: int, label: str, label_y: int, stroke: str = "#d0d7de", anchor: str = "middle"
    ) -> str:
        """Return a line down, with its time below."""
        anchored = f' text-anchor="{anchor}"' if anchor else ""
        return (
            f'<line x1="{x}" y1="{self.top}" x2="{x}" y2="{self.height - self.bottom}"'
            f' stroke="{stroke}"/>'
            f'<text x="{x}" y="{label_y}"{anchored} fill="#57606a">{label}</text>'
        )


def polyline(points: Sequence[str], colour: str, width: int) -> str:
    """Return a line through points, each "x,y"."""
    return (
        f'<polyline fill="none" stroke="{colour}" stroke-width="{width}"'
        f' points="{" ".join(points)}"/>'
    )


def whole(lines: Sequence[str]) -> str:
    """Return the text of a plot that has begun with a head."""
    return "\n".join([*lines, "</svg>", ""])
