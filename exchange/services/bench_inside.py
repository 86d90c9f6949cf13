"""How long single commands take inside a batch: a part of `wellhead bench matching`.

Each command of a feed is read by the processor's cycle counter before and after, in the kernel;
what two readings take by themselves is taken off. A processor works on several commands at once,
so a reading is good to some ten nanoseconds: percentiles, not single values, are meant.
"""

import time
from pathlib import Path
from typing import Final

import numpy as np

from exchange.services.bench_figures import Figure, figure
from exchange.services.replay import Runner, open_feed, read_chunks, read_header
from matching.feed import BATCH
from matching.feed_timed import cycles_now, time_nothing, time_rows

FEED: Final = "single_5m"
FEED_COMMANDS: Final = 2_000_000
ACCOUNTS: Final = 1000
GOAL_NS: Final = 200.0
PERCENTILES: Final = (
    ("p50", 50.0, None), ("p99", 99.0, GOAL_NS), ("p99.9", 99.9, None), ("longest", 100.0, None),
)  # fmt: skip
CALIBRATION_S: Final = 0.05
EMPTY_READINGS: Final = 100_000


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
        for word, percent, goal in PERCENTILES:
            values = [
                max(0.0, float(np.percentile(one, percent)) - empty_cycles) * scale for one in taken
            ]
            text = f"{FEED}: its first {commands:,} commands, in batches of {BATCH}"
            figures.append(figure(f"{FEED} {name}, {word}", "ns", values, goal, text))
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
