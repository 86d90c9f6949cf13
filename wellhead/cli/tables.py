"""Tables that fit the screen and never cut a number, an id or a symbol.

Where a screen is too narrow, headings wrap first; then columns that are named as less important
are left out, and the table says which; then cells wrap between words; and when even that is not
enough each row becomes a block of lines.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

# What a narrow screen can do without, the least important first; --json has everything.
LESS = (
    "client id", "seq", "average", "fee", "role", "realised", "open sells", "open buys",
    "from data", "hours/lot", "opened (UTC)", "made (UTC)", "addresses", "label", "goal", "runs",
    "price loss", "since settlement", "left", "reason", "name",
)  # fmt: skip
TOO_NARROW = "not shown, the window is narrow (--json has all):"
EDGES, BETWEEN = 2, 3  # what the lines of a table take


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, its cells, and how wide they are."""

    name: str
    right: bool
    cells: tuple[str, ...]  # with markup
    heading: int  # all of the heading on one line
    whole: int  # every cell on one line
    words: int  # every word whole

    @property
    def full(self) -> int:
        """Return the width at which nothing wraps."""
        return max(self.heading, self.whole)


def column_of(name: str, cells: Sequence[str]) -> Column:
    """Return a column with its widths; a name that ends in `>` is set to the right."""
    from rich.cells import cell_len
    from rich.text import Text

    heading = name.rstrip(">")
    plain = [Text.from_markup(text).plain for text in cells]
    of_heading = max(map(cell_len, heading.split()), default=0)
    return Column(
        heading,
        name.endswith(">"),
        tuple(cells),
        cell_len(heading),
        max([of_heading, *map(cell_len, plain)]),
        max([of_heading, *(cell_len(word) for text in plain for word in text.split())]),
    )


def fitted(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    room: int,
    title: str = "",
    less: Sequence[str] = LESS,
) -> "RenderableType":
    """Return the table that fits into `room` columns of the screen."""
    every = list(rows)
    whole = [column_of(name, [row[at] for row in every]) for at, name in enumerate(columns)]
    kept, left_out = list(whole), []
    for name in less:
        if taken([one.whole for one in kept]) <= room:
            break
        if name in (one.name for one in kept) and len(kept) > 1:
            kept = [one for one in kept if one.name != name]
            left_out.append(name)
    widths = [one.whole for one in kept]
    if taken(widths) > room:
        widths = [one.words for one in kept]
    if taken(widths) > room:
        return blocks(whole, title)
    return grid(kept, spread(kept, widths, room), title, left_out)


def taken(widths: Sequence[int]) -> int:
    """Return how wide a table of such columns is."""
    return sum(widths) + EDGES + BETWEEN * (len(widths) - 1)


def spread(columns: Sequence[Column], widths: Sequence[int], room: int) -> list[int]:
    """Return the widths, with the room that is left given to what would wrap."""
    spare, found = room - taken(widths), []
    for column, width in zip(columns, widths, strict=True):
        more = min(spare, column.full - width)
        found.append(width + more)
        spare -= more
    return found


def grid(
    columns: Sequence[Column], widths: Sequence[int], title: str, left_out: Sequence[str]
) -> "Table":
    """Return the table of some columns."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    said = f"{TOO_NARROW} {', '.join(left_out)}" if left_out else None
    found = Table(
        box=SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False,
        caption=said, caption_justify="left",
    )  # fmt: skip
    for column, width in zip(columns, widths, strict=True):
        justify = "right" if column.right else "left"
        found.add_column(column.name, justify=justify, width=width, overflow="fold")  # type: ignore[arg-type]
    for row in zip(*(column.cells for column in columns), strict=True):
        found.add_row(*row)
    return found


def blocks(columns: Sequence[Column], title: str) -> "Table":
    """Return every row as lines of name and value, an empty line between two."""
    from rich.table import Table

    found = Table(box=None, show_header=False, title=title or None, title_justify="left")
    found.add_column(style="dim", no_wrap=True)
    found.add_column(overflow="fold")
    for number, row in enumerate(zip(*(column.cells for column in columns), strict=True)):
        if number:
            found.add_row()
        for column, text in zip(columns, row, strict=True):
            if text:
                found.add_row(column.name, text)
    return found
