"""Commands that the core does in parts: the same command goes on until nothing is left.

A mass cancel and a kill look at a bounded number of orders each (docs/matching.md, WORK_003). Who
asks for one gets one answer, about all of it.
"""

import struct
from typing import Final

from api.errors import Problem
from api.gateway import Gateway
from api.replies import EventRow, Reply, Waiter
from matching.codes import EventKind
from matching.wire import COMMAND, EVENT

GOES_ON: Final = frozenset({int(EventKind.MASS_CANCELLED), int(EventKind.ACCOUNT_KILLED)})

_E: Final = {name: place for place, name in enumerate(EVENT.names or ())}
_KIND, _QTY, _LEAVES, _ORDER_ID = (
    _E[name] for name in ("kind", "qty_lots", "leaves_lots", "order_id")
)
_BEHIND: Final = struct.Struct("<q")
assert COMMAND.fields is not None
_BEHIND_AT: Final = int(COMMAND.fields["order_id"][1])


class Parts:
    """The replies to a command and to those that went on with it."""

    def __init__(self, row: bytes) -> None:
        self._row = row
        self._count = 0
        self._events: list[EventRow] = []

    def add(self, reply: Reply) -> bytes | None:
        """Take a reply; return the row that goes on, or None if this was the last."""
        first = reply.events[0]
        self._events += reply.events[1:]
        if first[_KIND] not in GOES_ON:
            return None
        self._count += first[_QTY]
        if first[_LEAVES] == 0:
            return None
        behind = _BEHIND.pack(first[_ORDER_ID])
        return self._row[:_BEHIND_AT] + behind + self._row[_BEHIND_AT + _BEHIND.size :]

    def whole(self, last: Reply) -> Reply:
        """Return one reply for all: the last one's, with every event and the whole count."""
        first = last.events[0]
        if first[_KIND] in GOES_ON:
            first = (*first[:_QTY], self._count, *first[_QTY + 1 :])
        return Reply(last.seq, last.ts_ns, [first, *self._events])


class WholeWaiter:
    """Sends what goes on, and hands one reply to who waits."""

    def __init__(self, gateway: Gateway, row: bytes, waiter: Waiter) -> None:
        self._gateway, self._waiter, self._parts = gateway, waiter, Parts(row)

    def replied(self, reply: Reply) -> None:
        """Go on, or hand all over."""
        row = self._parts.add(reply)
        if row is None:
            self._waiter.replied(self._parts.whole(reply))
            return
        try:
            self._gateway.post(row, self)
        except Problem as problem:
            self._waiter.lost(problem)

    def lost(self, problem: Problem) -> None:
        """Pass the problem on: a part may have been done."""
        self._waiter.lost(problem)


def post_whole(gateway: Gateway, row: bytes, waiter: Waiter) -> None:
    """Send a row, and what goes on with it; the waiter hears of all of it at once.

    Errors:
        Problem: too much is pending, or the gateway has no origin yet.
    """
    gateway.post(row, WholeWaiter(gateway, row, waiter))


async def send_whole(gateway: Gateway, row: bytes) -> Reply:
    """Send a row, and what goes on with it; return one reply for all, refusals too.

    Errors:
        Problem: `outcome_unknown` when no answer came in time.
    """
    parts = Parts(row)
    following: bytes | None = row
    while following is not None:
        reply = await gateway.send(following)
        following = parts.add(reply)
    return parts.whole(reply)
