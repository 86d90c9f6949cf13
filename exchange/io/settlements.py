"""What settlement prices come from, in Postgres: kept before they are sent, read by anybody."""

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from exchange.io.db import queries
from exchange.io.store import Store
from exchange.rules.clearing_rows_life import AccrualRow
from exchange.rules.settlement_run import Note, SettlementRun, evidence_of, evidence_out

_SQL: Final = queries("settlements")


class PriceKept(NamedTuple):
    """A settlement price as the ledger has it."""

    contract_idx: int
    price_ticks: int
    rule: int
    source: int
    due_ns: int


def run_of_rows(rows: Sequence[Any], notes: Sequence[Any]) -> SettlementRun | None:
    """Return a run from its rows of (due_ns, body) and its note; None when there are none.

    Errors:
        ValueError: a body is no evidence.
    """
    if not rows:
        return None
    note = None
    if notes:
        revises, reason, said_by, agreed_by = notes[0]
        note = Note(revises, reason, (said_by, agreed_by))
    evidence = tuple(evidence_of(json.loads(row[1])) for row in rows)
    return SettlementRun(rows[0][0], evidence, note)


class SettlementInputs(Store):
    """The door to what settlement prices were reached from."""

    async def keep(self, run: SettlementRun) -> None:
        """Write what the prices of a moment come from; again it changes nothing."""
        bodies = [json.dumps(evidence_out(one)) for one in run.evidence]
        indices = [one.contract_idx for one in run.evidence]
        if run.note is not None:  # first: whoever finds the run finds its note
            await self._rows(_SQL["keep_note"], run.run_id, *run.note[:2], *run.note.by)
        await self._rows(_SQL["keep_run"], run.run_id, run.due_ns, indices, bodies)

    async def run(self, run_id: str) -> SettlementRun | None:
        """Return what the prices of a moment come from, None when nothing of that name is kept."""
        rows = await self._rows(_SQL["run"], run_id)
        return run_of_rows(rows, await self._rows(_SQL["note"], run_id))

    async def accruals(self, contract_idx: int) -> list[AccrualRow]:
        """Return the settlements of a contract in delivery, oldest first."""
        return [AccrualRow(*row) for row in await self._rows(_SQL["accruals"], contract_idx)]
