"""Observations in Postgres: rows are added by one writer at a time, and never changed.

A batch of rows is one transaction: what is new goes to the end of the chain, what is there already
is recognised, everything else is quarantined. Killed in between, it is as if it never began.
"""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import asyncpg

from exchange.io.db import LOST, queries
from exchange.io.errors import Conflict, DatabaseUnavailable
from exchange.io.store import Store, to_ns
from exchange.rules.observation_rows import Bad
from exchange.rules.observations import EMPTY, TEXT_MAX, Draft, Head, Offer, Reason, chained

TOGETHER: Final = 250  # rows in one transaction: others wait for it a few milliseconds
PAGE: Final = 2_000
ID_MAX: Final = (1 << 62) - 1
NAME_MAX: Final = 200

_SQL: Final = queries("observations")


class SubmissionRepeated(Conflict):
    """A signature that was recorded before."""


class Signed(NamedTuple):
    """What a provider signed, and with which key."""

    key_id: str
    message: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How rows came: `via` shipped, file, fetch, submission or registry."""

    via: str
    name: str
    signed: Signed | None = None


class RowAnswer(NamedTuple):
    """What became of one row."""

    status: str  # accepted, duplicate, quarantined
    number: int | None  # in the chain; of a duplicate that of the row that is there
    reason: Reason | None = None
    detail: str = ""


@dataclass(slots=True)
class Outcome:
    """What became of rows, in their order; only counted when there are many."""

    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0

    def add(self, answers: Iterable[RowAnswer]) -> None:
        """Count more rows."""
        for one in answers:
            self.accepted += one.status == ACCEPTED
            self.duplicates += one.status == DUPLICATE
            self.quarantined += one.status == QUARANTINED


ACCEPTED: Final = "accepted"
DUPLICATE: Final = "duplicate"
QUARANTINED: Final = "quarantined"


class Quarantined(NamedTuple):
    """A row that was not taken, and how it came."""

    quarantine_id: int
    source: str
    reason: str
    detail: str
    raw: str
    via: str
    name: str
    recorded_at_ns: int


class Observations(Protocol):
    """The chain of observations, as the API needs it."""

    async def record(self, rows: Sequence[Draft | Bad], batch: Batch) -> list[RowAnswer]:
        """Add what is new; say of each row what became of it."""
        ...

    async def head(self) -> Head:
        """Return the end of the chain."""
        ...

    async def newest(
        self, *, before: int = ID_MAX, sku: str | None = None, hub: str | None = None,
        provider: str | None = None, source: str | None = None, limit: int = 100,
    ) -> list[Offer]:  # fmt: skip
        """Return observations, newest first."""
        ...

    async def rows(self, after: int, until: int = ID_MAX, limit: int = PAGE) -> list[Offer]:
        """Return observations in the order of the chain."""
        ...

    async def quarantine(
        self, *, before: int = ID_MAX, reason: str | None = None, limit: int = 100
    ) -> list[Quarantined]:
        """Return rows that were not taken, newest first."""
        ...


class PostgresObservations(Store):
    """The chain of observations."""

    async def record(self, rows: Sequence[Draft | Bad], batch: Batch) -> list[RowAnswer]:
        """Add what is new; say of each row what became of it.

        A batch in which nothing is new leaves no trace, unless it is signed.

        Errors:
            SubmissionRepeated: the same signature was recorded before.
            DatabaseUnavailable: nothing was recorded.
        """
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                return await _record(connection, rows, batch)
        except asyncpg.UniqueViolationError as error:
            if batch.signed is None:
                raise
            raise SubmissionRepeated("these rows were submitted with this signature") from error
        except LOST as error:
            raise DatabaseUnavailable(f"the database does not answer: {error!r}") from error

    async def head(self) -> Head:
        """Return the end of the chain."""
        row = await self._row(_SQL["head"])
        return Head(*row) if row else EMPTY

    async def newest(
        self, *, before: int = ID_MAX, sku: str | None = None, hub: str | None = None,
        provider: str | None = None, source: str | None = None, limit: int = 100,
    ) -> list[Offer]:  # fmt: skip
        """Return observations, newest first; of one model, hub, provider or source where given."""
        wanted = (sku, hub, provider, source)
        found = await self._rows(_SQL["newest"], min(before, ID_MAX), *wanted, limit)
        return [Offer(*row) for row in found]

    async def rows(self, after: int, until: int = ID_MAX, limit: int = PAGE) -> list[Offer]:
        """Return the observations after a number, in the order of the chain."""
        return [Offer(*row) for row in await self._rows(_SQL["rows"], after, until, limit)]

    async def all_rows(self, after: int = 0, until: int = ID_MAX) -> AsyncIterator[Offer]:
        """Yield the whole chain after a number, in order."""
        while found := await self.rows(after, until):
            for one in found:
                yield one
            after = found[-1].number

    async def quarantine(
        self, *, before: int = ID_MAX, reason: str | None = None, limit: int = 100
    ) -> list[Quarantined]:
        """Return rows that were not taken, newest first."""
        found = await self._rows(_SQL["quarantine"], min(before, ID_MAX), reason, limit)
        return [Quarantined(*(*tuple(row)[:7], to_ns(row["recorded_at"]))) for row in found]

    async def reasons(self) -> dict[str, int]:
        """Return how many rows are quarantined for each reason."""
        return {row[0]: row[1] for row in await self._rows(_SQL["reasons"])}


async def _record(
    connection: asyncpg.Connection, rows: Sequence[Draft | Bad], batch: Batch
) -> list[RowAnswer]:
    await connection.execute(_SQL["lock"])
    row = await connection.fetchrow(_SQL["head"])
    head = Head(*row) if row else EMPTY
    drafts = [one for one in rows if isinstance(one, Draft)]
    fresh, answers, bads = _sorted(rows, await _known(connection, drafts), head)
    new_bads = await _unknown_bads(connection, bads)
    if fresh or new_bads or batch.signed:
        batch_id = await _add_batch(connection, batch, head, answers, len(fresh), len(new_bads))
        if fresh:
            offers = list(chained(fresh, head))
            await connection.execute(_SQL["add"], *_columns(offers))
        if new_bads:
            columns = _columns([(*one, one.digest) for one in new_bads])
            await connection.execute(_SQL["add_bad"], batch_id, *columns)
    return answers


Key = tuple[str | int, ...]


def _sorted(
    rows: Sequence[Draft | Bad], known: dict[Key, tuple[int, int]], head: Head
) -> tuple[list[Draft], list[RowAnswer], list[Bad]]:
    """Return what is new, what to say of each row, and what is quarantined.

    Args:
        known: price and number of what is recorded, by its key; gets what is new.
    """
    fresh: list[Draft] = []
    answers: list[RowAnswer] = []
    bads: list[Bad] = []
    for row in rows:
        if isinstance(row, Draft):
            price, number = known.get(row.key, (None, 0))
            if price is None:
                fresh.append(row)
                number = head.number + len(fresh)
                known[row.key] = (row.price_usd_micros, number)
                answers.append(RowAnswer(ACCEPTED, number))
                continue
            if price == row.price_usd_micros:
                answers.append(RowAnswer(DUPLICATE, number))
                continue
            row = contradicting(row, number)
        bads.append(row)
        answers.append(RowAnswer(QUARANTINED, None, row.reason, row.detail))
    return fresh, answers, bads


def contradicting(draft: Draft, number: int) -> Bad:
    """Return a row whose offer stands at another price of the same moment."""
    detail = f"observation {number} is the same offer of the same moment at another price"
    source = json.dumps(draft.source)[1:-1][:TEXT_MAX]
    return Bad(source, Reason.CONTRADICTS, detail, json.dumps(draft._asdict()))


async def _known(
    connection: asyncpg.Connection, drafts: Sequence[Draft]
) -> dict[Key, tuple[int, int]]:
    if not drafts:
        return {}
    rows = await connection.fetch(_SQL["known"], *_columns([one.key for one in drafts]))
    return {tuple(row)[:-2]: (row["price_usd_micros"], row["number"]) for row in rows}


async def _unknown_bads(connection: asyncpg.Connection, bads: Sequence[Bad]) -> list[Bad]:
    by_digest = {one.digest: one for one in bads}
    known = await connection.fetch(_SQL["known_bad"], list(by_digest)) if by_digest else []
    for row in known:
        del by_digest[row["digest"]]
    return list(by_digest.values())


async def _add_batch(
    connection: asyncpg.Connection,
    batch: Batch,
    head: Head,
    answers: Sequence[RowAnswer],
    accepted: int,
    quarantined: int,
) -> int:
    signed: tuple[Any, ...] = batch.signed or (None, None, None)
    counts = (accepted, len(answers) - accepted - quarantined, quarantined)
    batch_id: int = await connection.fetchval(
        _SQL["add_batch"], batch.via, batch.name[:NAME_MAX], *signed, head.number + 1, *counts
    )
    return batch_id


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
