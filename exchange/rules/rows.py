"""COMMAND and EVENT rows as plain tuples: the fast way from numpy into Python code.

A row's tuple has the fields of its record in their order. `struct` reads a
whole batch at once, several times faster than `ndarray.tolist()` on records.
"""

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from matching.wire import COMMAND, EVENT

CommandRow = tuple[int, ...]
EventRow = tuple[int, int, int, int, int, int, int, int, int, int, int, int, int]

_LETTER = {"int8": "b", "int16": "h", "int32": "i", "int64": "q"}


def _reader(record: np.dtype[Any]) -> struct.Struct:
    """Return the struct of a packed record of little-endian integers."""
    names = record.names or ()
    letters = "".join(_LETTER[record[name].name] for name in names)
    reader = struct.Struct("<" + letters)
    assert reader.size == record.itemsize, "a record with holes cannot be read this way"
    return reader


_COMMAND = _reader(COMMAND)
_EVENT = _reader(EVENT)


def command_rows(commands: np.ndarray) -> Iterator[Any]:
    """Yield each COMMAND row as a tuple of ints, fields in the record's order."""
    assert commands.dtype == COMMAND
    return _COMMAND.iter_unpack(commands.tobytes())


def event_rows(events: np.ndarray) -> Iterator[Any]:
    """Yield each EVENT row as a tuple of ints, fields in the record's order."""
    assert events.dtype == EVENT
    return _EVENT.iter_unpack(events.tobytes())
