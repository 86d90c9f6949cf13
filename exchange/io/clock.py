"""Where time comes from: an argument, so that a simulator can lie about it."""

import time
from typing import Protocol


class Clock(Protocol):
    """Wall-clock time in nanoseconds, never going back."""

    def now_ns(self) -> int:
        """Return the nanoseconds since 1970-01-01 UTC."""
        ...


class SystemClock:
    """The machine's clock; while that is set back, this one stands still."""

    def __init__(self, floor_ns: int = 0) -> None:
        self._last_ns = floor_ns

    def now_ns(self) -> int:
        """Return the machine's time, or the last one given if that is later."""
        self._last_ns = max(self._last_ns, time.time_ns())
        return self._last_ns


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, now_ns: int = 0) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        """Return the time it was last set to."""
        return self._now_ns

    def advance(self, ns: int) -> int:
        """Go `ns` forward and return the new time."""
        assert ns >= 0, "time does not go back"
        self._now_ns += ns
        return self._now_ns
