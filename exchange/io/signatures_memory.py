"""Signatures that were used, in the memory of the only gateway there is.

A restart forgets them. So whoever uses this refuses what was signed before it began
(`begins_at_ns`): then nothing that another process may have accepted is accepted again.
"""

from collections.abc import Callable
from typing import Final

from exchange.io.errors import ClockBehind, Unavailable
from exchange.io.registry import digest_of_signature

REMEMBERED_MAX: Final = 4_000_000  # half a gigabyte; then claims are refused, none is forgotten
_NS_PER_S: Final = 1_000_000_000


class MemorySignatures:
    """Remembers each signature until it has expired."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._used: set[bytes] = set()
        self._by_second: dict[int, list[bytes]] = {}  # when they may be forgotten
        self._looked_s = 0
        self._forgotten_s = 0  # what expired in an earlier second is forgotten, and never taken

    @property
    def forgotten_ns(self) -> int:
        """Return from when on a signature must expire to be accepted, whatever the clock says."""
        return self._forgotten_s * _NS_PER_S

    async def claim(self, key_id: str, signature: bytes, expires_at_ns: int) -> bool:
        """Return True for the first use; it is remembered until `expires_at_ns`.

        One that expired while its key was looked up may have been forgotten: it counts as used.

        Errors:
            ClockBehind: the clock was set back, and this one may have been forgotten before.
            Unavailable: there is no room to remember it.
        """
        now_s = self._now_ns() // _NS_PER_S
        if now_s != self._looked_s:
            self._looked_s = now_s
            self._forget(now_s)
        if expires_at_ns // _NS_PER_S < self._forgotten_s:
            if now_s < self._forgotten_s:
                raise ClockBehind(self.forgotten_ns)
            return False
        digest = digest_of_signature(key_id, signature)
        if digest in self._used:
            return False
        if len(self._used) >= REMEMBERED_MAX:
            raise Unavailable("too many signatures are in use")
        self._used.add(digest)
        self._by_second.setdefault(expires_at_ns // _NS_PER_S, []).append(digest)
        return True

    def _forget(self, now_s: int) -> None:
        self._forgotten_s = max(self._forgotten_s, now_s)
        for second in [second for second in self._by_second if second < now_s]:
            self._used.difference_update(self._by_second.pop(second))


def begins_at_ns(began_ns: int, journal_ns: int, ahead_ns: int) -> int:
    """Return from when on a signature may bear its time to be accepted.

    Args:
        began_ns: when no other process served requests any more.
        journal_ns: the time of the last command before that, should the clock have gone back.
        ahead_ns: how far ahead of the clock a signature's time may be.
    """
    return max(began_ns, journal_ns) + ahead_ns
