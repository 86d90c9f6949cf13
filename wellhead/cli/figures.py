"""Measured figures: taken, shown, and written down with what they were measured on."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from wellhead.cli import machine, out

Tell = Callable[[str, int, int], None]
Result = dict[str, Any]

HOMES = {
    "matching": "exchange.services.bench_matching",
    "worst": "exchange.services.bench_worst",
    "journal": "exchange.services.bench_journal",
    "gateway": "exchange.services.bench_gateway",
    "clearing": "exchange.services.bench_clearing",
    "start": "exchange.services.bench_start",
    "margin": "exchange.services.bench_margin",
}


def measure(what: str, tell: Tell, *, quick: bool = False) -> Result:
    """Run one bench; return its figures with machine, commit and command line."""
    before = machine.describe()
    found: Result = import_module(HOMES[what]).run(tell, quick=quick)
    command = f"wellhead bench {what}{' --quick' if quick else ''}"
    return {
        "bench": what,
        "command": command,
        "commit": machine.commit(),
        "machine": before,
    } | found


def show(result: Result) -> None:
    """Print figures for people."""
    columns: tuple[str, ...] = ("figure", "median>", "min>", "max>", "unit", "runs>", "goal>")
    rows = [_row(figure) for figure in result["figures"]]
    if has_limits(result["figures"]):
        columns += ("bounded by",)
        limits = [figure.get("limit", "") for figure in result["figures"]]
        rows = [(*row, limit) for row, limit in zip(rows, limits, strict=True)]
    out.show(out.table(columns, rows))
    for figure in result["figures"]:
        if figure.get("workload"):
            out.note(f"{figure['name']}: {figure['workload']}")
    for text in result.get("notes", ()):
        out.note(text)
    out.note(f"{machine_text(result['machine'])}; commit {result['commit'] or 'unknown'}")


def _row(figure: Result) -> tuple[object, ...]:
    numbers = (number(figure[name]) for name in ("median", "min", "max"))
    goal = figure.get("goal")
    return (
        figure["name"],
        *numbers,
        figure["unit"],
        len(figure["runs"]),
        "" if goal is None else number(goal),
    )


def has_limits(figures: list[Result]) -> bool:
    """Return whether any figure is bounded by a limit, so that a column says which."""
    return any("limit" in figure for figure in figures)


def number(value: float) -> str:
    """Return a measured number with as many digits as it deserves."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def machine_text(found: Result) -> str:
    """Return a machine as one line."""
    return (
        f"{found['cores']} cores of {found['cpu']}, {found['memory_gb']} GB, {found['system']},"
        f" Python {found['python']}"
    )
