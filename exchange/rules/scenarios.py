"""The named stories as a margin matrix: what one long lot gains in each of 64 scenarios.

32 rows of `stress.py` and the mirror of each. They hold until the exchange has published its
first whole set (`scenario_set.py`), of which they are a part. The matrix is a function of the
contract, its settlement price, the day and the price data: anybody can compute it again and
compare `matrix_hash`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import accumulate
from typing import Final, Protocol

import numpy as np

from exchange.rules.contracts import Contract, Series
from exchange.rules.median import quantile
from exchange.rules.money import BPS, DECIMAL, div_half_even, round_half_even
from exchange.rules.quotes import Step
from exchange.rules.regions import Hub
from exchange.rules.requirement import decayed_usd_micros
from exchange.rules.skus import SKU_BY_RAW_NAME, SKUS, Sku
from exchange.rules.stress import STRESS_ROWS, Quantile, Shape, StressRow
from exchange.rules.tenors import Period
from matching.limits import SHOCK_TICKS_MAX, WORST_COUNT_DEFAULT

SCENARIO_COUNT: Final = 64
WORST_COUNT: Final = WORST_COUNT_DEFAULT
assert 2 * len(STRESS_ROWS) == SCENARIO_COUNT

# sigma(tau) = sigma_inf + (sigma_0 - sigma_inf) exp(-tau / T), with sigma_0 = 1.
SIGMA_INF_BPS: Final = 3_500
SIGMA_DAYS: Final = 180  # T
MOVE_MIN_BPS: Final = -9_500  # no price falls by more in two days
MOVE_MAX_BPS: Final = 30_000
STEPS_MIN: Final = 30  # fewer observed steps than this, and the pool of all SKUs speaks
_MILLION: Final = 1_000_000
_HORIZON_DAYS: Final = 2_000
_QUANTILE_BPS: Final = {
    Quantile.UP_P50: 5_000,
    Quantile.UP_P75: 7_500,
    Quantile.UP_P90: 9_000,
    Quantile.DOWN_P75: -7_500,
    Quantile.DOWN_P90: -9_000,
}

StepSizes = Mapping[tuple[str, Quantile], int]  # by SKU symbol: signed basis points


@dataclass(frozen=True, slots=True)
class Scenario:
    """One column of the matrix: a row of `stress.py`, or its mirror."""

    row: StressRow
    mirrored: bool

    @property
    def name(self) -> str:
        """The row's name; a mirror has a minus in front."""
        return f"-{self.row.name}" if self.mirrored else self.row.name


SCENARIOS: Final = tuple(
    Scenario(row, mirrored) for row in STRESS_ROWS for mirrored in (False, True)
)


def step_sizes(steps: Iterable[Step]) -> StepSizes:
    """Return the quantiles of the observed price steps of each SKU, suspected restatements out."""
    moves: dict[str, list[int]] = {sku.symbol: [] for sku in SKUS}
    for step in steps:
        sku = SKU_BY_RAW_NAME.get(step.raw_sku)
        if sku is not None and not step.restated:
            moves[sku.symbol].append(step.change_bps)
    pool = [move for own in moves.values() for move in own]
    return {
        (symbol, which): _signed_quantile(own, pool, bps)
        for symbol, own in moves.items()
        for which, bps in _QUANTILE_BPS.items()
    }


def _signed_quantile(own: list[int], pool: list[int], bps: int) -> int:
    """Return a quantile of the rises (bps > 0) or of the falls (bps < 0, result negative)."""
    sign = 1 if bps > 0 else -1
    sizes = [[sign * move for move in moves if sign * move > 0] for moves in (own, pool)]
    return sign * quantile(sizes[0] if len(sizes[0]) >= STEPS_MIN else sizes[1], abs(bps))


@cache
def _fade_sums() -> tuple[int, ...]:
    """Return running sums of exp(-days / T) in millionths, from day 0."""
    day = DECIMAL.exp(DECIMAL.divide(Decimal(-1), Decimal(SIGMA_DAYS)))
    values = (
        round_half_even(DECIMAL.multiply(DECIMAL.power(day, days), Decimal(_MILLION)))
        for days in range(_HORIZON_DAYS)
    )
    return (0, *accumulate(values))


