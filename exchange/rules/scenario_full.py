"""The full set of scenarios: named stories, windows of history, and recombined windows.

Every window of two days in which anything moved is a row. Prices of compute are lists: they step
on few days, so windows that moved are fewer than a set needs. The rule then: rows are added, up to
`ROWS_MIN` before mirroring, in which each factor has the move of a window of its own, drawn among
the windows in which that factor moved. So a SKU with fifty days of history has its own size in
every such row, and spreads appear that history had no time to show. The draw is splitmix64, seeded
by the day: the same rows for everybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from exchange.rules.demo import Rng
from exchange.rules.quotes import PriceData
from exchange.rules.scenario_factors import (
    HORIZON_DAYS,
    Factors,
    Row,
    factors,
    filtered_windows,
    moved_windows,
)
from exchange.rules.scenario_history import History, history
from exchange.rules.scenario_rows import (
    MIX,
    WINDOW,
    ScenarioRow,
    history_row,
    stress_rows,
    with_mirrors,
)
from exchange.rules.scenarios import StepSizes, step_sizes
from exchange.rules.tenors import DAY

ROWS_MIN: Final = 600  # before mirroring, the named stories apart


@dataclass(frozen=True, slots=True)
class FullSet:
    """Every scenario before compression, mirrors included, and what it was made from."""

    rows: tuple[ScenarioRow, ...]
    factors: Factors
    windows_count: int  # all of them
    moved_count: int  # those in which something moved


def full_set(data: PriceData, on: date) -> FullSet:
    """Return the full set of a day; nothing quoted after it is looked at."""
    known = history(data, on)
    sizes = step_sizes(step for step in data.steps if step.day <= on)
    return full_set_of(known, sizes, on)


def full_set_of(known: History, sizes: StepSizes, on: date) -> FullSet:
    """Return the full set of a history and the sizes of steps."""
    found = factors(known)
    moves = filtered_windows(found)
    moved = moved_windows(moves)
    rows = [
        *stress_rows(sizes),
        *_window_rows(known, found, moves, moved),
        *_mixed_rows(found, moves, ROWS_MIN - len(moved), on),
    ]
    count = max(0, known.days - HORIZON_DAYS + 1)
    return FullSet(tuple(with_mirrors(rows)), found, count, len(moved))


def _window_rows(
    known: History, found: Factors, moves: Mapping[str, Row], moved: list[int]
) -> list[ScenarioRow]:
    rows = []
    for at in moved:
        last = known.first + (at + HORIZON_DAYS - 1) * DAY
        story = f"the two days to {last.isoformat()}, at today's volatility"
        own = {name: row[at] for name, row in moves.items()}
        rows.append(history_row(f"window-{last.isoformat()}", WINDOW, story, found, own))
    return rows


def _mixed_rows(
    found: Factors, moves: Mapping[str, Row], count: int, on: date
) -> list[ScenarioRow]:
    pools = {name: [move for move in row if move] for name, row in moves.items()}
    rng = Rng(on.toordinal())
    rows = []
    for number in range(1, count + 1):
        own: dict[str, int] = {}
        for name, pool in pools.items():
            place, rng = rng.draw(0, max(0, len(pool) - 1))
            own[name] = pool[place] if pool else 0
        story = "each factor's move of a window of its own, at today's volatility"
        rows.append(history_row(f"mix-{number}", MIX, story, found, own))
    return rows
