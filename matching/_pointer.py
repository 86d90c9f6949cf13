"""The way of a batch into the kernels and of its events out: plain bytes, by known addresses.

numpy takes microseconds to copy a record or to tell an address, far longer than a command takes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import config


def bytes_of(array: np.ndarray) -> memoryview:
    """Return an array's own bytes."""
    return memoryview(array.view("i1")).cast("B")  # type: ignore[arg-type]


def words_of(array: np.ndarray) -> memoryview:
    """Return an array's own int64 words."""
    return memoryview(array.view("<i8"))  # type: ignore[arg-type]


class Pointer:
    """A handle to one array of rows after another: nothing is made for each.

    Few rows are copied to a place whose address is known.
    """

    def __init__(self, kind: Callable[[np.ndarray], Any], room: np.ndarray) -> None:
        """Name the tuple of one array that kernels view, and give room for few rows."""
        self._kind, self._table = kind, np.zeros(2, "<i8")
        self._address = int(self._table.ctypes.data)
        self._room, self._room_address = room, int(room.ctypes.data)
        self._bytes = bytes_of(room)
        self._keep = room

    def at(self, rows: np.ndarray) -> Any:
        """Return what entry kernels are given for these rows, until the next are pointed at."""
        if config.DISABLE_JIT:
            return self._kind(rows)
        count = len(rows)
        if count <= len(self._room):
            raw = rows.tobytes()
            self._bytes[: len(raw)] = raw
            self._table[0], self._table[1] = self._room_address, count
        else:
            self._keep = np.require(rows, requirements=["C", "ALIGNED"])
            self._table[0], self._table[1] = int(self._keep.ctypes.data), count
        return self._address
