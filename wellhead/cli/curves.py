"""The forward curve of a series: in the terminal, as JSON, as a picture."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from wellhead import curve_calls
from wellhead import curve_types as ct
from wellhead.calls import convert
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask, following
from wellhead.client import Client

if TYPE_CHECKING:
    from rich.text import Text

PLOT_WIDTH = 28
STYLES = {"book": "green", "settlement": "blue", "reference": "dim", "strip": "yellow"}
MARKS = {"book": "●", "settlement": "○", "reference": "·", "strip": "◐", "months": "━"}


def curve(
    series: str | None = None,
    /,
    *,
    watch: bool = False,
    svg: Path | None = None,
    options: Remote = REMOTE,
) -> None:
    """Show the forward curve of a series: every month, quarter and year, and where it comes from.

    Parameters
    ----------
    series
        A SKU and a hub: H100-USE. All curves at a glance when not given.
    watch
        Follow it until Ctrl-C; with --json one document a line.
    svg
        Write a picture there.
    """
    if series is None and (watch or svg):
        raise CliError(Exit.USAGE, "usage", "say which: wellhead curve H100-USE")
    with options.client() as client:
        if series is None:
            _show_all(client, options)
            return
        found, answer = ask(client, curve_calls.curve(series))
        if svg is not None:
            _write(svg, found)
        if watch:
            _watch(client, series, options)
        elif options.json:
            out.document(answer)
        else:
            _show(found)


def _show_all(client: Client, options: Remote) -> None:
    rows, answer = ask(client, curve_calls.curves())
    if options.json:
        out.document(answer)
        return
    columns = ("series", "from", "price>", "to", "price>", "points>", "with a book>", "arbitrages>")
    cells = (
        (one.series, one.first_period, one.first_price, one.last_period, one.last_price,
         one.points, one.books, one.arbitrages)
        for one in rows
    )  # fmt: skip
    out.show(out.table(columns, cells))


def _watch(client: Client, series: str, options: Remote) -> None:
    from rich.console import Group
    from rich.live import Live

    with following(client) as stream:
        pushes = stream.subscribe(f"curve.{series}")
        if options.json:
            for push in pushes:
                out.line({"seq": push.seq, "curve": push.data})
            return
        with Live(console=out.console(), auto_refresh=False) as live:
            for push in pushes:
                now = convert(push.data, ct.ForwardCurve)
                live.update(Group(*lines_of(now)), refresh=True)


def _show(found: ct.ForwardCurve) -> None:
    for line in lines_of(found):
        out.show(line)
    if any(point.symbol is None for point in found.points):
        out.note("* not listed")
    shape = found.shape
    if shape is not None:
        out.note(
            f"reference: {shape.level} ({shape.level_rule}, data of {shape.as_of}), each year "
            f"{shape.year_factor} of the one before ({shape.year_rule}, "
            f"{shape.committed_pairs} pairs of committed prices)"
        )


def lines_of(found: ct.ForwardCurve) -> "list[Text]":
    """Return the curve as lines: a mark at the price between bid and ask, and where it is from."""
    from rich.text import Text

    low, high = _range(found.points)
    head = f"{found.series}  {found.date}  USD per GPU-hour"
    axis = f"{'':21}{low:<{PLOT_WIDTH // 2}}{high:>{PLOT_WIDTH - PLOT_WIDTH // 2}}"
    lines = [Text(head, style="bold"), Text(axis, style="dim")]
    tenor = ""
    for point in found.points:
        if tenor and point.tenor != tenor:
            lines.append(Text(""))
        tenor = point.tenor
        style = STYLES.get(point.source, "")
        text = Text(f"{point.period:<9}{point.price:>9}   ")
        text.append(bar_of(point, low, high), style=style)
        text.append(f" {_why(point)}", style=style)
        lines.append(text)
    return lines


def _range(points: Sequence[ct.CurvePoint]) -> tuple[Decimal, Decimal]:
    """Return the lowest and highest price to be drawn."""
    ends = [end for point in points for end in _ends(point)]
    return min(ends), max(ends)


def _ends(point: ct.CurvePoint) -> tuple[Decimal, Decimal]:
    if point.bid_price is None or point.ask_price is None:
        return point.price, point.price
    return min(point.bid_price, point.price), max(point.ask_price, point.price)


def bar_of(point: ct.CurvePoint, low: Decimal, high: Decimal) -> str:
    """Return one line of the plot: `├──●──┤` from bid to ask, with the price between them."""
    cells = [" "] * PLOT_WIDTH
    begin, end = (_column(price, low, high) for price in _ends(point))
    if end > begin:
        cells[begin : end + 1] = ["├", *"─" * (end - begin - 1), "┤"]
    cells[_column(point.price, low, high)] = MARKS.get(point.source, "*")
    return "".join(cells)


def _column(price: Decimal, low: Decimal, high: Decimal) -> int:
    return int((price - low) * (PLOT_WIDTH - 1) / (high - low)) if high > low else 0


def _why(point: ct.CurvePoint) -> str:
    """Return where a price comes from, and what is wrong with it."""
    said = point.source
    if point.source == "book":
        said = f"book {point.bid_price} / {point.ask_price}"
    elif point.moved_by:
        said = f"{point.own_source or ''} {point.own_price or '-'}, by {point.moved_by}".strip()
    elif point.source == "months" and point.own_source == "book":
        said = f"months; book {point.bid_price} / {point.ask_price}"
    if point.symbol is None:
        said += " *"
    return f"{said}, ARBITRAGE {point.arbitrage}" if point.arbitrage else said


def _write(path: Path, found: ct.ForwardCurve) -> None:
    from exchange.rules.curve_svg import Dot, curve_plot
    from exchange.rules.money import price_ticks_of
    from exchange.rules.tenors import parse_period

    def ticks(price: Decimal | None) -> int:
        return 0 if price is None else price_ticks_of(str(price))

    dots = [
        Dot(parse_period(one.period), ticks(one.price), one.source, ticks(one.bid_price),
            ticks(one.ask_price))
        for one in found.points
    ]  # fmt: skip
    title = f"{found.series}: forward curve of {found.date}, USD per GPU-hour"
    try:
        path.write_text(curve_plot(title, dots), encoding="utf-8")
    except OSError as error:
        raise CliError(Exit.USAGE, "usage", f"cannot write {path}: {error.strerror}") from error
    out.note(f"the picture is in {path}")
