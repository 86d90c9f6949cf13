"""The page of a backtest: what was tested, how, and what failed."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import numpy as np

from exchange.rules.backtest import (
    DAYS_MIN,
    MOVES_MIN,
    PORTFOLIOS,
    WARM_UP_DAYS,
    Trials,
    thin_series,
)
from exchange.rules.backtest_statistics import LEVEL_BPS, PEAK_TO_TROUGH_MAX, Outcome, outcome
from exchange.rules.money import BPS
from exchange.rules.quotes import Step
from exchange.rules.scenario_history import Cell, History
from exchange.rules.scenario_rows import PPM_A_BPS
from exchange.rules.skus import SKU_BY_RAW_NAME, SKUS
from exchange.rules.tenors import DAY

CENTI: Final = Decimal("0.01")


def outcomes(tests: Trials, required: np.ndarray, *, moved_only: bool = False) -> list[Outcome]:
    """Return the statistics of every portfolio; of the days with a move alone where asked."""
    found = []
    for at in range(len(tests.names)):
        chosen = tests.tested[:, at]
        if moved_only:
            chosen = chosen & (tests.losses[:, at] != 0)
        found.append(outcome(tests.losses[chosen, at], required[chosen, at]))
    return found


def percent(ppm: int) -> str:
    """Return millionths as per cent with two digits."""
    return f"{Decimal(ppm).scaleb(-4).quantize(CENTI)} %"


def coverage(bps: int) -> str:
    """Return basis points as per cent with two digits."""
    return percent(100 * bps)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return a Markdown table."""
    head = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return [*head, *("| " + " | ".join(map(str, row)) + " |" for row in rows)]


def _row(name: str, one: Outcome, moved: Outcome) -> list[object]:
    return [
        name, one.days, moved.days, one.exceeded, coverage(one.coverage_bps),
        coverage(moved.coverage_bps), percent(one.worst_excess_ppm),
        f"{one.kupiec.quantize(CENTI)} {one.kupiec_says}",
        one.christoffersen.quantize(CENTI), one.z2.quantize(CENTI),
        f"{percent(one.trough_ppm)} to {percent(one.peak_ppm)}",
        f"{one.peak_to_trough.quantize(CENTI)}",
    ]  # fmt: skip


COLUMNS: Final = (
    "portfolio", "days", "with a move", "exceeded", "coverage", "on days with a move",
    "worst excess", "Kupiec", "Christoffersen", "Acerbi-Szekely Z2", "margin", "peak / trough",
)  # fmt: skip


def names_of(tests: Trials, cells: Sequence[Cell]) -> list[str]:
    """Return the names of the portfolios for people: series long and short, then the drawn."""
    series = [f"{sku} {hub} {side}" for sku, hub in cells for side in ("long", "short")]
    return [*series, *tests.names[tests.series_count :]]


def failures(names: Sequence[str], found: Sequence[Outcome]) -> list[str]:
    """Return what is not as it should be, portfolio by portfolio."""
    lines = []
    for name, one in zip(names, found, strict=True):
        if not one.covers:
            lines.append(f"{name}: coverage {coverage(one.coverage_bps)}")
        if not one.is_calm:
            ratio = one.peak_to_trough.quantize(CENTI)
            lines.append(f"{name}: margin rose to {ratio} times its lowest")
    return lines


def _section(title: str, text: str, names: Sequence[str], tests: Trials, which: str) -> list[str]:
    required = tests.required if which == "required" else tests.bare
    found, moved = outcomes(tests, required), outcomes(tests, required, moved_only=True)
    series = slice(0, tests.series_count)
    rows = [
        _row(name, one, own)
        for name, one, own in zip(names[series], found[series], moved[series], strict=True)
    ]
    drawn = slice(tests.series_count, None)
    failed = failures(names, found)
    said = [f"* {line}" for line in failed] or ["Nothing failed."]
    return [
        f"## {title}", "", text, "", *table(COLUMNS, rows), "",
        *_drawn(found[drawn], moved[drawn]), "", "Failures:", "", *said, "",
    ]  # fmt: skip


def _drawn(found: Sequence[Outcome], moved: Sequence[Outcome]) -> list[str]:
    """Return one paragraph about the drawn portfolios."""
    tested = [one for one in found if one.days]
    low = min(tested, key=lambda one: one.coverage_bps)
    wild = max(tested, key=lambda one: one.peak_to_trough)
    thin = min((one for one in moved if one.days), key=lambda one: one.coverage_bps)
    return [
        f"Of {len(found)} drawn portfolios {len(tested)} had days to test:"
        f" {sum(one.covers for one in tested)} are covered on {coverage(LEVEL_BPS)} of their days"
        f" or more, the least on {coverage(low.coverage_bps)} (on days with a move"
        f" {coverage(thin.coverage_bps)}); the margin of {sum(one.is_calm for one in tested)}"
        f" stays within {PEAK_TO_TROUGH_MAX} times its lowest, the widest reached"
        f" {wild.peak_to_trough.quantize(CENTI)}.",
    ]


