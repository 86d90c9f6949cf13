"""`wellhead bench worst`: the longest single commands, and how long commands take inside a batch.

A worst case is one `Engine.apply` of one row, its events copied out. Inside a batch each command
of a feed is read by the processor's cycle counter before and after, in the kernel; what two
readings take by themselves is taken off. A processor works on several commands at once, so a
reading is good to some ten nanoseconds: percentiles, not single values, are meant.
"""

import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from exchange.services.bench_cases import CASES, LATER_NS, Case
from exchange.services.bench_figures import Figure, Tell, figure
from exchange.services.bench_matching import feeds_folder, one_core
from exchange.services.replay import Runner, open_feed, read_chunks, read_header
from matching.codes import EventKind
from matching.engine import warm_up
from matching.feed_timed import cycles_now, time_nothing, time_rows

RUNS: Final = 3
QUICK_SHARE: Final = 100
FEED: Final = "single_5m"
FEED_COMMANDS: Final = 2_000_000
ACCOUNTS: Final = 1000
PERCENTILES: Final = (("p50", 50.0), ("p99", 99.0), ("p99.9", 99.9), ("longest", 100.0))
CALIBRATION_S: Final = 0.05
EMPTY_READINGS: Final = 100_000


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
        folder = feeds_folder()
        feed = folder / f"{FEED}.bin.xz" if folder else None
        if feed is not None and feed.exists():
            figures += in_batches(feed, runs, FEED_COMMANDS // (QUICK_SHARE if quick else 1), notes)
        else:
            notes.append(f"no commands inside a batch: the feed {FEED} is not here")
    return {"figures": figures, "notes": notes}


def measure(case: Case, runs: int, *, quick: bool) -> Figure:
    """Return how long a case's command takes, each time in a fresh market."""
    count = max(1, case.count // QUICK_SHARE) if quick else case.count
    found = [once(case, count) for _ in range(runs)]
    text = f"one command; {count:,} {case.thing}"
    return figure(case.name, "us", [ns / 1000 for ns in found], None, text)


def once(case: Case, count: int) -> int:
    """Return ns of one run of a case; its command must have done its work."""
    market, row, _ = case.build(count)
    market.stamped(row, LATER_NS)
    begun_ns = time.perf_counter_ns()
    events = market.engine.apply(row)
    took_ns = time.perf_counter_ns() - begun_ns
    assert events[0]["kind"] != EventKind.REFUSED, f"{case.name}: {events[0]}"
    assert len(events) > case.events_per_thing * count, f"{case.name}: {len(events)} events"
    return took_ns


def in_batches(feed: Path, runs: int, commands: int, notes: list[str]) -> list[Figure]:
    """Return percentiles of the time of a command, without margin and with it."""
    scale = ns_per_cycle()
    empty = np.zeros(EMPTY_READINGS, "<i8")
    time_nothing(empty)
    empty_cycles = float(np.median(empty))
    notes.append(
        f"the cycle counter counts {1 / scale:.3g} times a ns; two readings take"
        f" {empty_cycles * scale:.1f} ns, which are taken off"
    )
    notes.append(
        "inside a batch the kernel reads the counter before and after each command; who takes the"
        " core away meanwhile is in the longest, not in the percentiles"
    )
    figures = []
    for margin, name in ((False, "without margin"), (True, "64 scenarios")):
        taken = [time_run(feed, commands, margin=margin) for _ in range(runs)]
        for word, percent in PERCENTILES:
            values = [
                max(0.0, float(np.percentile(one, percent)) - empty_cycles) * scale for one in taken
            ]
            text = f"{FEED}: its first {commands:,} commands, in batches of 512"
            figures.append(figure(f"{FEED} {name}, {word}", "ns", values, None, text))
    return figures


def time_run(feed: Path, commands: int, *, margin: bool) -> np.ndarray:
    """Return the cycles of each of a feed's first commands, in a fresh market."""
    spent: list[np.ndarray] = []
    with open_feed(feed) as file:
        header = read_header(file)
        runner = TimedRunner(header, ACCOUNTS, margin=margin)
        for chunk in read_chunks(file, header):
            runner.spent = np.zeros(len(chunk), "<i8")
            for _ in runner.run(chunk):
                pass
            spent.append(runner.spent)
            if sum(map(len, spent)) >= commands:
                break
    return np.concatenate(spent)[:commands]


class TimedRunner(Runner):
    """A feed's way through an engine, each command timed by itself."""

    spent = np.zeros(1, "<i8")  # cycles, by place in the chunk

    def apply_rows(self, first: int) -> int:
        """Apply rows, and note the cycles of each."""
        return int(time_rows(*self.handles, first, self.spent))


def ns_per_cycle() -> float:
    """Return how long a step of the cycle counter is: read twice, with a known time between."""
    cycles_now()  # compiled, or loaded
    begun_ns, begun = time.perf_counter_ns(), int(cycles_now())
    while time.perf_counter_ns() - begun_ns < CALIBRATION_S * 1e9:
        pass
    took_ns, took = time.perf_counter_ns() - begun_ns, int(cycles_now()) - begun
    assert took > 0, "the processor's cycle counter stands still"
    return took_ns / took