def _fade(period: Period, on: date) -> int:
    """Return the mean of exp(-tau / T) over the period's days, in millionths."""
    first = min(max(0, (period.start - on).days), _HORIZON_DAYS - 1)
    last = min(max(first + 1, (period.end - on).days), _HORIZON_DAYS)
    sums = _fade_sums()
    return div_half_even(sums[last] - sums[first], last - first)


@lru_cache(maxsize=4096)
def shape_factors(period: Period, on: date) -> Mapping[Shape, int]:
    """Return each shape's factor for a delivery period, in millionths."""
    fade = _fade(period, on)
    front = div_half_even(SIGMA_INF_BPS * _MILLION + (BPS - SIGMA_INF_BPS) * fade, BPS)
    return {
        Shape.FRONT: front,
        Shape.FLAT: _MILLION,
        Shape.BACK: _MILLION - fade,
        Shape.TWIST: div_half_even(3 * fade - _MILLION, 2),
    }


class ShockModel(Protocol):
    """Whatever says what one long lot of a contract gains in each scenario."""

    @property
    def count(self) -> int:
        """How many scenarios there are."""
        ...

    @property
    def worst_count(self) -> int:
        """Of how many of the worst the requirement is the mean."""
        ...

    def shocks(self, contract: Contract, price_ticks: int, on: date) -> list[int]:
        """Return R[s]: the profit of one long lot in each scenario, in micro-dollars."""
        ...


class MarginModel:
    """Computes shocks; keeps what depends on the series alone, so a matrix takes little time."""

    count: Final = SCENARIO_COUNT
    worst_count: Final = WORST_COUNT

    def __init__(self, steps: Iterable[Step]) -> None:
        """Read the sizes of moves from the observed price steps."""
        self.sizes = step_sizes(steps)
        self._fronts: dict[Series, list[int]] = {}

    def moves_bps(self, contract: Contract, on: date) -> list[int]:
        """Return the relative move of a contract's price in each scenario, in basis points."""
        series = contract.series
        fronts = self._fronts.get(series)
        if fronts is None:
            fronts = [front_move(row, series.sku, series.hub, self.sizes) for row in STRESS_ROWS]
            self._fronts[series] = fronts
        factors = shape_factors(contract.period, on)
        moves: list[int] = []
        for row, front in zip(STRESS_ROWS, fronts, strict=True):
            move = div_half_even(front * factors[row.shape], _MILLION)
            moves += [_bounded(move), _bounded(-move)]
        return moves

    def shocks(self, contract: Contract, price_ticks: int, on: date) -> list[int]:
        """Return R[s]: the profit of one long lot in each scenario, in micro-dollars.

        Args:
            price_ticks: the price that moves: the last settlement price.
            on: the day of that price; time to delivery is counted from it, and in the delivery
                period the days that are over no longer move (MRGN_112).
        """
        value = contract.tick_value_usd_micros
        most = value * (SHOCK_TICKS_MAX - 1)
        period = contract.period
        return [
            decayed_usd_micros(
                min(div_half_even(value * price_ticks * move, BPS), most),
                period.days_over(on),
                period.days,
            )
            for move in self.moves_bps(contract, on)
        ]


def front_move(row: StressRow, sku: Sku, hub: Hub, sizes: StepSizes) -> int:
    """Return what a row does to the front of a SKU at a hub, in basis points."""
    if row.only_sku and row.only_sku != sku.symbol:
        return 0
    move_bps = row.level_bps if row.step is None else sizes[sku.symbol, row.step]
    move_bps += dict(row.skus).get(sku.symbol, 0)
    move_bps += dict(row.generations).get(sku.generation, 0)
    move_bps += dict(row.hubs).get(hub.symbol, 0)
    return div_half_even(move_bps * row.share_bps, BPS)


def _bounded(move_bps: int) -> int:
    return min(max(move_bps, MOVE_MIN_BPS), MOVE_MAX_BPS)


def matrix_hash(matrix: Mapping[str, Sequence[int]]) -> str:
    """Return the hash of a matrix by symbol: what is published beside it."""
    digest = blake2b(digest_size=16)
    for symbol in sorted(matrix):
        digest.update(symbol.encode("ascii") + b"\0")
        digest.update(np.array(matrix[symbol], "<i8").tobytes())
    return digest.hexdigest()
