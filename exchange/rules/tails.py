"""Expected shortfall of scenario losses: the tail of a matrix whose rows are of three kinds.

    IM0 = max(3/4 ES(now) + 1/4 ES(stress), ES(floor))

ES is the mean of the n worst rows, rounded up, never below zero. Which rows are which is data of
the matrix: the last `floor_count` rows are the long-run floor, the `stress_count` rows before them
the stress rows, all others those of now. Without stress rows ES(now) counts whole, and without
floor rows there is none, so that a matrix of one kind is the plain mean of the n worst: that is
never less than any split of the same rows, since the worst of some are among the worst of all.

Sources: Rockafellar and Uryasev (2000), "Optimization of conditional value-at-risk"; the share of a
quarter and the floor of the longest look-back are EMIR RTS 153/2013 Art. 28(1)(b) and (c).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from exchange.rules.money import div_ceil

BLEND: Final = 4  # parts: one of stress, the others of now


class Tail(NamedTuple):
    """How a matrix is read; `kept_bps` is the share of the standalone sum no offset removes."""

    scenario_count: int
    worst_count: int
    stress_count: int = 0
    floor_count: int = 0
    kept_bps: int = 0

    @property
    def now_count(self) -> int:
        """Return how many rows are those of now."""
        return self.scenario_count - self.stress_count - self.floor_count

    def kind_of(self, scenario: int) -> str:
        """Return "now", "stress" or "floor"."""
        if scenario < self.now_count:
            return "now"
        return "stress" if scenario < self.now_count + self.stress_count else "floor"


class Shortfalls(NamedTuple):
    """The three means, usd micros, and what they make."""

    now_usd_micros: int
    stress_usd_micros: int
    floor_usd_micros: int
    blended_usd_micros: int  # IM0


def mean_usd_micros(losses: Sequence[int]) -> int:
    """Return the mean of losses, rounded up, never below zero; nothing of no losses."""
    return max(0, div_ceil(sum(losses), max(1, len(losses))))


def requirement_usd_micros(losses: Sequence[int], worst_count: int) -> int:
    """Return the mean of the n worst, rounded up, never below zero.

    Before the exchange has its first scenarios there are no losses, and nothing is required.
    """
    return mean_usd_micros(sorted(losses, reverse=True)[:worst_count])


def worst_scenarios(losses: Sequence[int], worst_count: int) -> tuple[int, ...]:
    """Return the numbers of the n worst scenarios, the worst first, ties by number."""
    return tuple(sorted(range(len(losses)), key=lambda s: (-losses[s], s))[:worst_count])


def blended_usd_micros(now: int, stress: int, floor: int, *, has_stress: bool) -> int:
    """Return IM0 of the three means, rounded up."""
    blend = div_ceil((BLEND - 1) * now + stress, BLEND) if has_stress else now
    return max(blend, floor)


def shortfalls_of(losses: Sequence[int], tail: Tail) -> Shortfalls:
    """Return the means of W[s] by kind of row, and IM0."""
    first_stress, first_floor = tail.now_count, tail.now_count + tail.stress_count
    now = requirement_usd_micros(losses[:first_stress], tail.worst_count)
    stress = requirement_usd_micros(losses[first_stress:first_floor], tail.worst_count)
    floor = requirement_usd_micros(losses[first_floor:], tail.worst_count)
    blend = blended_usd_micros(now, stress, floor, has_stress=tail.stress_count > 0)
    return Shortfalls(now, stress, floor, blend)
