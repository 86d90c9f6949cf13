"""Scenario rows in one form, whatever they come from, and what they do to a contract's price.

A row moves the front of each series (a SKU at a hub) by so many millionths, fades along the curve
by its shape (`scenarios.shape_factors`), and twists the curve:

    move = front(series) x shape(time to delivery) + sum over twists of score x loading(time)

A matrix is the same formula for many contracts at once, in int64: every product is proved to fit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np

from exchange.rules.contracts import Contract
from exchange.rules.money import BPS
from exchange.rules.regions import HUBS
from exchange.rules.scenario_curve import TWISTS, Components
from exchange.rules.scenario_factors import TWIST_NAMES, Factors
from exchange.rules.scenario_history import PPM
from exchange.rules.scenarios import (
    MOVE_MAX_BPS,
    MOVE_MIN_BPS,
    StepSizes,
    front_move,
    shape_factors,
)
from exchange.rules.skus import SKUS
from exchange.rules.stress import STRESS_ROWS, Shape
from exchange.rules.tenors import Period
from matching.limits import PRICE_BITS_DEFAULT, SHOCK_TICKS_MAX, TICK_VALUE_USD_MICROS_MAX

PPM_A_BPS: Final = PPM // BPS
MOVE_MIN_PPM: Final = MOVE_MIN_BPS * PPM_A_BPS
MOVE_MAX_PPM: Final = MOVE_MAX_BPS * PPM_A_BPS
SERIES: Final = tuple((sku.symbol, hub.symbol) for sku in SKUS for hub in HUBS)
SERIES_PLACE: Final[Mapping[tuple[str, str], int]] = {cell: at for at, cell in enumerate(SERIES)}
SHAPES: Final = tuple(Shape)
# A front is bounded before it is used, so these are the largest products below.
assert TICK_VALUE_USD_MICROS_MAX * (1 << PRICE_BITS_DEFAULT) * MOVE_MAX_PPM < 1 << 62

STRESS: Final = "stress"
WINDOW: Final = "window"
MIX: Final = "mix"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRow:
    """One row: `kind` is stress (a named story), window (two days of history), or mix."""

    name: str
    kind: str
    story: str
    source: str
    shape: Shape
    fronts: tuple[int, ...]  # ppm by place in SERIES
    twists: tuple[int, int] = (0, 0)  # scores, ppm

    def mirrored(self) -> "ScenarioRow":
        """Return the row with every move turned round; its name has a minus in front."""
        return replace(
            self,
            name=f"-{self.name}",
            fronts=tuple(-front for front in self.fronts),
            twists=(-self.twists[0], -self.twists[1]),
        )

    def document(self) -> dict[str, Any]:
        """Return the row as JSON: moves by SKU and hub, zeros left out."""
        fronts: dict[str, dict[str, int]] = {}
        for (sku, hub), front in zip(SERIES, self.fronts, strict=True):
            if front:
                fronts.setdefault(sku, {})[hub] = front
        return {
            "name": self.name, "kind": self.kind, "story": self.story, "source": self.source,
            "shape": self.shape.value, "twists_ppm": list(self.twists), "fronts_ppm": fronts,
        }  # fmt: skip


def row_of(document: Mapping[str, Any]) -> ScenarioRow:
    """Return the row of a document; the inverse of `ScenarioRow.document`."""
    fronts = document["fronts_ppm"]
    slope, bend = document["twists_ppm"]
    return ScenarioRow(
        name=document["name"],
        kind=document["kind"],
        story=document["story"],
        source=document["source"],
        shape=Shape(document["shape"]),
        fronts=tuple(int(fronts.get(sku, {}).get(hub, 0)) for sku, hub in SERIES),
        twists=(int(slope), int(bend)),
    )


def stress_rows(sizes: StepSizes) -> list[ScenarioRow]:
    """Return the named rows of `stress.py`, not mirrored."""
    cells = [(sku, hub) for sku in SKUS for hub in HUBS]
    return [
        ScenarioRow(
            name=row.name, kind=STRESS, story=row.story, source=row.source, shape=row.shape,
            fronts=tuple(
                _bounded(PPM_A_BPS * front_move(row, sku, hub, sizes)) for sku, hub in cells
            ),
        )
        for row in STRESS_ROWS
    ]  # fmt: skip


def history_row(
    name: str, kind: str, story: str, found: Factors, moves: Mapping[str, int]
) -> ScenarioRow:
    """Return a row of factor moves over the horizon, in ppm by the name of the factor."""
    fronts = tuple(_bounded(sum(moves[name] for name in found.names_of(cell))) for cell in SERIES)
    slope, bend = (_bounded(moves.get(name, 0)) for name in TWIST_NAMES)
    return ScenarioRow(
        name=name, kind=kind, story=story, source="gpu_spot_offers.csv.gz and "
        "gcp_reserved_curve.csv.gz, matched offers", shape=Shape.FRONT,
        fronts=fronts, twists=(slope, bend),
    )  # fmt: skip


def _bounded(move_ppm: int) -> int:
    return min(max(move_ppm, -MOVE_MAX_PPM), MOVE_MAX_PPM)


def with_mirrors(rows: Sequence[ScenarioRow]) -> list[ScenarioRow]:
    """Return every row and its mirror."""
    return [each for row in rows for each in (row, row.mirrored())]


def div_half_even_all(amounts: np.ndarray, parts: int | np.ndarray) -> np.ndarray:
    """Return amounts / parts to the nearest whole numbers, ties to the even one."""
    whole, rest = np.divmod(amounts, parts)
    up = (2 * rest > parts) | ((2 * rest == parts) & (whole % 2 == 1))
    found: np.ndarray = whole + up
    return found


@dataclass(frozen=True, slots=True)
class RowTable:
    """Rows as arrays, to compute with."""

    fronts: np.ndarray  # (rows, series) i8
    shapes: np.ndarray  # (rows,) place in SHAPES
    twists: np.ndarray  # (rows, 2) i8

    @classmethod
    def of(cls, rows: Sequence[ScenarioRow]) -> "RowTable":
        """Return the table of rows."""
        return cls(
            np.array([row.fronts for row in rows], np.int64).reshape(len(rows), len(SERIES)),
            np.array([SHAPES.index(row.shape) for row in rows], np.int64),
            np.array([row.twists for row in rows], np.int64).reshape(len(rows), len(TWIST_NAMES)),
        )

    def moves_ppm(self, contract: Contract, on: date, curve: Components) -> np.ndarray:
        """Return the relative move of a contract's price in every row."""
        series = SERIES_PLACE[contract.series.sku.symbol, contract.series.hub.symbol]
        factors = shape_factors(contract.period, on)
        by_shape = np.array([factors[shape] for shape in SHAPES], np.int64)
        moves = div_half_even_all(self.fronts[:, series] * by_shape[self.shapes], PPM)
        for place, component in enumerate(TWISTS):
            loading = curve.twist(component, days_to(contract.period, on))
            moves += div_half_even_all(self.twists[:, place] * loading, PPM)
        bounded: np.ndarray = np.clip(moves, MOVE_MIN_PPM, MOVE_MAX_PPM)
        return bounded


def days_to(period: Period, on: date) -> int:
    """Return the days from `on` to the middle of a period, never below zero."""
    first = max(0, (period.start - on).days)
    return (first + max(first + 1, (period.end - on).days)) // 2


def shocks_of(contract: Contract, price_ticks: int, moves_ppm: np.ndarray, on: date) -> np.ndarray:
    """Return the profit of one long lot in every row, in micro-dollars, as of a day.

    In the delivery period the days that are over no longer move (MRGN_112).
    """
    value, period = contract.tick_value_usd_micros, contract.period
    shocks = div_half_even_all(moves_ppm * (value * price_ticks), PPM)
    bounded: np.ndarray = np.minimum(shocks, value * (SHOCK_TICKS_MAX - 1))
    left_days = period.days - period.days_over(on)
    decayed: np.ndarray = np.sign(bounded) * -(-np.abs(bounded) * left_days // period.days)
    return decayed
