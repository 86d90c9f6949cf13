"""Where the events of a batch go: out of the block that the next batch writes.

A settlement of 100,000 holders causes six megabytes. Memory that is new to the process costs more
than the command that filled it, a page fault for each 4 KiB; so large copies go to memory that was
used before, as soon as nobody holds what was in it.
"""

import sys
from typing import Final

import numpy as np

from matching.wire import EVENT

LARGE_BYTES: Final = 1 << 20  # below, the allocator has memory at hand
KEPT_MAX: Final = 3  # a batch is applied while the last is written and the one before is read


def references() -> int:
    """Return how many references this interpreter counts of memory that only `Outputs` keeps."""
    kept = [np.empty(0, "i1")]
    for room in kept:
        found = sys.getrefcount(room)
    return found


NOBODY: Final = references()


class Outputs:
    """Copies of events, each for as long as somebody holds it."""

    def __init__(self, events: int) -> None:
        """Prepare for so many events at once; few need no memory of ours."""
        self._kept: list[np.ndarray] = []
        if events * EVENT.itemsize >= LARGE_BYTES:
            self._kept.append(np.zeros(events * EVENT.itemsize, "i1"))
            self._kept[0].fill(0)  # zeros are no memory before they are written

    def copy(self, raw: memoryview) -> np.ndarray:
        """Return EVENT rows that stay as they are; `raw` are their bytes, which do not."""
        if len(raw) < LARGE_BYTES:
            return np.frombuffer(bytearray(raw), EVENT)
        room = self._room(len(raw))
        room[: len(raw)] = np.frombuffer(raw, "i1")
        return room[: len(raw)].view(EVENT)

    def _room(self, size: int) -> np.ndarray:
        """Return memory that nobody looks at; every view of it holds a reference to all of it."""
        for room in self._kept:
            if len(room) >= size and sys.getrefcount(room) == NOBODY:
                return room
        room = np.empty(size, "i1")
        if len(self._kept) == KEPT_MAX:
            self._kept.sort(key=len)
            if len(self._kept[0]) < size:
                del self._kept[0]  # who holds it keeps it
        if len(self._kept) < KEPT_MAX:
            self._kept.append(room)
        return room