def single_offers(steps: Iterable[Step], margin_ppm: int) -> list[list[object]]:
    """Return how many steps of single offers were larger than a margin, by model."""
    rows = []
    for sku in SKUS:
        own = [step for step in steps if SKU_BY_RAW_NAME.get(step.raw_sku) is sku]
        sizes = [step.change_bps * PPM_A_BPS for step in own if not step.restated]
        restated = [abs(step.change_bps) * PPM_A_BPS for step in own if step.restated]
        if own:
            falls = sum(1 for size in sizes if -size > margin_ppm)
            rises = sum(1 for size in sizes if size > margin_ppm)
            beyond = sum(1 for size in restated if size > margin_ppm)
            rows.append([sku.symbol, len(sizes), falls, rises, len(restated), beyond])
    return rows


def page(
    tests: Trials,
    cells: Sequence[Cell],
    known: History,
    steps: Sequence[Step],
    plots: Sequence[str],
) -> str:
    """Return the whole page as Markdown."""
    series = range(tests.series_count)
    margin_ppm = min(int(tests.required[tests.tested[:, at], at].min()) for at in series)
    names = names_of(tests, cells)
    last = known.first + (known.days - 1) * DAY
    thin = thin_series(known)
    lines = [
        "# Backtest of the margin", "",
        "Written by `wellhead scenarios backtest`; the same data give the same page.", "",
        f"Real list prices from {known.first} to {last}, matched offers, restatements left out"
        " ([scenarios](scenarios.md) says how). On each day the rows are made from what was quoted"
        " by then, and the margin is compared with the loss of the two days after. A margin must"
        f" cover {coverage(LEVEL_BPS)} of the days, and its peak be at most {PEAK_TO_TROUGH_MAX}"
        " times its trough. Positions are at the front of the curve.", "",
        "Read it with care:", "",
        f"* Lists step on few days: of {known.days} days the world's price of the H100 moved on"
        f" {known.moved_days(('H100-SXM', 'GLB'))}. So most days could not be exceeded by any"
        " margin; the column \"on days with a move\" leaves them out.",
        "* Kupiec's test is two-sided: \"too few\" says that the margin covers more than it must."
        " Its 5 % point is 3.84, that of Christoffersen's (windows that do not overlap) as well."
        " Z2 is 1 when nothing is exceeded, and alarming below -0.70.",
        "* Some named stories happened within the history, so a margin with them knew them early."
        " The second section has none of them; it is what the history alone would have asked.",
        "* Which hubs have a basis of their own is decided on all the data.", "",
        *_section(
            "With the named stories", "The margin that is charged, less the recombined rows.",
            names, tests, "required",
        ),
        *_section(
            "Filtered history alone", "Without the named stories: for comparison, never charged.",
            names, tests, "bare",
        ),
        "## Plots", "",
        "Blue: the margin, long below and short above; grey: that of the history alone; red: moves"
        " over two days, where there was one.", "",
        *(f"![{name}]({name})" for name in plots), "",
        "## Single offers", "",
        "A contract is on the mean of many offers. A single offer moves more: these are all"
        " steps of 10 % or more between two quotes of one offer, and how many of them were larger"
        f" than {percent(margin_ppm)}, the lowest margin above: no margin covers those.",
        "",
        *table(("model", "steps", "falls beyond", "rises beyond", "suspected restatements",
                "of them beyond"), single_offers(steps, margin_ppm)),
        "",
        "## Not tested", "",
        f"Fewer than {DAYS_MIN} days of prices, or {MOVES_MIN} days with a move; the first"
        f" {WARM_UP_DAYS} days of a series are not tested either. These are margined by rule: level"
        " and pooled basis, and the named stories.", "",
        *table(("series", "days of prices", "days with a move"),
               ((f"{sku} {hub}", days, moves) for (sku, hub), days, moves in thin)),
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def summary(tests: Trials, cells: Sequence[Cell]) -> dict[str, object]:
    """Return the result in a few numbers."""
    found = outcomes(tests, tests.required)
    series, drawn = found[: tests.series_count], found[tests.series_count :]
    least = min(one.coverage_bps for one in found if one.days)
    assert len(drawn) == PORTFOLIOS
    return {
        "series": len(cells),
        "series_covered": sum(one.covers for one in series) // 2,
        "portfolios": len(drawn),
        "portfolios_covered": sum(one.covers for one in drawn),
        "least_coverage": coverage(least),
        "peak_to_trough_max": str(max(one.peak_to_trough for one in found).quantize(CENTI)),
        "failures": len(failures(names_of(tests, cells), found)),
    }


assert 0 < LEVEL_BPS < BPS
