"""What a bench gives: figures, each with its runs and what they were measured on."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

Tell = Callable[[str, int, int], None]  # what is under way, how much is done, of how much
Figure = dict[str, Any]


def figure(
    name: str, unit: str, runs: Sequence[float], goal: float | None, workload: str
) -> Figure:
    """Return one figure: its runs, their median and extremes, its goal and its workload."""
    return {
        "name": name,
        "unit": unit,
        "runs": list(runs),
        "median": median(runs),
        "min": min(runs),
        "max": max(runs),
        "goal": goal,
        "workload": workload,
    }
