"""What commands print: tables for people, one JSON document for programs."""

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from wellhead.cli.exits import Exit
from wellhead.cli.tables import LESS, fitted

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

PIPE_WIDTH = 2000  # nothing is cut or wrapped when nobody's screen sets a width
SIDE_STYLES = {"buy": "green", "sell": "red", "long": "green", "short": "red"}


def console(*, stderr: bool = False) -> "Console":
    """Return a console of the terminal's width, or a wide one when there is none."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, soft_wrap=width is not None)


def document(value: Any) -> None:
    """Print one JSON document."""
    json.dump(value, sys.stdout, indent=2, default=str, ensure_ascii=False)
    sys.stdout.write("\n")


def line(value: Any) -> None:
    """Print one JSON document on one line, at once: the next may take long."""
    sys.stdout.write(json.dumps(value, default=str, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def show(renderable: "RenderableType") -> None:
    """Print something for people."""
    console().print(renderable)


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    title: str = "",
    less: Sequence[str] = LESS,
) -> "RenderableType":
    """Return a table that fits; a column whose name ends in `>` is set to the right."""
    cells = (tuple(map(cell, row)) for row in rows)
    return fitted(columns, cells, console().width, title, less)


def cell(value: object) -> str:
    """Return a value as a table shows it."""
    from rich.markup import escape

    text = "" if value is None else escape(str(value))
    style = SIDE_STYLES.get(text)
    return f"[{style}]{text}[/{style}]" if style else text


def pairs(values: Mapping[str, object], title: str = "") -> "Table":
    """Return names and values, one pair a line."""
    from rich.table import Table

    grid = Table(box=None, show_header=False, title=title or None, title_justify="left")
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in values.items():
        if value is not None:
            grid.add_row(name, cell(value))
    return grid


def moment(ts_ms: object) -> str:
    """Return milliseconds since 1970 as a UTC time people can read."""
    if not isinstance(ts_ms, int) or not ts_ms:
        return ""
    at = datetime.fromtimestamp(ts_ms / 1000, UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S.") + f"{ts_ms % 1000:03d}"


def clock() -> str:
    """Return the UTC time of day."""
    return moment(time.time_ns() // 1_000_000)[11:19]


def day(ts_ms: object) -> str:
    """Return milliseconds since 1970 as a UTC date."""
    return moment(ts_ms)[:10]


def usd(text: object) -> str:
    """Return money with cents, and what is below a cent only where there is any."""
    if text is None:
        return ""
    whole, _, fraction = str(text).partition(".")
    fraction = fraction.rstrip("0").ljust(2, "0")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits or 0):,}.{fraction}"


def note(text: str) -> None:
    """Say something beside the result, on stderr."""
    console(stderr=True).print(text, style="dim", markup=False)


def failed(
    exit_code: Exit,
    code: str,
    message: str,
    *,
    as_json: bool,
    members: Mapping[str, object] | None = None,
) -> int:
    """Report an error; return the exit code."""
    if as_json:
        error = {"code": code, "detail": message} | dict(members or {})
        document({"error": {k: v for k, v in error.items() if v not in (None, "")}})
    else:
        at = (members or {}).get("field")
        where = f" (field {at})" if at else ""
        from rich.text import Text

        text = Text.assemble((code, "bold red"), f": {message}{where}" if message else where)
        console(stderr=True).print(text)
    return exit_code
