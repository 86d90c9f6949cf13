"""Webhooks in Postgres, for who delivers: fill the queue of each hook, empty it in order.

Both are safe to be killed in. The queue is filled in the transaction that removes the notes it is
filled from, or moves the place in the journal; a delivery waits until its answer is written.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import asyncpg

from exchange.io.db import queries
from exchange.io.errors import Conflict
from exchange.io.secret_box import SecretBox
from exchange.io.store import Store
from exchange.rules import webhook_data as data
from exchange.rules.webhooks import (
    CLEARED,
    OLD_SECRET_NS,
    WAITING_MAX,
    Happening,
    HookEvent,
    Listening,
    told,
)

NOTES_TOGETHER: Final = 500
COMMANDS_TOGETHER: Final = 20_000  # of the journal, read at once
DUE_TOGETHER: Final = 64
FORGET_TOGETHER: Final = 20_000
ERROR_LENGTH_MAX: Final = 200
DELIVERED: Final = "delivered"
WAITING: Final = "waiting"

_SQL: Final = queries("webhooks")


class Due(NamedTuple):
    """A hook whose next delivery may go now."""

    webhook_id: str
    account_id: str
    url: str
    secrets: tuple[bytes, ...]  # each signs
    failures: int


class Waiting(NamedTuple):
    """A delivery that waits."""

    delivery_id: int
    event: str
    data: str
    created_ns: int


class Tried(NamedTuple):
    """What came of an attempt."""

    is_good: bool
    http_status: int | None
    latency_ms: int
    error: str
    at_ns: int


class Figures(NamedTuple):
    """How well webhooks are delivered."""

    active: int = 0  # hooks
    parked: int = 0
    waiting: int = 0  # deliveries
    oldest_ns: int = 0  # when the first of them that an active hook waits for was written
    dropped: int = 0  # for want of room, since each hook was made
    notes: int = 0  # that no delivery was made of
    behind: int = 0  # commands that clearing wrote down and nobody was told of


class Queue(Store):
    """The queues of all hooks; one process at a time works on them."""

    def __init__(self, pool: asyncpg.Pool, box: SecretBox) -> None:
        super().__init__(pool)
        self._box = box

    async def any(self) -> bool:
        """Say whether there is any hook."""
        return bool(await self._value(_SQL["any"]))

    async def figures(self) -> Figures:
        """Return how well webhooks are delivered."""
        row = await self._row(_SQL["figures"])
        assert row is not None, "it is a row of sums"
        return Figures(*row)

    async def fill(self, now_ns: int) -> bool:
        """Write deliveries of what has happened; return whether there may be more."""
        more = await self._fill_of_notes(now_ns)
        return await self._fill_of_journal(now_ns) or more

    async def _fill_of_notes(self, now_ns: int) -> bool:
        async with self._transaction() as connection:
            notes = await connection.fetch(_SQL["take_notes"], NOTES_TOGETHER)
            happenings = [
                data.of_note(row["event"], row["account_idx"], json.loads(row["body"]))
                for row in notes
            ]
            if notes:
                await _write(connection, await _hooks(connection), happenings, now_ns)
        return bool(notes)

    async def _fill_of_journal(self, now_ns: int) -> bool:
        """Read what clearing has written since; the place is moved in the same transaction.

        Whoever makes a hook holds the place while its begin is read (`lock_place`): it is seen
        here, or begins behind what is read here. What is read together ends at a begin.

        Errors:
            Conflict: another process moved it.
        """
        async with self._transaction() as connection:
            own, posted = await connection.fetchrow(_SQL["places"])
            if posted <= own:
                return False
            hooks = await _hooks(connection)
            listening = [hook for hook in hooks if hook.events & CLEARED]
            first = min((hook.from_seq for hook in listening), default=posted)
            after = max(own, min(first, posted))
            begins = [hook.from_seq for hook in listening if hook.from_seq > after]
            until = min(posted, after + COMMANDS_TOGETHER, *begins)
            if until <= own:
                return False
            if await connection.fetchval(_SQL["move"], own, until) is None:
                raise Conflict("another process delivers webhooks")
            found: list[Happening] = []
            for event in sorted(CLEARED):
                accounts = sorted({h.account_idx for h in listening if event in h.events})
                if accounts:
                    found += await cleared(connection, event, accounts, after, until)
            await _write(connection, listening, found, now_ns)
        return bool(until < posted)

    async def due(self, now_ns: int, going: Sequence[str]) -> list[Due]:
        """Return hooks whose next delivery may go, without those that are at it."""
        rows = await self._rows(_SQL["due"], now_ns, OLD_SECRET_NS, list(going), DUE_TOGETHER)
        return [
            Due(row["webhook_id"], row["account_id"], row["url"], self._secrets(row),
                row["failures"])
            for row in rows
        ]  # fmt: skip

    def _secrets(self, row: asyncpg.Record) -> tuple[bytes, ...]:
        sealed = (row["secret"], row["old_secret"])
        return tuple(self._box.open(one, row["webhook_id"]) for one in sealed if one)

    async def next(self, webhook_id: str) -> Waiting | None:
        """Return the oldest delivery that waits."""
        row = await self._row(_SQL["next"], webhook_id)
        return Waiting(*row) if row else None

    async def succeeded(self, due: Due, delivery_id: int, tried: Tried) -> None:
        """Write that a delivery was taken."""
        async with self._transaction() as connection:
            await connection.execute(_SQL["tried"], *_values(delivery_id, tried))
            await connection.execute(_SQL["well"], due.webhook_id, tried.at_ns)

    async def failed(
        self, due: Due, delivery_id: int, tried: Tried, retry_ns: int, *, parks: bool
    ) -> None:
        """Write that a delivery was not taken, and when it goes again, or that it is parked."""
        why = f"{due.failures + 1} failures in a row, the last: {tried.error}"[:ERROR_LENGTH_MAX]
        async with self._transaction() as connection:
            await connection.execute(_SQL["tried"], *_values(delivery_id, tried))
            await connection.execute(
                _SQL["failed"], due.webhook_id, tried.at_ns, retry_ns, parks, why, due.failures
            )

    async def forget(self, before_ns: int) -> None:
        """Remove what was delivered long ago, and what was written for a hook as it was removed."""
        await self._rows(_SQL["forget_removed"])
        await self._rows(_SQL["forget"], before_ns, FORGET_TOGETHER)


async def _hooks(connection: asyncpg.Connection) -> list[Listening]:
    """Return who listens; read after what is told, so that nobody who waits for it is missing."""
    return [
        Listening(row["webhook_id"], row["account_idx"], frozenset(row["events"]), row["from_seq"],
                  row["waiting_count"])
        for row in await connection.fetch(_SQL["listening"])
    ]  # fmt: skip


async def cleared(
    connection: asyncpg.Connection, event: str, accounts: list[int], after: int, until: int
) -> Iterable[Happening]:
    """Return what clearing wrote of an event."""
    rows = await connection.fetch(_SQL[_TABLES[event]], accounts, after, until)
    if event == HookEvent.FILL:
        return data.gathered(HookEvent.FILL, "fills", rows, data.fill)
    if event == HookEvent.SETTLEMENT:
        return data.gathered(HookEvent.SETTLEMENT, "settlements", rows, data.variation)
    shape = data.liquidation if event == HookEvent.LIQUIDATION else data.layer_use
    return data.each(HookEvent(event), rows, shape)


_TABLES: Final[dict[str, str]] = {
    HookEvent.FILL: "fills",
    HookEvent.SETTLEMENT: "variations",
    HookEvent.LIQUIDATION: "liquidations",
    HookEvent.DEFAULT: "layer_uses",
}


async def _write(
    connection: asyncpg.Connection,
    hooks: Iterable[Listening],
    happenings: Iterable[Happening],
    now_ns: int,
) -> None:
    """Write the deliveries of what has happened; who has no room is parked, and it is counted."""
    found = told(happenings, hooks)
    rows = [(*row, now_ns) for row in found.rows]
    if rows:
        await connection.executemany(_SQL["enqueue"], rows)
    for webhook_id, count in sorted(found.dropped.items()):
        why = f"{WAITING_MAX} deliveries wait"
        await connection.execute(_SQL["drop"], webhook_id, count, why)


def _values(delivery_id: int, tried: Tried) -> tuple[Any, ...]:
    status = DELIVERED if tried.is_good else WAITING
    error = tried.error.replace("\0", "")[:ERROR_LENGTH_MAX]
    return delivery_id, status, tried.http_status, tried.latency_ms, error, tried.at_ns
