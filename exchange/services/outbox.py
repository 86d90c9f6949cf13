"""The outbox: opens accounts and moves money in the core, as Postgres was asked to.

It runs in the leader's process and hands its commands to the sequencer there, not to the bus: none
gets lost while the process lives, and none outlives it. A row stays until a committed command
answers it, so after a crash the command is sent again; the core opens a slot once and takes a
reference number once. An account is open once it has the level and the wrong-way rule of its kind,
too: nobody trades at others before.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import structlog

from exchange.io.errors import Unavailable
from exchange.io.outbox_rows import OutboxRows, SentTransfer
from exchange.io.tasks import keep_stepping
from exchange.rules.account_levels import opening_level_bps, opening_profile
from exchange.rules.operations import level_command, profile_command
from exchange.rules.requirement import MEMBER_LEVEL_BPS
from matching.codes import Code, EventKind, Kind, Profile
from matching.wire import new_commands

Send = Callable[[np.ndarray], Awaitable[None]]

LOOK_S: Final = 0.5  # without being told
_ACCOUNT: Final = (Kind.OPEN_ACCOUNT, Kind.SET_LEVEL, Kind.SET_PROFILE)
_KINDS: Final = (*_ACCOUNT, Kind.DEPOSIT, Kind.WITHDRAW, Kind.SEND_CASH)
_OURS: Final = np.isin(np.arange(256), _KINDS)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a committed command says about a row."""

    kind: int
    account_idx: int
    ref_id: int
    code: int  # Code.OK when it was taken
    seq: int

    @property
    def key(self) -> tuple[bool, int]:
        """Return which row of the outbox it is about."""
        is_account = self.kind in _ACCOUNT
        return is_account, self.account_idx if is_account else self.ref_id


class Outbox:
    """Sends what waits and writes down the answers. `observe` every committed batch."""

    def __init__(self, rows: OutboxRows, send: Send) -> None:
        self._rows = rows
        self._send = send
        self._answers: deque[_Answer] = deque()
        self._sent: set[tuple[bool, int]] = set()  # (is account, slot or reference)
        self._last: dict[int, int] = {}  # of a slot that is being opened: the kind that ends it
        self._wake = asyncio.Event()

    def wake(self, _: str = "") -> None:
        """Look now: something new was written."""
        self._wake.set()

    def observe(self, commands: np.ndarray, events: np.ndarray) -> None:
        """Take the answers out of a committed batch."""
        ours = _OURS[commands["kind"].view(np.uint8)]
        if not ours.any():
            return
        rows = commands[ours]
        replies = events[np.searchsorted(events["seq"], rows["seq"])]
        for command, reply in zip(rows, replies, strict=True):
            refused = reply["kind"] == EventKind.REFUSED
            self._answers.append(
                _Answer(
                    int(command["kind"]),
                    int(command["account_idx"]),
                    int(command["ref_id"]),
                    int(reply["code"]) if refused else int(Code.OK),
                    int(command["seq"]),
                )
            )
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        await keep_stepping(self.step, LOOK_S, _waits, (Unavailable,), self._wake)

    async def step(self) -> None:
        """Write the answers that have come, then send what is due.

        Errors:
            Unavailable: the next step does what is left.
        """
        while self._answers:
            await self._write(self._answers[0])
            self._answers.popleft()
        unopened = await self._rows.accounts_unopened()
        due = [_open_account(idx, kind) for idx, kind in unopened]
        due += [_transfer(transfer) for transfer in await self._rows.transfers_sent()]
        rows = [row for row in due if _key(row) not in self._sent]
        if rows:
            await self._send(np.concatenate(rows))
            self._sent.update(_key(row) for row in rows)
            opened = (row[-1] for row in rows if row["kind"][0] == Kind.OPEN_ACCOUNT)
            self._last.update((int(last["account_idx"]), int(last["kind"])) for last in opened)

    async def _write(self, answer: _Answer) -> None:
        if answer.kind in _ACCOUNT:
            await self._write_account(answer)
            return
        self._sent.discard(answer.key)
        if answer.ref_id:
            await self._write_transfer(answer)

    async def _write_account(self, answer: _Answer) -> None:
        """Write that an account is open: with the level and the rule that its kind has."""
        if answer.kind != self._last.get(answer.account_idx):
            return  # more of the opening follows, or an operator said it
        # One that exists was opened by an earlier sending of the same row.
        if answer.code in (Code.OK, Code.ACCOUNT_EXISTS):
            await self._rows.account_opened(answer.account_idx, answer.seq)
            self._sent.discard(answer.key)
            del self._last[answer.account_idx]
            self._wake.set()  # its transfers may go now
        else:  # it stays among those that were sent: asking again would be answered the same
            _log.error("account_refused", idx=answer.account_idx, code=Code(answer.code).name)

    async def _write_transfer(self, answer: _Answer) -> None:
        if answer.code in (Code.OK, Code.TRANSFER_REPEATED):
            # A repetition: the same reference was taken before, in a command we did not see.
            seq = answer.seq if answer.code == Code.OK else None
            await self._rows.transfer_decided(answer.ref_id, None, seq)
        else:
            await self._rows.transfer_decided(answer.ref_id, answer.code, answer.seq)
        self._wake.set()  # the account's next one may go now


def _open_account(account_idx: int, kind: str) -> np.ndarray:
    """Return an opening, with what the kind has beyond what the core opens accounts with."""
    row = new_commands(1)
    row["kind"], row["account_idx"] = Kind.OPEN_ACCOUNT, account_idx
    rows, level_bps, profile = [row], opening_level_bps(kind), opening_profile(kind)
    if level_bps != MEMBER_LEVEL_BPS:
        rows.append(level_command(account_idx, level_bps))
    if profile != Profile.NONE:
        rows.append(profile_command(account_idx, profile))
    return np.concatenate(rows)


def _transfer(transfer: SentTransfer) -> np.ndarray:
    row = new_commands(1)
    row["kind"] = Kind.DEPOSIT if transfer.amount_usd_micros > 0 else Kind.WITHDRAW
    if transfer.to_account_idx is not None:
        row["kind"], row["order_id"] = Kind.SEND_CASH, transfer.to_account_idx
    row["account_idx"] = transfer.account_idx
    row["amount_usd_micros"] = abs(transfer.amount_usd_micros)
    row["ref_id"] = transfer.ref_id
    return row


def _key(row: np.ndarray) -> tuple[bool, int]:
    """Return which row of the outbox a command carries out."""
    is_account = int(row["kind"][0]) == Kind.OPEN_ACCOUNT
    return is_account, int(row["account_idx" if is_account else "ref_id"][0])


def _waits(error: Exception) -> None:
    _log.warning("outbox_waits", error=str(error))
