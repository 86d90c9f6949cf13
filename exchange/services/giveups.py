"""Moves the lots of give-ups that were accepted: one of it, beside the sequencer.

Each is one TRANSFER_POSITION at the price of the trade; the core judges the taker's margin. What
was accepted is sent by the process that leads, once: the next one looks first, once clearing has
posted all that the journal had when it began, which of them have moved.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import numpy as np

from exchange.io.errors import Unavailable
from exchange.io.giveups import GiveUp
from exchange.io.tasks import taking_back
from exchange.rules.mirror_state import MirrorState
from matching.codes import EventKind, Kind, MoveReason
from matching.wire import new_commands

Send = Callable[[np.ndarray], Awaitable[None]]

LOOK_S: Final = 0.25

_log = logging.getLogger("wellhead.giveups")


class Rows(Protocol):
    """What it keeps: `exchange.io.giveups.GiveUps`."""

    async def expire(self, now_ns: int) -> None:
        """End the offers that nobody answered in time."""
        ...

    async def accepted(self) -> list[GiveUp]:
        """Return what is accepted and not moved yet."""
        ...

    async def moved(self) -> list[tuple[int, int]]:
        """Return id and seq of accepted ones that clearing has seen move."""
        ...

    async def decided(self, giveup_id: int, code: int | None, seq: int | None, now_ns: int) -> None:
        """Write what the core said."""
        ...

    async def cleared_seq(self) -> int:
        """Return how far clearing is."""
        ...


class GiveUpDesk:
    """Call `observe` with each committed batch."""

    def __init__(self, rows: Rows, mirror: MirrorState, send: Send) -> None:
        self._rows = rows
        self._mirror = mirror
        self._send = send
        self._start_seq = mirror.seq  # what earlier leaders sent is up to here
        self._knows = False  # what of it has moved
        self._sent: set[int] = set()
        self._answers: deque[tuple[int, int | None, int]] = deque()

    def observe(self, commands: np.ndarray, events: np.ndarray) -> None:
        """Take the answers out of a committed batch."""
        ours = (commands["kind"] == Kind.TRANSFER_POSITION) & (
            commands["state"] == MoveReason.GIVE_UP
        )
        if not ours.any():
            return
        rows = commands[ours]
        replies = events[np.searchsorted(events["seq"], rows["seq"])]
        for command, reply in zip(rows, replies, strict=True):
            code = int(reply["code"]) if reply["kind"] == EventKind.REFUSED else None
            self._answers.append((int(command["order_id"]), code, int(command["seq"])))

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.step()
            except (Unavailable, TimeoutError) as error:
                _log.warning("give-ups go on later: %s", error)
            await asyncio.sleep(LOOK_S)

    async def step(self) -> None:
        """Write the answers that have come, then send what is due.

        Errors:
            Unavailable: the next step does what is left.
        """
        now_ns = self._mirror.ts_ns
        while self._answers:
            await self._rows.decided(*self._answers[0], now_ns)
            self._answers.popleft()
        if not self._knows:
            if await self._rows.cleared_seq() < self._start_seq:
                return
            for giveup_id, seq in await self._rows.moved():
                await self._rows.decided(giveup_id, None, seq, now_ns)
            self._knows = True
        await self._rows.expire(now_ns)
        due = [one for one in await self._rows.accepted() if one.giveup_id not in self._sent]
        if due:
            ids = {one.giveup_id for one in due}
            self._sent |= ids
            with taking_back(lambda: self._sent.difference_update(ids)):
                await self._send(np.concatenate([giveup_command(one) for one in due]))


def giveup_command(one: GiveUp) -> np.ndarray:
    """Return the move of a give-up: the giver undoes its fill, the taker has it instead."""
    row = new_commands(1)
    row["kind"], row["state"] = Kind.TRANSFER_POSITION, int(MoveReason.GIVE_UP)
    row["account_idx"], row["ref_id"] = one.giver_idx, one.taker_idx
    row["contract_idx"], row["side"] = one.contract_idx, 1 - one.side
    row["price_ticks"], row["qty_lots"] = one.price_ticks, one.qty_lots
    row["order_id"] = one.giveup_id
    return row
