"""Alerts in Postgres: what surveillance suspects, with its place in the journal, and notes."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from exchange.io.db import LOST, queries
from exchange.io.errors import Conflict, DatabaseUnavailable
from exchange.io.store import Store, to_ns
from exchange.rules.surveillance import Alert

_SQL: Final = queries("surveillance")
ID_MAX: Final = (1 << 62) - 1
JOURNAL: Final = "surveillance"  # how far the journal was read
SUBMISSIONS: Final = "submissions"  # how far the observations were
STATUSES: Final = ("open", "dismissed", "escalated")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSeen:
    """An alert as it is kept, with the last thing somebody said about it."""

    alert_id: int
    pattern: str
    subject: str
    symbol: str | None
    seqs: list[int]
    first_ns: int
    last_ns: int
    figures: Mapping[str, int]
    raised_ns: int
    status: str
    note: str | None
    noted_by: str | None


class Alerts(Store):
    """The door to alerts."""

    async def places(self) -> dict[str, int]:
        """Return how far journal and observations were read."""
        return {row["name"]: row["last_seq"] for row in await self._rows(_SQL["places"])}

    async def seq_before(self, seq: int, span_ns: int) -> int:
        """Return a command that is older than a span before another; 0 when there is none."""
        return int(await self._value(_SQL["seq_before"], seq, span_ns))

    async def owners(self, from_idx: int) -> dict[int, str]:
        """Return whose accounts are, from a slot on."""
        rows = await self._rows(_SQL["owners"], from_idx)
        return {row["account_idx"]: row["name"] for row in rows}

    async def write(self, place: str, before: int, after: int, alerts: Iterable[Alert]) -> None:
        """Write alerts and how far was read, in one transaction.

        Errors:
            Conflict: another process has moved the place.
            DatabaseUnavailable: the database does not answer; nothing is known of what was written.
        """
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                if await connection.fetchval(_SQL["move"], place, before, after) is None:
                    raise Conflict("another process reads the journal for surveillance")
                await connection.executemany(_SQL["insert"], map(_values, alerts))
        except LOST as error:
            raise DatabaseUnavailable(f"the database does not answer: {error!r}") from error

    async def alerts(
        self,
        *,
        before_id: int = ID_MAX,
        pattern: str | None = None,
        status: str | None = None,
        limit: int = 100,
    ) -> list[AlertSeen]:
        """Return alerts, newest first."""
        rows = await self._rows(_SQL["alerts"], before_id, pattern, status, limit, None)
        return [_seen(row) for row in rows]

    async def alert(self, alert_id: int) -> AlertSeen | None:
        """Return one alert."""
        row = await self._row(_SQL["alerts"], ID_MAX, None, None, 1, alert_id)
        return None if row is None else _seen(row)

    async def note(self, alert_id: int, status: str, note: str, by: str) -> bool:
        """Say what became of an alert; False when there is no such alert."""
        return await self._value(_SQL["note"], alert_id, status, note, by) is not None


def _values(alert: Alert) -> tuple[Any, ...]:
    return (
        alert.pattern.value, alert.subject, alert.contract_idx, list(alert.seqs), alert.seqs[-1],
        alert.first_ns, alert.last_ns, json.dumps(dict(alert.figures)),
    )  # fmt: skip


def _seen(row: asyncpg.Record) -> AlertSeen:
    given = dict(row)
    raised_ns = to_ns(given.pop("raised_at"))
    return AlertSeen(raised_ns=raised_ns, **(given | {"figures": json.loads(given["figures"])}))
