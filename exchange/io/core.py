"""The core as services see it, so that only the wiring imports the real one."""

import hashlib
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np

STATE_HASH_BYTES: Final = 16


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
        """Return the hash of what `save` would give."""
        ...

    def save(self) -> bytes:
        """Return the whole state in its canonical form."""
        ...


Restore = Callable[[bytes | None], Core]  # None: the state before the first command


def hash_of_saved(blob: bytes) -> bytes:
    """Return `Core.state_hash` of a saved state; needs no core, so any thread may do it."""
    return hashlib.blake2b(blob, digest_size=STATE_HASH_BYTES).digest()
