"""What a session needs of a connection, whichever server carries it."""

from typing import Final, Protocol

CLOSE_NORMAL: Final = 1000
CLOSE_PROTOCOL: Final = 1002
CLOSE_RESTART: Final = 1012
CLOSE_TOO_SLOW: Final = 4008
CLOSE_KEY_GONE: Final = 4001


class Outlet(Protocol):
    """The sending side of one connection. Nothing here ever waits."""

    def write(self, payloads: list[bytes]) -> None:
        """Send text messages, together."""
        ...

    def unread_bytes(self) -> int:
        """Return how much was written and has not left this process."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Say goodbye and close; a peer that does not listen is cut off soon."""
        ...


class Flusher:
    """Sends what sessions have queued, once a turn of the loop, or at once at a batch's end."""

    def __init__(self) -> None:
        self._due: list[Flushed] = []

    def add(self, session: "Flushed") -> bool:
        """Have a session flushed; return whether it is the first of this turn."""
        self._due.append(session)
        return len(self._due) == 1

    def flush(self) -> None:
        """Flush every session that is due."""
        due, self._due = self._due, []
        for session in due:
            session.flush()


class Flushed(Protocol):
    """Whatever has something queued."""

    def flush(self) -> None:
        """Send what is queued."""
        ...
