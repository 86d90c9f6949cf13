"""Corrections of settlements: carries out what two operators agreed on, once, while it is time.

It runs in the leader's process and remembers nothing that matters: what a correction has still to
do is the difference between what its run says and what the exchange has. The command says which
price it replaces, so the core takes each once; killed anywhere, the next process sends the rest.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import numpy as np

from exchange.io.clock import Clock
from exchange.io.errors import Unavailable
from exchange.io.settlement_corrections import Correction
from exchange.rules.mirror_state import MirrorState
from exchange.rules.operations import correct_command
from exchange.rules.settlement_correction import Corrected, corrected_run, corrections
from exchange.rules.settlement_final import final_ns
from exchange.rules.settlement_run import Note, SettlementRun
from exchange.rules.tenors import NS_PER_DAY, NS_PER_SECOND
from matching.codes import Code, TradingState

Send = Callable[[np.ndarray], Awaitable[None]]

LOOK_S: Final = 1.0
RESEND_NS: Final = 5 * NS_PER_SECOND  # a command not seen in the journal by then was lost
OPEN_NS: Final = 2 * NS_PER_DAY  # no settlement that is older can be corrected

_log = logging.getLogger("wellhead.corrections")


class Rows(Protocol):
    """What was agreed on: `exchange.io.settlement_corrections.Corrections`."""

    async def approved(self) -> list[Correction]:
        """Return what is to be carried out, oldest first."""
        ...

    async def corrected(self, run_id: str) -> set[int]:
        """Return the contracts that a run has corrected, as far as clearing has followed."""
        ...

    async def cleared_seq(self) -> int:
        """Return how far clearing has followed."""
        ...

    async def ended(
        self, correction_id: int, status: str, run_id: str, code: int | None, now_ns: int
    ) -> None:
        """Write how it ended; the first end stays."""
        ...

    async def overdue(self, due_before_ns: int, code: int, now_ns: int) -> None:
        """End proposals of moments before one: nobody agreed in time."""
        ...


class Runs(Protocol):
    """What settlement prices come from: `exchange.io.settlements.SettlementInputs`."""

    async def run(self, run_id: str) -> SettlementRun | None:
        """Return what the prices of a moment come from."""
        ...

    async def keep(self, run: SettlementRun) -> None:
        """Write what the prices of a moment come from; again it changes nothing."""
        ...


def run_of(base: SettlementRun, one: Correction) -> SettlementRun:
    """Return the run that an approved correction leads to."""
    note = Note(one.revises, one.reason, (one.proposed_by, one.approved_by or ""))
    return corrected_run(base, one.changes, note)


def why_not(mirror: MirrorState, one: Corrected, due_ns: int, now_ns: int) -> Code:
    """Return why a price cannot be corrected now, OK if it can (CORR_003)."""
    contract = mirror.contracts[one.settled.contract_idx]
    if now_ns >= final_ns(due_ns):
        return Code.SETTLEMENT_FINAL
    if contract.state == TradingState.EXPIRED:
        return Code.CONTRACT_EXPIRED
    if contract.delivery.phase:
        return Code.CONTRACT_IN_DELIVERY
    if contract.settle_ticks != one.replaced_ticks:
        return Code.SETTLEMENT_MOVED
    return Code.OK


class CorrectionDesk:
    """Works from what is stored, until cancelled."""

    def __init__(
        self, rows: Rows, runs: Runs, mirror: MirrorState, send: Send, clock: Clock
    ) -> None:
        self._rows = rows
        self._runs = runs
        self._mirror = mirror
        self._send = send
        self._clock = clock
        self._sent: dict[str, int] = {}  # when a run's commands were sent last
        # By run and contract, since its price is there: up to where clearing has to follow.
        self._waits: dict[tuple[str, int], int] = {}

    async def run(self) -> None:
        """Look every second."""
        while True:
            try:
                await self.step()
            except (Unavailable, TimeoutError) as error:
                _log.warning("corrections go on later: %s", error)
            await asyncio.sleep(LOOK_S)

    async def step(self) -> None:
        """Carry out what is agreed on, as far as it is not done.

        Errors:
            Unavailable: the next step does what is left.
        """
        now_ns = self._clock.now_ns()
        await self._rows.overdue(now_ns - OPEN_NS, int(Code.SETTLEMENT_FINAL), now_ns)
        for one in await self._rows.approved():
            await self._work(one, now_ns)

    async def _work(self, one: Correction, now_ns: int) -> None:
        base = await self._runs.run(one.revises)
        assert base is not None, "the proposal was made from it, and nothing of it is deleted"
        run = run_of(base, one)
        wanted = corrections(base, run)
        cleared = await self._rows.cleared_seq()
        done = await self._rows.corrected(run.run_id)
        left = [each for each in wanted if each.settled.contract_idx not in done]
        # A price that is there already may be this run's or another's: clearing says which.
        seqs = [
            self._waits.setdefault((run.run_id, each.settled.contract_idx), self._mirror.seq)
            for each in left
            if self._is_there(each)
        ]
        if seqs and cleared < max(seqs):
            return
        blocked = {each: why_not(self._mirror, each, run.due_ns, now_ns) for each in left}
        open_ones = [each for each, code in blocked.items() if code == Code.OK]
        if open_ones:
            await self._correct(run, open_ones, now_ns)
            return
        code = next(iter(blocked.values()), None)
        status = "refused" if len(left) == len(wanted) else "done"
        await self._rows.ended(
            one.correction_id, status, run.run_id if status == "done" else "",
            None if code is None else int(code), now_ns,
        )  # fmt: skip
        self._sent.pop(run.run_id, None)
        for each in wanted:
            self._waits.pop((run.run_id, each.settled.contract_idx), None)
        _log.info("correction %d of %s: %s", one.correction_id, one.revises[:16], status)

    def _is_there(self, one: Corrected) -> bool:
        contract = self._mirror.contracts[one.settled.contract_idx]
        return contract.settle_ticks == one.settled.price_ticks

    async def _correct(self, run: SettlementRun, open_ones: list[Corrected], now_ns: int) -> None:
        """Send all in one batch: who owes pays before anybody is paid."""
        if now_ns - self._sent.get(run.run_id, 0) < RESEND_NS:
            return
        await self._runs.keep(run)  # before the journal says its name
        until_ns = final_ns(run.due_ns)
        rows = [
            correct_command(each.settled, each.replaced_ticks, run.due_ns, until_ns, run.run_id)
            for each in open_ones
        ]
        await self._send(np.concatenate(rows))
        self._sent[run.run_id] = now_ns
