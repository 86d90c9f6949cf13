"""The default fund: how large it must be, who pays what into it, and when to raise an alarm.

Cover-2: in every stress scenario the fund must bear the losses beyond margin of
the two member groups that lose most, and five per cent more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exchange.rules.money import BPS, div_ceil, scaled_text
from exchange.rules.shares import pro_rata

COVER_COUNT: Final = 2
FUND_MARGIN_BPS: Final = 10_500  # of the worst Cover-2 loss


class AlarmKind(StrEnum):
    """Which losses beyond margin are held against the fund."""

    TWO_LARGEST = "two_largest"
    LARGEST = "largest"
    SECOND = "second"


_WORDS: Final = {
    AlarmKind.TWO_LARGEST: "the sum of the two largest losses",
    AlarmKind.LARGEST: "the largest loss",
    AlarmKind.SECOND: "the second largest loss",
}
# From which share of the fund on a stress loss raises an alarm.
ALARMS: Final = (
    (AlarmKind.TWO_LARGEST, 9_000),
    (AlarmKind.LARGEST, 4_500),
    (AlarmKind.SECOND, 4_000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverLoss:
    """What the groups that lose most lose beyond margin in one scenario."""

    scenario: str
    groups: tuple[str, ...]  # the largest loss first, ties by name
    losses_usd_micros: tuple[int, ...]

    @property
    def total_usd_micros(self) -> int:
        """Return what the fund would have to bear."""
        return sum(self.losses_usd_micros)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A stress loss that is near the fund, or beyond it."""

    kind: AlarmKind
    scenario: str
    used_bps: int  # of the fund
    limit_bps: int


def cover_loss(
    scenario: str,
    losses: Mapping[str, int],
    margins: Mapping[str, int],
    count: int = COVER_COUNT,
) -> CoverLoss:
    """Return the largest losses beyond margin in a scenario.

    Args:
        losses: of each group in the scenario, usd micros; a gain is negative.
        margins: what each group has put up.
    """
    beyond = {group: max(0, loss - margins.get(group, 0)) for group, loss in losses.items()}
    ranked = sorted(beyond.items(), key=lambda pair: (-pair[1], pair[0]))[:count]
    return CoverLoss(
        scenario=scenario,
        groups=tuple(group for group, _ in ranked),
        losses_usd_micros=tuple(loss for _, loss in ranked),
    )


def fund_size_usd_micros(covers: Sequence[CoverLoss]) -> int:
    """Return what the fund must hold: the worst Cover-2 loss and five per cent, rounded up."""
    worst = max((cover.total_usd_micros for cover in covers), default=0)
    return div_ceil(worst * FUND_MARGIN_BPS, BPS)


def contributions_usd_micros(
    size_usd_micros: int, margins: Mapping[str, int], least_usd_micros: int = 0
) -> dict[str, int]:
    """Return what each member pays in: in proportion to margin, none below the least.

    Together they are the size, or more where the least of all is already more.
    """
    names = sorted(margins)
    rest = max(0, size_usd_micros - least_usd_micros * len(names))
    weights = [margins[name] for name in names]
    if rest and not sum(weights):
        weights = [1] * len(names)
    shares = pro_rata(rest, weights)
    return {name: least_usd_micros + share for name, share in zip(names, shares, strict=True)}


def alarms(covers: Sequence[CoverLoss], fund_usd_micros: int) -> list[Alarm]:
    """Return what today's stress losses say against the fund, scenario by scenario."""
    raised: list[Alarm] = []
    for cover in covers:
        losses = {
            AlarmKind.TWO_LARGEST: cover.total_usd_micros,
            AlarmKind.LARGEST: sum(cover.losses_usd_micros[:1]),
            AlarmKind.SECOND: sum(cover.losses_usd_micros[1:2]),
        }
        for kind, limit_bps in ALARMS:
            loss = losses[kind]
            if loss and loss * BPS >= limit_bps * fund_usd_micros:
                used_bps = div_ceil(loss * BPS, max(1, fund_usd_micros))
                raised.append(
                    Alarm(
                        kind=kind, scenario=cover.scenario, used_bps=used_bps, limit_bps=limit_bps
                    )
                )
    return raised


def alarm_text(alarm: Alarm, fund_usd_micros: int) -> str:
    """Return an alarm in words; a share of an empty fund says nothing."""
    what = f"{_WORDS[alarm.kind]} beyond margin in scenario {alarm.scenario}"
    if fund_usd_micros <= 0:
        return f"it is empty, and there is {what}"
    used, limit = (scaled_text(bps, 2) for bps in (alarm.used_bps, alarm.limit_bps))
    return f"{what} is {used} % of it; alarm from {limit} %"
