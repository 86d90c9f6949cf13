"""Corrections of settlements in Postgres: proposed by one operator, approved by another."""

import json
from typing import Any, Final, NamedTuple

import asyncpg

from exchange.io.db import queries
from exchange.io.errors import IdempotencyConflict
from exchange.io.store import Store
from exchange.rules.settlement_correction import Change, changes_of, changes_out

ID_MAX: Final = (1 << 63) - 1

_SQL: Final = queries("settlement_corrections")


class CorrectionGoing(Exception):
    """One correction of this moment is under way already."""


class Correction(NamedTuple):
    """A correction, and what became of it."""

    correction_id: int
    client_key: str  # the asker's own name for it: asking twice proposes it once
    due_ns: int  # the moment whose settlement was wrong
    revises: str  # the run that it begins from
    changes: list[Change]
    reason: str
    proposed_by: str  # the account of the operator's key
    approved_by: str | None
    status: str  # proposed, approved, done, refused, withdrawn
    run: str  # what it led to, "" before
    code: int | None
    created_ns: int
    updated_ns: int


class Proposed(NamedTuple):
    """What is asked for."""

    client_key: str
    due_ns: int
    revises: str
    changes: list[Change]
    reason: str
    proposed_by: str


class Corrections(Store):
    """The door to corrections."""

    async def base(self, due_ns: int, contract_idx: int) -> str | None:
        """Return the run that a contract's price of a moment is to be corrected from."""
        found: str | None = await self._value(_SQL["base"], due_ns, contract_idx)
        return found

    async def propose(self, asked: Proposed, now_ns: int) -> Correction:
        """Write a proposal; the same `client_key` again returns what it made.

        Errors:
            CorrectionGoing: another one of this moment has not ended.
            IdempotencyConflict: the key was used for something else.
        """
        body = json.dumps(changes_out(asked.changes))
        cells = (*asked[:3], body, asked.reason, asked.proposed_by, now_ns)
        before = await self._row(_SQL["by_key"], asked.client_key)
        if before is None:
            try:
                row = await self._row(_SQL["propose"], *cells)
            except asyncpg.UniqueViolationError as error:
                raise CorrectionGoing("another correction of this day is under way") from error
            if row is not None:
                return _correction(row)
            before = await self._row(_SQL["by_key"], asked.client_key)
        assert before is not None, "what is there is never deleted"
        found = _correction(before)
        if (found.due_ns, found.changes, found.reason) != (
            asked.due_ns, asked.changes, asked.reason
        ):  # fmt: skip
            raise IdempotencyConflict(f"{asked.client_key!r} was used for something else")
        return found

    async def get(self, correction_id: int) -> Correction | None:
        """Return a correction."""
        row = await self._row(_SQL["get"], correction_id)
        return _correction(row) if row else None

    async def page(self, before_id: int | None, limit: int) -> list[Correction]:
        """Return corrections, newest first."""
        before = ID_MAX if before_id is None else before_id
        return [_correction(row) for row in await self._rows(_SQL["page"], before, limit)]

    async def approve(self, correction_id: int, who: str, now_ns: int) -> bool:
        """Approve what another operator proposed; False when that is not possible (any more)."""
        return await self._row(_SQL["approve"], correction_id, who, now_ns) is not None

    async def withdraw(self, correction_id: int, now_ns: int) -> bool:
        """Withdraw what nobody has approved; False when that is not possible (any more)."""
        return await self._row(_SQL["withdraw"], correction_id, now_ns) is not None

    async def approved(self) -> list[Correction]:
        """Return what is to be carried out, oldest first."""
        return [_correction(row) for row in await self._rows(_SQL["approved"])]

    async def corrected(self, run_id: str) -> set[int]:
        """Return the contracts that a run has corrected, as far as clearing has followed."""
        return {row[0] for row in await self._rows(_SQL["corrected"], run_id)}

    async def cleared_seq(self) -> int:
        """Return how far clearing has followed."""
        return int(await self._value(_SQL["cleared_seq"]) or 0)

    async def ended(
        self, correction_id: int, status: str, run_id: str, code: int | None, now_ns: int
    ) -> None:
        """Write how it ended; the first end stays."""
        await self._rows(_SQL["ended"], correction_id, status, run_id, code, now_ns)

    async def overdue(self, due_before_ns: int, code: int, now_ns: int) -> None:
        """End proposals of moments before one: nobody agreed in time."""
        await self._rows(_SQL["overdue"], due_before_ns, code, now_ns)


def _correction(row: Any) -> Correction:
    cells = dict(row)
    cells["changes"] = changes_of(json.loads(cells["changes"]))
    return Correction(**cells)
