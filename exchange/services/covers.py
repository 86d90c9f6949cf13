"""Covers: tells the engine what pledged receipts cover, and gives receipts back.

It runs in the leader's process. The engine's covers, as the mirror shows them, are compared with
what the registry says; what differs is told by SET_COVER, again and again until it is so. Nothing
else is kept: killed anywhere, the next process compares. A receipt that is wanted back is taken
out first by commands that margin may refuse; only when all are taken is it free.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol

import numpy as np
import structlog

from exchange.io.clock import Clock
from exchange.io.covers import Seen
from exchange.io.errors import ExchangeError
from exchange.io.tasks import taking_back
from exchange.rules.delivery.cover import Closed, Key, Pledge, covers, find_in, is_short
from exchange.rules.delivery.receipts import NS_PER_HOUR, Status
from exchange.rules.mirror import Mirror
from exchange.rules.operations import cover_command
from matching.codes import Code, CountMode, EventKind, Kind, TradingState

Send = Callable[[np.ndarray], Awaitable[None]]

LOOK_S: Final = 1.0

_log = structlog.get_logger(__name__)


class Rows(Protocol):
    """What is pledged: `exchange.io.covers.Covers`."""

    async def seen(self, now_hour: int) -> Seen:
        """Return what is pledged now."""
        ...

    async def released(self, receipt_id: str, code: str, now_ns: int) -> None:
        """Write what came of a wish to have a receipt back, once."""
        ...

    async def closed(self) -> list[Closed]:
        """Return holders of whom a liquidation has ended since they pledged."""
        ...

    async def close_out(self, one: Closed, receipt_ids: list[str], now_ns: int) -> None:
        """End the pledges of who was closed out, once."""
        ...


class CoverDesk:
    """Call `observe` with each committed batch, after the mirror."""

    def __init__(self, rows: Rows, mirror: Mirror, send: Send, clock: Clock) -> None:
        self._rows = rows
        self._mirror = mirror
        self._send = send
        self._clock = clock
        self._waiting: set[Key] = set()  # told, and not answered yet
        self._refused: dict[Key, tuple[int, int]] = {}  # lots and code of the last word
        self._leaving: dict[int, str] = {}  # account -> the receipt that is taken out

    def observe(self, commands: np.ndarray, events: np.ndarray) -> None:
        """Take the answers out of a committed batch."""
        ours = commands["kind"] == Kind.SET_COVER
        if not ours.any():
            return
        rows = commands[ours]
        replies = events[np.searchsorted(events["seq"], rows["seq"])]
        for command, reply in zip(rows, replies, strict=True):
            key = int(command["account_idx"]), int(command["contract_idx"])
            self._waiting.discard(key)
            self._refused.pop(key, None)
            if reply["kind"] == EventKind.REFUSED:
                self._refused[key] = int(command["qty_lots"]), int(reply["code"])

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.step()
            except (ExchangeError, TimeoutError) as error:
                _log.warning("covers_wait", error=str(error))
            await asyncio.sleep(LOOK_S)

    async def step(self) -> None:
        """Tell the engine what has changed, and give back what it let go.

        Errors:
            ExchangeError: the next step does what is left.
        """
        now_ns = self._clock.now_ns()
        seen = await self._rows.seen(now_ns // NS_PER_HOUR)
        if self._waiting or not seen.holders:
            return
        if await self._close_out(seen, now_ns):
            return
        await self._let_go(seen, now_ns)
        leaving = set(self._leaving.values())
        due = self._lots(seen, [one for one in seen.pledges if _id(one) not in leaving])
        wrong = self._wrong(seen.holders, due)
        if wrong:
            await self._tell(wrong, due)
            return
        self._begin(seen)

    async def _close_out(self, seen: Seen, now_ns: int) -> bool:
        """End the pledges of who was closed out: True when there were any (CDR_019)."""
        ended = False
        for one in await self._rows.closed():
            held = [it.receipt for it in seen.pledges if it.receipt.holder_idx == one.holder_idx]
            if one.holder_idx in self._mirror.liquidations or not held:
                continue  # another one is going on
            if not one.paid_usd_micros and is_short(self._mirror, one.holder_idx, held):
                continue  # it came out of it with lots that they still cover
            await self._rows.close_out(one, [it.receipt_id for it in held], now_ns)
            self._leaving.pop(one.holder_idx, None)
            ended = True
        return ended

    def _lots(self, seen: Seen, pledges: Iterable[Pledge]) -> dict[Key, int]:
        now_hour = self._clock.now_ns() // NS_PER_HOUR
        return covers(pledges, seen.spans, find_in(self._mirror), now_hour)

    def _now(self, key: Key) -> int:
        account_idx, contract_idx = key
        return self._mirror.position(account_idx, contract_idx).cover_lots

    def _wrong(self, holders: Iterable[int], due: dict[Key, int]) -> list[Key]:
        """Return what the engine has otherwise, what falls before what rises."""
        keys = set(due)
        for account_idx in holders:
            positions = self._mirror.accounts[account_idx].positions.values()
            keys |= {(account_idx, one.contract_idx) for one in positions if one.cover_lots}
        wrong = [
            key for key in keys
            if self._now(key) != due.get(key, 0) and not self._is_hopeless(key, due.get(key, 0))
        ]  # fmt: skip
        return sorted(wrong, key=lambda key: (due.get(key, 0) > self._now(key), key))

    def _is_hopeless(self, key: Key, lots: int) -> bool:
        """Return whether the core refused just that, or the contract is over anyway."""
        over = self._mirror.contracts[key[1]].state == TradingState.EXPIRED
        return over or self._refused.get(key, (-1, 0))[0] == lots

    async def _tell(self, wrong: list[Key], due: dict[Key, int]) -> None:
        """Say the covers that differ; a receipt that is taken out may be refused."""
        rows = [cover_command(*key, due.get(key, 0)) for key in wrong]
        for row, (account_idx, _) in zip(rows, wrong, strict=True):
            if account_idx in self._leaving:
                row["state"] = int(CountMode.RELEASE)
        self._waiting.update(wrong)
        with taking_back(lambda: self._waiting.difference_update(wrong)):
            await self._send(np.concatenate(rows))

    def _begin(self, seen: Seen) -> None:
        """Take a receipt out that is wanted back, one of an account at a time."""
        for pledge in seen.pledges:
            holder_idx = pledge.receipt.holder_idx
            if pledge.receipt.status == Status.RELEASING and holder_idx not in self._leaving:
                self._leaving[holder_idx] = _id(pledge)

    async def _let_go(self, seen: Seen, now_ns: int) -> None:
        """Free the receipts without which the engine's covers are as they should be."""
        for account_idx, receipt_id in list(self._leaving.items()):
            rest = [one for one in seen.pledges if _id(one) != receipt_id]
            due = self._lots(seen, rest)
            own = {key: lots for key, lots in due.items() if key[0] == account_idx}
            code = self._refusal(account_idx)
            if not code and self._wrong([account_idx], own):
                continue
            await self._rows.released(receipt_id, code, now_ns)
            del self._leaving[account_idx]

    def _refusal(self, account_idx: int) -> str:
        """Return the code by which margin keeps an account's pledge, and forget it."""
        needed = [
            key for key, (_, code) in self._refused.items()
            if key[0] == account_idx and code == Code.COVER_NEEDED
        ]  # fmt: skip
        for key in needed:
            del self._refused[key]
        return Code.COVER_NEEDED.name.lower() if needed else ""


def _id(pledge: Pledge) -> str:
    return pledge.receipt.receipt_id
