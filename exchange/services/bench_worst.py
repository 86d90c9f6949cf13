"""`wellhead bench worst`: the longest single commands, each at the limit that bounds it.

A worst case is one `Engine.apply` of one row, its events copied out, in a fresh market that holds
more than one command may touch.
"""

import time
from typing import Any, Final

from exchange.services.bench_cases import CASES, Case
from exchange.services.bench_figures import Figure, Tell, figure
from exchange.services.bench_market import LATER_NS
from exchange.services.bench_matching import one_core
from matching.codes import EventKind
from matching.engine import warm_up

RUNS: Final = 3
GOAL_US: Final = 1000.0  # no command holds the core longer
QUICK_SHARE: Final = 100


def run(tell: Tell, *, quick: bool = False) -> dict[str, Any]:
    """Measure; return the figures."""
    warm_up(lambda _, done, total: tell("kernels", done, total))
    runs = 1 if quick else RUNS
    figures: list[Figure] = []
    with one_core() as core:
        notes = ["pinned to one core" if core is not None else "not pinned to a core"]
        for place, case in enumerate(CASES):
            tell("worst cases", place, len(CASES))
            figures.append(measure(case, runs, quick=quick))
        tell("worst cases", len(CASES), len(CASES))
    return {"figures": figures, "notes": notes}


def measure(case: Case, runs: int, *, quick: bool) -> Figure:
    """Return how long a case's command takes, each time in a fresh market."""
    count = max(1, case.count // QUICK_SHARE) if quick else case.count
    found = [once(case, count) for _ in range(runs)]
    text = f"one command; {count:,} {case.thing}"
    taken = figure(case.name, "us", [ns / 1000 for ns in found], GOAL_US, text)
    return taken | {"limit": case.limit}


def once(case: Case, count: int) -> int:
    """Return ns of one run of a case; its command must have done its work."""
    market, row, _ = case.build(count)
    market.stamped(row, LATER_NS)
    begun_ns = time.perf_counter_ns()
    events = market.engine.apply(row)
    took_ns = time.perf_counter_ns() - begun_ns
    assert events[0]["kind"] != EventKind.REFUSED, f"{case.name}: {events[0]}"
    touched = min(count, case.most or count)
    assert len(events) > case.events_per_thing * touched, f"{case.name}: {len(events)} events"
    return took_ns
