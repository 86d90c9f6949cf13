"""Keeps the event loop awake while an answer is near.

A processor that was let go to sleep takes tens of microseconds to come back, on a virtual machine
a good part of an order's way. So while few commands commit, and shortly after if they come in quick
succession, the loop looks for what is next instead of waiting for it. With many commands under way
there is always something to do, and with none the processor sleeps.
"""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

FEW_COMMANDS: Final = 8  # with more in a batch others are on their way, and keep the loop awake
# One that takes longer may wait for this very processor: it sleeps. When one after the other does,
# as with a database far away, it sleeps through more and more of them before it tries again.
COMMIT_NS: Final = 500_000
SLOW_MAX: Final = 2  # in a row, before that
SLEEP_MAX: Final = 63  # commits
QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")  # "max 100000", or the quota and its period


class Awake:
    """Told when a commit begins and ends, by code of the loop that is to stay awake."""

    def __init__(self, linger_ns: int, now_ns: Callable[[], int] = time.perf_counter_ns) -> None:
        """Look for `linger_ns` after each of a quick succession of commits; 0: never look."""
        self._linger_ns = linger_ns
        self._now_ns = now_ns
        self._until_ns = 0
        self._begun_ns = 0
        self._ended_ns = -linger_ns
        self._sleep = 0  # commits to sleep through
        self._slow = 0  # commits it looked for in vain, in a row
        self._looks = False  # at this commit
        self._lingers = False
        self._looking = False

    def begin(self, count: int) -> None:
        """A commit of so many commands begins."""
        self._begun_ns = self._now_ns()
        self._looks = self._linger_ns > 0 and count <= FEW_COMMANDS and self._sleep == 0
        self._sleep = max(0, self._sleep - 1)
        self._lingers = self._looks and self._begun_ns - self._ended_ns < self._linger_ns
        if not self._looks:
            return
        self._until_ns = self._begun_ns + COMMIT_NS
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_soon(self._look)

    def end(self) -> None:
        """It has ended, and what it was for is on its way."""
        self._ended_ns = self._now_ns()
        if self._looks:
            is_quick = self._ended_ns - self._begun_ns <= COMMIT_NS
            self._lingers &= is_quick
            self._slow = 0 if is_quick else self._slow + 1
            self._sleep = min(SLEEP_MAX, (1 << max(0, self._slow - SLOW_MAX)) - 1)
        self._until_ns = self._ended_ns + self._linger_ns if self._lingers else 0

    def _look(self) -> None:
        self._looking = self._now_ns() < self._until_ns
        if self._looking:
            asyncio.get_running_loop().call_soon(self._look)  # it polls, and does not wait


def linger_ns_of(linger_us: int) -> int:
    """Return for how long to stay awake: not at all where Postgres needs this very processor."""
    return 1_000 * linger_us if processors() > 1 else 0


def processors() -> float:
    """Return how many processors this process may use, with what its control group says."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    count = float(cores or 1)
    with suppress(OSError, ValueError):  # no control groups, or none with a quota
        quota, period = QUOTA.read_text().split()
        count = min(count, int(quota) / int(period))
    return count
