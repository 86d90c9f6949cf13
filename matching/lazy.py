"""Memory that is not there until it is touched."""

import contextlib
import mmap
import sys
from typing import Final

import numpy as np

HUGE_PAGE: Final = 1 << 21


def lazy_zeros(count: int, dtype: np.dtype | str, *, sparse: bool = False) -> np.ndarray:
    """Return zeros that take no memory, nor a promise of memory, until touched.

    What fills from the front comes in huge pages, which spares address translation; a `sparse`
    array comes in small ones.
    """
    size = count * np.dtype(dtype).itemsize
    if size < HUGE_PAGE or sys.platform != "linux":
        return np.zeros(count, dtype)
    no_reserve = 0x4000  # mmap.MAP_NORESERVE, which Python 3.11 does not name
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | no_reserve
    memory = mmap.mmap(-1, size, flags=flags)
    if not sparse and hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a kernel without them: slower, nothing else
            memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, dtype, count)


def table_slots(count: int) -> int:
    """Return the length of a table that stays at most half full."""
    return 1 << (2 * count - 1).bit_length()
