"""Factor returns, and their filtering: yesterday's moves at the size they would have today.

A series (a SKU at a hub) moves by the level of all SKUs, plus its SKU's spread over that level,
plus the hub's basis over its SKU. Beside them stand two twists of the curve (`scenario_curve`).

Each factor is filtered by itself, `r*_t = r_t max(sigma_T, floor) / max(sigma_t, floor)`: sigma_t
is the exponentially weighted volatility of the days before t (lambda 0.97), the floor is that of
all days there are. List prices stand still for weeks, so an unfloored sigma_t would be near zero
and one step would become a hundred; with the floor a quiet past neither lowers nor inflates.

Where data are thin: a SKU without a price on a day follows the level; a hub in which a SKU has
fewer than `CELL_DAYS_MIN` days of prices follows the hub's basis, the mean over the SKUs that have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Final

from exchange.rules.money import div_half_even
from exchange.rules.regions import GLB, HUBS
from exchange.rules.scenario_curve import TWISTS, Components, Vector, components
from exchange.rules.scenario_history import COMMITTED, Cell, History, dense, moved
from exchange.rules.skus import SKUS

LAMBDA_PCT: Final = 97
HORIZON_DAYS: Final = 2  # margin period of risk; trading never closes, so calendar days
CELL_DAYS_MIN: Final = 250

LEVEL: Final = "level"
TWIST_NAMES: Final = ("slope", "bend")
Row = list[int]  # ppm by day


@dataclass(frozen=True, slots=True)
class Factors:
    """The daily changes of every factor, in ppm; `known` counts the days a factor has data for."""

    days: int
    rows: Mapping[str, Row]
    known: Mapping[str, int]
    curve: Components

    def names_of(self, cell: Cell) -> list[str]:
        """Return the factors a series moves with, besides the twists."""
        sku, hub = cell
        own, pooled = f"basis:{sku}:{hub}", f"basis:{hub}"
        basis = own if own in self.rows else pooled
        return [name for name in (LEVEL, f"spread:{sku}", basis) if name in self.rows]


def factors(history: History) -> Factors:
    """Split the changes of every cell into factors."""
    days = history.days
    rows: dict[str, Row] = {}
    known: dict[str, int] = {}
    world = {sku.symbol: history.changes.get((sku.symbol, GLB), {}) for sku in SKUS}
    _put(rows, known, LEVEL, _mean_row(list(world.values())), days)
    level = rows[LEVEL]
    for sku, row in world.items():
        spread = {day: change - level[day] for day, change in row.items()}
        _put(rows, known, f"spread:{sku}", spread, days)
    for hub in [hub.symbol for hub in HUBS if hub.symbol != GLB]:
        bases = {sku: _basis(history, world, (sku, hub)) for sku in world}
        _put(rows, known, f"basis:{hub}", _mean_row(list(bases.values())), days)
        for sku, basis in bases.items():
            if len(basis) >= CELL_DAYS_MIN:
                _put(rows, known, f"basis:{sku}:{hub}", basis, days)
    curve = _twists(history, level, rows, known)
    return Factors(days, rows, known, curve)


def _put(
    rows: dict[str, Row], known: dict[str, int], name: str, row: dict[int, int], days: int
) -> None:
    if row:
        rows[name] = dense(row, days)
        known[name] = len(row)


def _basis(history: History, world: Mapping[str, dict[int, int]], cell: Cell) -> dict[int, int]:
    own = history.changes.get(cell, {})
    return {day: change - world[cell[0]].get(day, 0) for day, change in own.items()}


def _mean_row(rows: Sequence[Mapping[int, int]]) -> dict[int, int]:
    """Return the mean over the rows that have a day, day by day."""
    days = sorted({day for row in rows for day in row})
    found = {day: [row[day] for row in rows if day in row] for day in days}
    return {day: div_half_even(sum(values), len(values)) for day, values in found.items()}


def _twists(
    history: History, level: Row, rows: dict[str, Row], known: dict[str, int]
) -> Components:
    """Take the components of (front, one year, three years) and add the twists to the rows."""
    year, three = (history.committed.get(kind, {}) for kind in COMMITTED)
    vectors: dict[int, Vector] = {
        day: (level[day], year.get(day, 0), three.get(day, 0))
        for day in sorted(set(year) | set(three))
        if level[day] or year.get(day) or three.get(day)
    }
    curve = components(list(vectors.values()))
    for name, component in zip(TWIST_NAMES, TWISTS, strict=True):
        scores = {day: curve.score(component, vector) for day, vector in vectors.items()}
        _put(rows, known, name, scores, history.days)
    return curve


@dataclass(frozen=True, slots=True)
class Volatility:
    """A factor's volatility in ppm: before each day, after the last one, and over all days."""

    before: Row
    now: int
    floor: int


def volatility(row: Row, known: int) -> Volatility:
    """Return the exponentially weighted volatility of a factor, from the floor on.

    Args:
        known: on how many days the factor has data; the others say nothing about its size.
    """
    squares = sum(change * change for change in row)
    floor_variance = squares // max(1, known)
    *before, now = map(isqrt, variances(row, floor_variance))
    return Volatility(before, now, isqrt(floor_variance))


def variances(row: Row, first: int) -> Row:
    """Return the exponentially weighted variance before each day, and after the last one."""
    found = [first]
    for change in row:
        weighted = LAMBDA_PCT * found[-1] + (100 - LAMBDA_PCT) * change * change
        found.append(div_half_even(weighted, 100))
    return found


def filtered(row: Row, known: int) -> Row:
    """Return a factor's changes at the size they would have after the last day."""
    sigma = volatility(row, known)
    return resized(row, sigma, least=sigma.floor)


def resized(row: Row, sigma: Volatility, least: int) -> Row:
    """Return changes times max(now, floor) over the volatility before each, which is at `least`."""
    now = max(1, sigma.now, sigma.floor)
    pairs = zip(row, sigma.before, strict=True)
    return [div_half_even(change * now, max(1, before, least)) for change, before in pairs]


def windows(row: Row) -> Row:
    """Return overlapping sums over the horizon; entry i ends on day i + 1."""
    return [sum(row[day : day + HORIZON_DAYS]) for day in range(len(row) - HORIZON_DAYS + 1)]


def filtered_windows(found: Factors) -> dict[str, Row]:
    """Return every factor's filtered moves over the horizon."""
    return {name: windows(filtered(row, found.known[name])) for name, row in found.rows.items()}


def moved_windows(rows: Mapping[str, Row]) -> list[int]:
    """Return the numbers of the windows in which anything moved."""
    return [at for at, moves in enumerate(zip(*rows.values(), strict=True)) if moved(moves)]
