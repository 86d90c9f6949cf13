"""Custody: carries out moves of assets that Postgres was asked for, and values what is held.

It runs in the leader's process. A request stays until a committed command answers it, so after a
crash it is sent again; an account's moves are numbered, and the core takes each number once. What
assets count for is computed each second, and told to the core where it is not what it was.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import numpy as np
import structlog

from exchange.io.clock import Clock
from exchange.io.custody import AssetRequest
from exchange.io.errors import Unavailable
from exchange.io.tasks import keep_stepping
from exchange.rules.mirror_state import MirrorState
from exchange.rules.records import Account
from exchange.rules.valuation import CUSTOMER, counted_of
from matching.codes import AssetMove, Code, CountMode, EventKind, Kind
from matching.wire import new_commands

Send = Callable[[np.ndarray], Awaitable[None]]

LOOK_S: Final = 0.5
VALUED_TOGETHER: Final = 20  # accounts a step: margin is computed from scratch for each
RESEND_NS: Final = 5_000_000_000  # a value not seen in the journal by then was lost

_log = structlog.get_logger(__name__)


class Rows(Protocol):
    """The requests, and who owns accounts."""

    async def sent(self) -> list[AssetRequest]:
        """Number what waits, one of each account, and return all that is under way."""
        ...

    async def decided(
        self, account_idx: int, ref_id: int, code: int | None, seq: int | None
    ) -> None:
        """Write what the core said; the first answer stays."""
        ...

    async def owners(self, account_idxs: list[int]) -> dict[int, tuple[str, str]]:
        """Return name and kind of accounts."""
        ...


class CustodyDesk:
    """Sends what waits, writes down the answers, values what is held."""

    def __init__(self, rows: Rows, mirror: MirrorState, send: Send, clock: Clock) -> None:
        self._rows = rows
        self._mirror = mirror
        self._send = send
        self._clock = clock
        self._answers: deque[tuple[int, int, int | None, int]] = deque()
        self._sent: set[tuple[int, int]] = set()  # account and number of a move
        self._told: dict[int, tuple[int, int]] = {}  # what the core was told, and when
        self._owners: dict[int, tuple[str, str]] = {}
        self._held: set[int] | None = None  # accounts that may have assets; None: not looked yet
        self._next_idx = 0  # the account to value next
        self._wake = asyncio.Event()

    def wake(self, _: str = "") -> None:
        """Look now: something new was written."""
        self._wake.set()

    def observe(self, commands: np.ndarray, events: np.ndarray) -> None:
        """Take the answers out of a committed batch."""
        ours = commands["kind"] == Kind.MOVE_ASSET
        if not ours.any():
            return
        rows = commands[ours]
        replies = events[np.searchsorted(events["seq"], rows["seq"])]
        for command, reply in zip(rows, replies, strict=True):
            refused = reply["kind"] == EventKind.REFUSED
            code = int(reply["code"]) if refused else None
            account_idx, ref_id = int(command["account_idx"]), int(command["ref_id"])
            if self._held is not None and not refused:
                self._held.add(account_idx)
            self._answers.append((account_idx, ref_id, code, int(command["seq"])))
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        await keep_stepping(self.step, LOOK_S, _waits, (Unavailable,), self._wake)

    async def step(self) -> None:
        """Write the answers that have come, send what is due, value what is held.

        Errors:
            Unavailable: the next step does what is left.
        """
        while self._answers:
            await self._write(*self._answers[0])
            self._answers.popleft()
        due = [one for one in await self._rows.sent() if self._key(one) not in self._sent]
        await self._learn([one.account_idx for one in due])
        rows = [self._move(one) for one in due]
        if rows:
            await self._send(np.concatenate(rows))
            self._sent.update(self._key(one) for one in due)
        await self._value()

    async def _write(self, account_idx: int, ref_id: int, code: int | None, seq: int) -> None:
        self._sent.discard((account_idx, ref_id))
        if code == Code.TRANSFER_REPEATED:  # it was taken before, in a command we did not see
            await self._rows.decided(account_idx, ref_id, None, None)
        else:
            await self._rows.decided(account_idx, ref_id, code, seq)
        self._wake.set()  # the account's next one may go now

    @staticmethod
    def _key(one: AssetRequest) -> tuple[int, int]:
        return one.account_idx, one.ref_id or 0

    def _move(self, one: AssetRequest) -> np.ndarray:
        """Return the command of a request; what is counted without a reserve goes with it."""
        row = new_commands(1)
        row["kind"], row["account_idx"] = Kind.MOVE_ASSET, one.account_idx
        row["order_id"], row["price_ticks"] = one.asset, one.units
        row["state"], row["ref_id"] = int(one.move), one.ref_id or 0
        if one.move == AssetMove.RESERVE and one.account_idx < len(self._mirror.accounts):
            left = self._counted(one.account_idx, (one.asset, one.units))
            row["amount_usd_micros"] = left
        return row

    def _counted(self, account_idx: int, less: tuple[int, int] = (0, 0)) -> int:
        owner = self._owners.get(account_idx, CUSTOMER)
        now_ns = self._clock.now_ns()
        return counted_of(self._mirror, account_idx, owner, now_ns, less).counted_usd_micros

    async def _learn(self, account_idxs: list[int]) -> None:
        """Learn who owns accounts; that never changes."""
        unknown = [idx for idx in account_idxs if idx not in self._owners]
        if unknown:
            self._owners |= await self._rows.owners(unknown)

    async def _value(self) -> None:
        """Tell the core what assets count for now, of some accounts a time."""
        accounts, now_ns = self._mirror.accounts, self._clock.now_ns()
        if self._held is None:
            self._held = {one.account_idx for one in accounts if _has_assets(one)}
        moving = {account_idx for account_idx, _ in self._sent}  # their reserve says what is left
        self._held -= {idx for idx in self._held - moving if not _has_assets(accounts[idx])}
        waiting = sorted(self._held - moving, key=lambda idx: (idx < self._next_idx, idx))
        held = waiting[:VALUED_TOGETHER]
        if not held:
            return
        self._next_idx = held[-1] + 1
        await self._learn(held)
        rows = [row for idx in held for row in self._valued(idx, now_ns)]
        if rows:
            await self._send(np.concatenate(rows))

    def _valued(self, account_idx: int, now_ns: int) -> list[np.ndarray]:
        """Return the command that says what an account's assets count for, if that is new."""
        counted = self._counted(account_idx)
        if counted == self._mirror.accounts[account_idx].collateral.counted_usd_micros:
            self._told.pop(account_idx, None)
            return []
        told, told_ns = self._told.get(account_idx, (-1, 0))
        if told == counted and now_ns - told_ns < RESEND_NS:
            return []
        self._told[account_idx] = (counted, now_ns)
        row = new_commands(1)
        row["kind"], row["account_idx"] = Kind.SET_COLLATERAL, account_idx
        row["amount_usd_micros"], row["state"] = counted, int(CountMode.VALUE)
        return [row]


def _has_assets(account: Account) -> bool:
    return bool(account.collateral.holdings or account.collateral.counted_usd_micros)


def _waits(error: Exception) -> None:
    _log.warning("custody_waits", error=str(error))
