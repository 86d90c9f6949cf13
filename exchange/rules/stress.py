"""The scenarios of the margin matrix, as data: each row with its story and its source.

A row moves prices by

    shape(time to delivery) x ( level + the SKU's own part + the hub's own part )

Levels are what the front of the curve does. A story that took longer than the
margin period of risk of two days counts with the square root of time, and never
with less than a quarter: that is the share of stress which margin rules ask for
against procyclical calls (EMIR RTS 153/2013, Art. 28(1)(b)).
"""

from dataclasses import dataclass
from enum import StrEnum
from math import isqrt
from typing import Final

from exchange.rules.money import BPS

RISK_DAYS: Final = 2  # margin period of risk
STRESS_SHARE_MIN_BPS: Final = 2_500


class Shape(StrEnum):
    """How a move spreads along the curve, by days to delivery."""

    FRONT = "front"  # sigma(tau): full at the front, 35 % far out
    FLAT = "flat"  # the same everywhere
    BACK = "back"  # nothing at the front, full far out
    TWIST = "twist"  # the front up, the back down by half


class Quantile(StrEnum):
    """A row whose level is read from the observed price steps of the SKU."""

    UP_P50 = "up_p50"
    UP_P75 = "up_p75"
    UP_P90 = "up_p90"
    DOWN_P75 = "down_p75"
    DOWN_P90 = "down_p90"


