"""The core as services see it, so that only the wiring imports the real one."""

from collections.abc import Callable
from typing import Protocol

import numpy as np


class Core(Protocol):
    """A deterministic function from commands to events, with its state."""

    @property
    def last_seq(self) -> int:
        """Return the number of the last command applied."""
        ...

    @property
    def now_ns(self) -> int:
        """Return the time of the last command applied."""
        ...

    @property
    def next_expiry_ns(self) -> int:
        """Return when the next order expires, 0 for never."""
        ...

    def apply(self, commands: np.ndarray) -> np.ndarray:
        """Apply stamped COMMAND rows and return their EVENT rows."""
        ...

    def state_hash(self) -> bytes:
        """Return a hash of the whole state."""
        ...

    def save(self) -> bytes:
        """Return the whole state."""
        ...


Restore = Callable[[bytes | None], Core]  # None: the state before the first command
