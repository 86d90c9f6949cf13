"""The exchange for delivery as it goes: sessions for all, what a call came to for who entered."""

import time
from typing import TYPE_CHECKING, Any, Final

from api.answers_efd import own_out, session_out, status_of
from api.ws.reading import reading
from exchange.io.efd import Listed, Outcome
from exchange.rules.public_data import message
from exchange.rules.tenors import NS_PER_DAY

if TYPE_CHECKING:
    from api.deps import Services
    from api.ws.private import PrivateChannels
    from api.ws.session import Session

EFD: Final = "efd"
OWN: Final = "efd_own"
LOOK_S: Final = 5.0  # without being told
SHOWN_NS: Final = NS_PER_DAY  # after its call a session is in the snapshot


class EfdChannel:
    """Sessions from their opening to a day after their call; nobody's entry is told before it."""

    def __init__(self, services: "Services", private: "PrivateChannels") -> None:
        self.subscribers: dict[Session, None] = {}
        self._services = services
        self._private = private
        self._seq = services.gateway.mirror.seq
        self._now: dict[str, Listed] = {}
        self._told: dict[str, tuple[str, list[Outcome]]] | None = None  # None before a first look
        self._due_s = 0.0

    def changed(self, _: str = "") -> None:
        """Look at the next turn: a session was called, or a leg has ended."""
        self._due_s = 0.0

    def snapshot(self) -> bytes:
        """Return the sessions that are open, are called, or were in the last day."""
        now_ns = self._services.now_ns()
        found = [session_out(one, now_ns) for one in self._now.values()]
        return message(EFD, "snapshot", self._seq, None, now_ns, found)

    async def turn(self) -> None:
        """Read what has changed and tell it, if it is time."""
        delivering, now_s = self._services.delivering, time.monotonic()
        if delivering is None or now_s < self._due_s:
            return
        self._due_s = now_s + LOOK_S
        async with reading():
            now_ns = self._services.now_ns()
            known = [name for name, one in self._now.items() if one.result is not None]
            found = await delivering.exchanges.current(now_ns, now_ns - SHOWN_NS, known)
            rows = [self._now.get(one.session.session_id, one) if one.result is None else one
                    for one in found]  # fmt: skip
            legs = {
                one.session.session_id: await delivering.exchanges.legs(one.session.session_id)
                for one in rows
                if one.result is not None and not self._is_over(one)
            }
            self._take(rows, legs, now_ns)

    def _is_over(self, one: Listed) -> bool:
        """Return whether nothing of a session can change any more, and all was told."""
        told = (self._told or {}).get(one.session.session_id)
        return told is not None and one.result is not None and _have_ended(one.result, told[1])

    def _take(self, rows: list[Listed], legs: dict[str, list[Outcome]], now_ns: int) -> None:
        """Tell what is other than it was; at the first look nothing is."""
        before, told = self._told, {}
        changed = []
        for one in rows:
            name, status = one.session.session_id, status_of(one, now_ns)
            was = (before or {}).get(name, ("", []))
            told[name] = (status, legs.get(name, was[1]))
            if before is None:
                continue
            if was[0] != status:
                changed.append(session_out(one, now_ns))
            if one.result is not None and was != told[name]:
                self._tell_own(one, told[name][1], now_ns)
        self._now, self._told = {one.session.session_id: one for one in rows}, told
        if changed:
            self._tell(changed, now_ns)

    def _tell(self, data: list[dict[str, Any]], now_ns: int) -> None:
        seq = max(self._seq + 1, self._services.gateway.mirror.seq)
        payload = message(EFD, "update", seq, self._seq, now_ns, data)
        self._seq = seq
        for session in tuple(self.subscribers):
            session.deliver(EFD, payload)

    def _tell_own(self, one: Listed, legs: list[Outcome], now_ns: int) -> None:
        body = one.result
        assert body is not None, "it was called"
        shown = session_out(one, now_ns)
        for account_idx in sorted({row["account_idx"] for row in body["entries"]}):
            data = [own_out(shown, body, legs, account_idx)]
            self._private.tell(OWN, account_idx, data)


def _have_ended(body: dict[str, Any], legs: list[Outcome]) -> bool:
    return len(legs) == len(body["legs"]) and all(leg.outcome is not None for leg in legs)
