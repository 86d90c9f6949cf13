"""The margin against the real price history, day by day, each day with what was known then.

On each day T the rows are built from what was quoted by T, filtered to T's volatility, and the
requirement of a portfolio is the mean of the two worst of them, with and without the named
stories. The loss is that of the two days after T. A portfolio holds series at the front of the
curve, where prices move most; weights are in whole parts of its notional. The recombined rows of
`scenario_full` are left out: a requirement here is never above the one that is charged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from math import isqrt
from typing import Final

import numpy as np

from exchange.rules.demo import Rng
from exchange.rules.money import div_half_even
from exchange.rules.quotes import PriceData
from exchange.rules.scenario_compress import worst_mean_usd_micros
from exchange.rules.scenario_factors import HORIZON_DAYS, LAMBDA_PCT, Factors, factors
from exchange.rules.scenario_history import Cell, History, history
from exchange.rules.scenario_rows import SERIES_PLACE, div_half_even_all, stress_rows
from exchange.rules.scenarios import step_sizes
from exchange.rules.tenors import DAY

WORST_COUNT: Final = 2
DAYS_MIN: Final = 250  # of prices, and
MOVES_MIN: Final = 20  # days on which they moved: less is too little to test
WARM_UP_DAYS: Final = 180  # of a series before its first test
PORTFOLIOS: Final = 200
SEED: Final = 20_260_822
STEPS_EVERY_DAYS: Final = 28  # how often the quantiles of observed steps are taken anew

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Trials:
    """Days, losses and requirements in ppm of notional; a day that was not tested is False.

    Attributes:
        names: of the portfolios: each series long and short, then the drawn ones.
        required: (days, portfolios) with the named stories; `bare` without them.
    """

    first: date
    names: tuple[str, ...]
    series_count: int  # of the portfolios, the first ones: each series long, then short
    tested: np.ndarray
    losses: np.ndarray
    required: np.ndarray
    bare: np.ndarray


def rich_series(known: History) -> list[Cell]:
    """Return the series with enough data, in order of their names."""
    return sorted(
        cell
        for cell, days in known.changes.items()
        if len(days) >= DAYS_MIN and known.moved_days(cell) >= MOVES_MIN
    )


def thin_series(known: History) -> list[tuple[Cell, int, int]]:
    """Return the series without enough data: their days of prices and of moves."""
    cells = set(known.changes) - set(rich_series(known))
    return [(cell, len(known.changes[cell]), known.moved_days(cell)) for cell in sorted(cells)]


def weights_of(count: int) -> tuple[list[str], np.ndarray]:
    """Return portfolios over so many series: each alone, then the drawn ones, both ways round."""
    names: list[str] = []
    rows: list[np.ndarray] = []
    for at in range(count):
        for sign in (1, -1):
            names.append(f"{at}:{sign}")
            rows.append(np.eye(count, dtype=np.int64)[at] * sign * 100)
    rng = Rng(SEED)
    for number in range(PORTFOLIOS // 2):
        drawn = np.zeros(count, np.int64)
        legs, rng = rng.draw(2, min(6, count))
        for _ in range(legs):
            place, rng = rng.draw(0, count - 1)
            weight, rng = rng.draw(-100, 100)
            drawn[place] += weight
        for sign in (1, -1):
            names.append(f"drawn {number + 1}{'' if sign > 0 else ' turned round'}")
            rows.append(drawn * sign)
    return names, np.array(rows)


def run(data: PriceData, tell: Tell) -> tuple[Trials, list[Cell], History]:
    """Test every day; return the tests, the series they are on, and the history."""
    known = history(data, data.last_day)
    cells = rich_series(known)
    found = factors(known)
    table = _Filter(found)
    names, weights = weights_of(len(cells))
    moves = np.array([_row(known, cell) for cell in cells]).T  # (days, cells)
    ready = _ready(known, cells)
    shape = (known.days, len(weights))
    tested, losses = np.zeros(shape, bool), np.zeros(shape, np.int64)
    required, bare = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    gross = np.abs(weights).sum(axis=1)
    stories = np.zeros((0, len(cells)), np.int64)
    for day in range(known.days - HORIZON_DAYS):
        if not ready[day].any():
            continue
        if day % STEPS_EVERY_DAYS == 0 or not len(stories):
            stories = _stories(data, known.first + day * DAY, cells)
            tell("backtest", day, known.days)
        past = table.windows(day, cells)
        tested[day] = (ready[day] | (weights == 0)).all(axis=1)
        after = moves[day + 1 : day + 1 + HORIZON_DAYS].sum(axis=0)
        losses[day] = -(weights @ after) // np.maximum(1, gross)
        bare[day] = _required(past, weights, gross)
        required[day] = _required(np.concatenate([past, stories]), weights, gross)
    tell("backtest", known.days, known.days)
    tests = Trials(known.first, tuple(names), 2 * len(cells), tested, losses, required, bare)
    return tests, cells, known


def _row(known: History, cell: Cell) -> np.ndarray:
    row = np.zeros(known.days, np.int64)
    for day, change in known.changes[cell].items():
        row[day] = change
    return row


def _ready(known: History, cells: list[Cell]) -> np.ndarray:
    """Return (days, cells): whether a price stands now, two days on, and did half a year ago."""
    ready = np.zeros((known.days, len(cells)), bool)
    for place, cell in enumerate(cells):
        days = known.changes[cell]
        first = min(days)
        for day in days:
            until = range(day, day + HORIZON_DAYS + 1)
            ready[day, place] = day >= first + WARM_UP_DAYS and all(d in days for d in until)
    return ready


def _stories(data: PriceData, on: date, cells: list[Cell]) -> np.ndarray:
    """Return the named rows and their mirrors: (rows, cells); step sizes as of the day."""
    steps = [step for step in data.steps if step.day <= on] or data.steps[:1]
    fronts = [row.fronts for row in stress_rows(step_sizes(steps))]
    own = np.array(fronts, np.int64)[:, [SERIES_PLACE[cell] for cell in cells]]
    return np.concatenate([own, -own])


def _required(rows: np.ndarray, weights: np.ndarray, gross: np.ndarray) -> np.ndarray:
    """Return the mean of the two worst of each portfolio, in ppm of its notional, rounded up."""
    if len(rows) < WORST_COUNT:
        return np.zeros(len(weights), np.int64)
    worst = worst_mean_usd_micros(-(weights @ rows.T), WORST_COUNT)
    found: np.ndarray = -(-worst // np.maximum(1, gross))
    return found


class _Filter:
    """Filtered windows of every factor as of any day, from what was known then."""

    def __init__(self, found: Factors) -> None:
        self._found = found
        self._rows = {name: np.array(row, np.int64) for name, row in found.rows.items()}
        self._sigma = {name: _sigma(row) for name, row in found.rows.items()}
        self._floors = {name: _floors(row) for name, row in self._rows.items()}
        moved = np.any([row != 0 for row in self._rows.values()], axis=0)
        self._moved = np.flatnonzero(moved[:-1] | moved[1:])  # windows by their first day

    def windows(self, day: int, cells: list[Cell]) -> np.ndarray:
        """Return the moves over the horizon of each series, and mirrors: (rows, cells)."""
        firsts = self._moved[self._moved + HORIZON_DAYS - 1 <= day]
        own = {name: self._own(name, day, firsts) for name in self._rows}
        columns = [
            np.sum([own[name] for name in self._found.names_of(cell)], axis=0) for cell in cells
        ]
        rows = np.array(columns, np.int64).reshape(len(cells), len(firsts)).T
        return np.concatenate([rows, -rows])

    def _own(self, name: str, day: int, firsts: np.ndarray) -> np.ndarray:
        """Return a factor's filtered moves over the windows that begin on days."""
        row, sigma = self._rows[name], self._sigma[name]
        floor = max(1, int(self._floors[name][day]))
        now = max(floor, int(sigma[day + 1]))
        total = np.zeros(len(firsts), np.int64)
        for after in range(HORIZON_DAYS):
            at = firsts + after
            total += div_half_even_all(row[at] * now, np.maximum(floor, sigma[at]))
        return total


def _sigma(row: list[int]) -> np.ndarray:
    """Return the volatility before each day, and after the last; nothing is known before it."""
    variance = 0
    found = [0]
    for change in row:
        squares = LAMBDA_PCT * variance + (100 - LAMBDA_PCT) * change * change
        variance = div_half_even(squares, 100)
        found.append(isqrt(variance))
    return np.array(found, np.int64)


def _floors(row: np.ndarray) -> np.ndarray:
    """Return the volatility over all days from the first move up to each day."""
    first = int(np.argmax(row != 0))
    days = np.maximum(1, np.arange(len(row)) - first + 1)
    variances = np.cumsum(row * row) // days
    return np.array([isqrt(variance) for variance in variances.tolist()], np.int64)