@dataclass(frozen=True, slots=True, kw_only=True)
class StressRow:
    """One scenario; its mirror is another. Moves are in basis points of the price.

    Attributes:
        days: how long the story took, 1 for overnight.
        level_bps: what every SKU and hub does, or `step` for the SKU's own quantile.
        skus: what single SKUs do besides, by symbol; with `step`, only these move.
        hubs: what single hubs do besides, by symbol.
        generations: what SKUs of a generation do besides.
    """

    name: str
    story: str
    source: str
    shape: Shape
    days: int = 1
    level_bps: int = 0
    step: Quantile | None = None
    skus: tuple[tuple[str, int], ...] = ()
    hubs: tuple[tuple[str, int], ...] = ()
    generations: tuple[tuple[int, int], ...] = ()
    only_sku: str = ""

    @property
    def share_bps(self) -> int:
        """How much of the story counts within the margin period of risk."""
        if self.days <= RISK_DAYS:
            return BPS
        return max(STRESS_SHARE_MIN_BPS, isqrt(BPS * BPS * RISK_DAYS // self.days))


_STEPS: Final = "observed_price_steps.csv.gz, restatements left out"

_OBSERVED: Final = (
    StressRow(name="step-up", shape=Shape.FRONT, step=Quantile.UP_P90, source=_STEPS,
              story="a large rise of list prices, the front most"),
    StressRow(name="step-down", shape=Shape.FRONT, step=Quantile.DOWN_P90, source=_STEPS,
              story="a large cut of list prices, the front most"),
    StressRow(name="step-parallel", shape=Shape.FLAT, step=Quantile.UP_P50, source=_STEPS,
              story="a usual step of list prices, the whole curve alike"),
    StressRow(name="twist-up", shape=Shape.TWIST, step=Quantile.UP_P75, source=_STEPS,
              story="scarcity now, relief later: the front rises, the back falls"),
    StressRow(name="twist-down", shape=Shape.TWIST, step=Quantile.DOWN_P75, source=_STEPS,
              story="glut now, scarcity later: the front falls, the back rises"),
    StressRow(name="back-only", shape=Shape.BACK, step=Quantile.UP_P75, source=_STEPS,
              story="only far delivery moves: a new generation is late"),
)  # fmt: skip

_NAMED: Final = (
    StressRow(name="aws-cut", shape=Shape.FRONT, level_bps=-4_400,
              story="AWS cuts P5 (H100) by 44 % overnight and everybody follows",
              source="AWS price announcement, in force 2025-06-05"),
    StressRow(name="gcp-squeeze", shape=Shape.FRONT, level_bps=14_800, days=240,
              story="H100 spot in us-central1 rises from 2.55 to 6.33 USD, +148 %",
              source="gpu_spot_offers.csv.gz, cyclenerd-gcp, 2025-11 to 2026-07"),
    StressRow(name="slow-bleed", shape=Shape.FLAT, level_bps=-4_200, days=180,
              story="rents fall week by week, 42 % in half a year",
              source="size is a judgement; H100 spot in us-central1 fell from 7.82 to 2.55 USD, "
              "2024-05 to 2025-03"),
    StressRow(name="deepseek-day", shape=Shape.FLAT, level_bps=-1_700,
              story="a cheaper model halves expected demand in a day; its mirror is the rebound",
              source="NVIDIA share price, -17 % on 2025-01-27"),
    StressRow(name="leverage-cascade", shape=Shape.FRONT, level_bps=-2_500, days=2,
              story="crypto liquidations: miners sell compute forward at any price",
              source="market events of 2025-10-10 and 11; size is a judgement"),
    StressRow(name="mining-boom", shape=Shape.FRONT, days=150,
              skus=(("L40S", 12_000), ("RTX-PRO-6000", 12_000)),
              story="a coin worth mining takes the consumer-type cards, +120 %",
              source="GPU rental during Ethereum's rise, 2020-11 to 2021-05; size is a judgement"),
    StressRow(name="demand-cliff", shape=Shape.FRONT, level_bps=-5_000, days=30,
              story="a whole use of GPUs ends on a known day",
              source="Ethereum's Merge, 2022-09-15; size is a judgement"),
    StressRow(name="obsolescence", shape=Shape.BACK, days=90,
              generations=((1, -4_000), (2, -2_000), (3, 1_000)),
              story="a new generation ships: old models -40 %, the one before -20 %, new +10 %",
              source="A100 rents after H100 supply grew, 2023 to 2024; size is a judgement"),
    StressRow(name="power-spike", shape=Shape.FRONT, days=3,
              hubs=(("USC", 4_000), ("EUW", 4_000), ("EUN", 2_500), ("GLB", 1_500)),
              story="power is short for days: sites in Texas and Europe throttle",
              source="Texas, 2021-02; Europe, 2022-08; size is a judgement"),
    StressRow(name="export-control", shape=Shape.FLAT, days=14, level_bps=-1_500,
              hubs=(("APN", 6_000), ("APS", 7_500)),
              story="chips may no longer go to Asia: what is there is worth more, the rest less",
              source="US export rules of 2022-10-07 and 2023-10-17; size is a judgement"),
    StressRow(name="capacity-release", shape=Shape.FRONT, level_bps=-3_500, days=7,
              hubs=(("USE", -1_000), ("USC", -1_000), ("USW", -1_000)),
              story="one hyperscaler ends a training run and rents out what it kept for itself",
              source="hypothetical"),
    StressRow(name="index-failure", shape=Shape.FRONT, hubs=(("GLB", -1_000),),
              story="an index moves 10 % because its panel changed, and no price did",
              source="an open GPU index, 10.03 % in a month with matched constituents unchanged"),
)  # fmt: skip

MODELS: Final = ("A100-80GB", "H100-SXM", "H200-SXM", "B200", "L40S", "MI300X", "RTX-PRO-6000")
_MODELS: Final = tuple(
    StressRow(name=f"model-{sku}", shape=Shape.FRONT, step=Quantile.UP_P75, only_sku=sku,
              story=f"{sku} alone steps up, every other model stands still", source=_STEPS)
    for sku in MODELS
)  # fmt: skip

_REGIONS: Final = tuple(
    StressRow(name=f"ban-{hub}", shape=Shape.FRONT, days=14, level_bps=1_000,
              hubs=((hub, 7_000),),
              story=f"{hub} is cut off from new supply, with two weeks' notice: +80 % there, "
              "+10 % elsewhere", source="hypothetical, after the export rules of 2022 and 2023")
    for hub in ("USE", "USC", "USW", "EUN", "EUW", "APN", "APS")
)  # fmt: skip

STRESS_ROWS: Final = (*_OBSERVED, *_NAMED, *_MODELS, *_REGIONS)
assert len({row.name for row in STRESS_ROWS}) == len(STRESS_ROWS) == 32
