"""Runs the backtest of the margin and writes its page and plots."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from exchange.io.price_data import load_price_data
from exchange.rules.backtest import Trials, run
from exchange.rules.backtest_svg import margin_plot
from exchange.rules.backtest_text import page, summary
from exchange.rules.scenario_history import Cell

PLOTTED: Final = (("H100-SXM", "GLB"), ("H100-SXM", "USE"), ("A100-80GB", "GLB"))
Tell = Callable[[str, int, int], None]


def write_backtest(path: Path, tell: Tell) -> dict[str, object]:
    """Write the page and, in a folder of its name beside it, the plots; return the numbers."""
    data = load_price_data()
    tests, cells, known = run(data, tell)
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    names = []
    for cell in PLOTTED:
        if cell in cells:
            name = f"{cell[0]}-{cell[1]}.svg".lower()
            (folder / name).write_text(_plot(tests, cells.index(cell), cell), encoding="utf-8")
            names.append(f"{folder.name}/{name}")
    path.write_text(page(tests, cells, known, data.steps, names), encoding="utf-8")
    return summary(tests, cells)


def _plot(tests: Trials, place: int, cell: Cell) -> str:
    short = 2 * place + 1  # what is above zero: the loss of a short position is a rise
    return margin_plot(
        f"{cell[0]} {cell[1]}: margin of the front, and moves over two days",
        tests.first,
        tests.tested[:, short],
        tests.losses[:, short],
        [tests.required[:, short], tests.bare[:, short]],
    )
