"""A batch: the commands that were committed together, and the events they caused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from exchange.io.errors import Corrupt
from matching.wire import COMMAND, EVENT

_HEADER: Final = np.dtype(
    [("magic", "<i8"), ("first_seq", "<i8"), ("commands", "<i8"), ("events", "<i8")]
)
_MAGIC: Final = 0x31484357  # "WCH1"


def joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Return the rows of all parts, one after the other, as one new array.

    `np.concatenate` of records compares their fields one by one, which takes longer than copying.
    """
    raw = np.concatenate([np.ascontiguousarray(part).view(np.uint8) for part in parts])
    return raw.view(parts[0].dtype)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Commands `first_seq .. last_seq`, stamped, with all their events in order.

    `state_hash` is the engine's after the last command, where it was recorded.
    """

    first_seq: int
    commands: np.ndarray  # COMMAND rows
    events: np.ndarray  # EVENT rows
    state_hash: bytes | None = None

    @property
    def count(self) -> int:
        """Return the number of commands."""
        return len(self.commands)

    @property
    def last_seq(self) -> int:
        """Return the number of the last command."""
        return self.first_seq + len(self.commands) - 1

    @property
    def ts_ns(self) -> int:
        """Return the time of the last command."""
        return int(self.commands["ts_ns"].item(-1))

    def to_bytes(self) -> bytes:
        """Return the batch as bytes for the bus; the journal has columns instead."""
        header = np.array([(_MAGIC, self.first_seq, len(self.commands), len(self.events))], _HEADER)
        return header.tobytes() + self.commands.tobytes() + self.events.tobytes()

    @staticmethod
    def from_bytes(raw: bytes) -> "Batch":
        """Return what `to_bytes` was given; the rows are read-only views of `raw`.

        Errors:
            Corrupt: not the bytes of a batch.
        """
        if len(raw) < _HEADER.itemsize:
            raise Corrupt(f"a batch of {len(raw)} bytes has no header")
        header = np.frombuffer(raw, _HEADER, 1)[0]
        commands, events = int(header["commands"]), int(header["events"])
        split = _HEADER.itemsize + commands * COMMAND.itemsize
        if int(header["magic"]) != _MAGIC or len(raw) != split + events * EVENT.itemsize:
            raise Corrupt(f"{len(raw)} bytes are not a batch")
        return Batch(
            int(header["first_seq"]),
            np.frombuffer(raw, COMMAND, commands, _HEADER.itemsize),
            np.frombuffer(raw, EVENT, events, split),
        )
