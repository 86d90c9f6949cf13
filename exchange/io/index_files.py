"""The history of the index as files: a table, the heads of its chain, plots. Same prints, same
bytes, wherever and whenever."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from exchange.rules.index.plots import price_plot, raw_plot
from exchange.rules.index.prints import Print
from exchange.rules.index.tables import heads_csv, history_csv
from exchange.rules.regions import HUBS

HISTORY: Final = "history.csv.gz"
HEADS: Final = "heads.csv"
BENCHMARKS: Final = (
    "H100-GLB", "H200-GLB", "B200-GLB", "A100-GLB", "L40S-GLB", "MI300X-GLB", "RTXPRO6000-GLB",
)  # fmt: skip
PLOTTED_RAW: Final = ("A100-GLB", "H100-GLB")


def write_table(path: Path, prints: Sequence[Print]) -> None:
    """Write prints as CSV, packed with gzip when the name ends in .gz."""
    text = history_csv(prints).encode()
    path.write_bytes(gzip.compress(text, 9, mtime=0) if path.suffix == ".gz" else text)


def write_folder(folder: Path, prints: Sequence[Print]) -> list[str]:
    """Write the table, the heads and the plots into a folder; return their names."""
    write_table(folder / HISTORY, prints)
    (folder / HEADS).write_text(heads_csv(prints), encoding="utf-8")
    names = [HISTORY, HEADS]
    for name, text in plots(prints):
        (folder / name).write_text(text, encoding="utf-8")
        names.append(name)
    return names


def plots(prints: Sequence[Print]) -> list[tuple[str, str]]:
    """Return the plots by file name; of names that have no prints there are none."""
    by_name: dict[str, list[Print]] = {}
    for one in prints:
        by_name.setdefault(one.name, []).append(one)
    found = [
        (f"{name.lower()}.svg", raw_plot(f"{name}, USD per GPU-hour; shaded: no quorum", rows))
        for name in PLOTTED_RAW
        if (rows := by_name.get(name))
    ]
    hubs = [(f"H100-{hub.symbol}", by_name.get(f"H100-{hub.symbol}", [])) for hub in HUBS]
    known = [(label, rows) for label, rows in hubs if rows]
    if known:
        found.append(("h100-hubs.svg", price_plot("H100 by hub, USD per GPU-hour", known)))
    benchmarks = [(name, by_name[name]) for name in BENCHMARKS if name in by_name]
    newest = [(name, rows[-120:]) for name, rows in benchmarks if rows]
    if newest:
        found.append(("benchmarks.svg", price_plot("The world, USD per GPU-hour", newest)))
    return found
