"""Margin calls as they change: read from Postgres when it says so, told on private channels."""

import time
from typing import TYPE_CHECKING, Any, Final

from api import answers_defaults
from api.ws.reading import reading
from exchange.io.defaults import CallNow
from exchange.rules.margin_calls import ENDS

if TYPE_CHECKING:
    from api.deps import Services
    from api.ws.private import PrivateChannels

LOOK_S: Final = 5.0  # without being told
LATE_NS: Final = 60_000_000_000  # changes are stamped by clocks that differ by less
REMINDER: Final = "reminder"


class CallChannel:
    """What is known of margin calls: those that are open, and who is to be told of a change.

    A call that changed twice between two looks is told once, as it is; a reminder is told with
    its number, so none is missed without a sign.
    """

    def __init__(self, services: "Services", private: "PrivateChannels") -> None:
        self._services = services
        self._private = private
        self._known: dict[int, CallNow] = {}
        self._since_ns: int | None = None  # None before the first look
        self._due_s = 0.0
        private.open_calls = self.open_of

    def changed(self, _: str = "") -> None:
        """Look at the next turn: a call has changed."""
        self._due_s = 0.0

    def open_of(self, account_idx: int) -> list[dict[str, Any]]:
        """Return the open calls of an account."""
        return [
            {**answers_defaults.call(one.call), "event": one.call.state}
            for one in self._known.values()
            if one.account_idx == account_idx and one.call.state not in ENDS
        ]

    async def turn(self) -> None:
        """Read what has changed and tell it, if it is time."""
        now_s = time.monotonic()
        if self._services.defaults is None or now_s < self._due_s:
            return
        self._due_s = now_s + LOOK_S
        async with reading():
            since_ns = self._since_ns if self._since_ns is not None else _NEVER
            for row in await self._services.defaults.calls_changed(since_ns):
                self._take(row)
            self._since_ns = self._services.gateway.mirror.ts_ns - LATE_NS
            self._forget(self._since_ns)

    def _take(self, row: CallNow) -> None:
        before = self._known.get(row.call.call_id)
        self._known[row.call.call_id] = row
        if self._since_ns is None or (before is not None and before.call == row.call):
            return
        event = row.call.state
        if before is not None and before.call.reminders < row.call.reminders:
            event = REMINDER if before.call.state == row.call.state else event
        data = [{**answers_defaults.call(row.call), "event": event}]
        self._private.tell("margin_call", row.account_idx, data)

    def _forget(self, since_ns: int) -> None:
        """Forget calls that have ended and will not be read again."""
        self._known = {
            call_id: one
            for call_id, one in self._known.items()
            if one.call.state not in ENDS or one.updated_ns >= since_ns
        }


_NEVER: Final = 1 << 62
