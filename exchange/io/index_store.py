"""The published index in Postgres: prints, what they follow from, committee values, errata."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple, Protocol

import asyncpg

from exchange.io.db import LOST, queries
from exchange.io.errors import Conflict, DatabaseUnavailable
from exchange.io.store import Store, to_ns
from exchange.rules.index.history import Values
from exchange.rules.index.names import Value
from exchange.rules.index.prints import EMPTY, Head, Print, State
from exchange.rules.index.replay import Group, Published

TOGETHER: Final = 2_000
ID_MAX: Final = (1 << 62) - 1
DAY_FIRST: Final = date(2015, 1, 1)
DAY_LAST: Final = date(9999, 12, 30)
VOTES: Final = 2  # operators that say the same

_SQL: Final = queries("index")


class DayIsFinal(Conflict):
    """The prints of a day are final: nothing about it is decided any more."""


class AlreadySaid(Conflict):
    """An operator said something else about this name and day before."""


class PrintRow(NamedTuple):
    """A print as it is stored."""

    print: Print
    published_at_ns: int

    @property
    def price_usd_micros(self) -> int:
        """USD per GPU-hour, in millionths."""
        return self.print.price_usd_micros

    @property
    def day(self) -> date:
        """The UTC day it is of."""
        return self.print.day

    @property
    def is_final(self) -> bool:
        """Whether it stays as it is for ever."""
        return self.print.state == State.FINAL


class Explained(NamedTuple):
    """All revisions of a name's day, and what the newest follows from."""

    revisions: list[PrintRow]
    document: dict[str, Any]


class Erratum(NamedTuple):
    """What a final print would have been, had all been known that is known now."""

    erratum_id: int
    name: str
    day: date
    published_usd_micros: int
    corrected_usd_micros: int
    observed_to: int
    found_at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an operator says a print is, where there is no quorum."""

    name: str
    day: date
    price_usd_micros: int
    reason: str
    said_by: str


class Index(Protocol):
    """The published index, as the API needs it."""

    async def latest(self, since: date = DAY_FIRST) -> list[PrintRow]:
        """Return the newest print of every name."""
        ...

    async def prints(self, name: str, first: date, last: date) -> list[PrintRow]:
        """Return the newest revision of each day, oldest first, both ends included."""
        ...

    async def newest(
        self, name: str, *, first: date = DAY_FIRST, before: date = DAY_LAST, limit: int = 100
    ) -> list[PrintRow]:
        """Return the newest revision of each day, newest first."""
        ...

    async def explained(self, name: str, day: date) -> Explained | None:
        """Return how a print came about."""
        ...

    async def chain(self, after: int, limit: int) -> list[Print]:
        """Return prints of all names in the order of their chain."""
        ...

    async def errata(self, *, before: int = ID_MAX, limit: int = 100) -> list[Erratum]:
        """Return errata, newest first."""
        ...

    async def say(self, said: Said) -> int:
        """Record what an operator says; return how many say the same."""
        ...


class PostgresIndex(Store):
    """The published index."""

    async def latest(self, since: date = DAY_FIRST) -> list[PrintRow]:
        """Return the newest print of every name, in order of name."""
        return [_row(one) for one in await self._rows(_SQL["latest"], since)]

    async def prints(self, name: str, first: date, last: date) -> list[PrintRow]:
        """Return the newest revision of each day, oldest first, both ends included."""
        return [_row(one) for one in await self._rows(_SQL["prints"], name, first, last)]

    async def newest(
        self, name: str, *, first: date = DAY_FIRST, before: date = DAY_LAST, limit: int = 100
    ) -> list[PrintRow]:
        """Return the newest revision of each day, newest first."""
        rows = await self._rows(_SQL["prints_newest"], name, first, before, limit)
        return [_row(one) for one in rows]

    async def explained(self, name: str, day: date) -> Explained | None:
        """Return how a print came about."""
        rows = [_row(one) for one in await self._rows(_SQL["revisions"], name, day)]
        if not rows:
            return None
        document = await self._value(_SQL["document"], rows[-1].print.inputs)
        return Explained(rows, json.loads(document))

    async def chain(self, after: int, limit: int) -> list[Print]:
        """Return prints of all names behind a position, in the order of their chain."""
        rows = await self._rows(_SQL["rows"], min(after, ID_MAX), limit)
        return [_row(one).print for one in rows]

    async def errata(self, *, before: int = ID_MAX, limit: int = 100) -> list[Erratum]:
        """Return errata, newest first."""
        rows = await self._rows(_SQL["errata"], min(before, ID_MAX), limit)
        return [Erratum._make((*tuple(row)[:-1], to_ns(row["found_at"]))) for row in rows]

    async def ends(self) -> tuple[date | None, date | None]:
        """Return the newest day that is final, and the newest that is provisional."""
        row = await self._row(_SQL["ends"])
        assert row is not None, "an aggregate always has a row"
        return row["final_day"], row["provisional_day"]

    async def observed(self) -> int:
        """Return the number of the newest observation, 0 when there is none."""
        return int(await self._value(_SQL["observed"]))

    async def say(self, said: Said) -> int:
        """Record what an operator says; return how many say the same. Safe to repeat.

        Errors:
            DayIsFinal: it comes too late.
            AlreadySaid: the same operator said another price before.
        """
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                return await _say(connection, said)
        except LOST as error:
            raise DatabaseUnavailable(f"the database does not answer: {error!r}") from error


async def _say(connection: asyncpg.Connection, said: Said) -> int:
    await connection.execute(_SQL["lock"])
    if await connection.fetchval(_SQL["is_final"], said.day):
        raise DayIsFinal(f"the prints of {said.day} are final")
    await connection.fetchval(
        _SQL["say"], said.name, said.day, said.price_usd_micros, said.reason, said.said_by
    )
    rows = [r for r in await connection.fetch(_SQL["said"], said.name) if r["day"] == said.day]
    own = next(row for row in rows if row["said_by"] == said.said_by)
    if own["price_usd_micros"] != said.price_usd_micros:
        raise AlreadySaid(f"{said.said_by} said another price for {said.name} {said.day}")
    return sum(row["price_usd_micros"] == said.price_usd_micros for row in rows)


class IndexWriter:
    """Reads all of it and adds to it, inside one transaction; one writer at a time."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def lock(self) -> None:
        """Wait until nobody else writes; until the transaction ends."""
        await self._connection.execute(_SQL["lock"])

    async def head(self) -> Head:
        """Return the end of the chain."""
        row = await self._connection.fetchrow(_SQL["head"])
        return Head(*row) if row else EMPTY

    async def groups(self) -> list[Group]:
        """Return what was published together, in that order."""
        rows = await self._connection.fetch(_SQL["groups"])
        return [Group(row[0], State(row[1]), row[2], row[3]) for row in rows]

    async def prints(self) -> list[Print]:
        """Return all prints in the order of the chain."""
        found: list[Print] = []
        while rows := await self._connection.fetch(_SQL["rows"], len(found) and found[-1].position,
                                                   TOGETHER):  # fmt: skip
            found += [_row(row).print for row in rows]
        return found

    async def documents(self) -> dict[str, dict[str, Any]]:
        """Return everything that prints follow from, by its hash."""
        found: dict[str, dict[str, Any]] = {}
        after = ""
        while rows := await self._connection.fetch(_SQL["documents"], after, TOGETHER):
            found |= {row["inputs"]: json.loads(row["document"]) for row in rows}
            after = rows[-1]["inputs"]
        return found

    async def values(self) -> Values:
        """Return the committee values that two operators have said (INDX_016)."""
        return decided(
            Said(name=row["name"], day=row["day"], price_usd_micros=row["price_usd_micros"],
                 reason=row["reason"], said_by=row["said_by"])
            for row in await self._connection.fetch(_SQL["said"], None)
        )  # fmt: skip

    async def add(self, published: Sequence[Published]) -> None:
        """Add prints to the end of the chain, with what they follow from."""
        for at in range(0, len(published), TOGETHER):
            await self._add(published[at : at + TOGETHER])

    async def _add(self, published: Sequence[Published]) -> None:
        by_inputs = {row.inputs: document for row, document in published}
        known = await self._connection.fetch(_SQL["known_documents"], list(by_inputs))
        for row in known:
            del by_inputs[row["inputs"]]
        documents = [json.dumps(document) for document in by_inputs.values()]
        await self._connection.execute(_SQL["add_documents"], list(by_inputs), documents)
        rows = [
            row._replace(explanation=json.dumps(dict(row.explanation)))  # type: ignore[arg-type]
            for row, _ in published
        ]
        columns = [list(column) for column in zip(*rows, strict=True)]
        await self._connection.execute(_SQL["add_prints"], *columns)

    async def add_errata(self, found: Sequence[tuple[str, date, int, int, int]]) -> int:
        """Record errata that are not recorded yet; return how many."""
        if not found:
            return 0
        columns = [list(column) for column in zip(*found, strict=True)]
        return len(await self._connection.fetch(_SQL["add_errata"], *columns))


def decided(said: Iterable[Said]) -> Values:
    """Return the values that two operators have said, with who and why: the first such ones.

    Args:
        said: in the order in which it was said.
    """
    by_price: dict[tuple[str, date, int], list[Said]] = {}
    found: dict[tuple[str, date], Value] = {}
    for one in said:
        voters = by_price.setdefault((one.name, one.day, one.price_usd_micros), [])
        voters.append(one)
        if len(voters) == VOTES:
            value = Value(one.price_usd_micros, tuple((v.said_by, v.reason) for v in voters))
            found.setdefault((one.name, one.day), value)
    return found


def _row(row: Mapping[str, Any]) -> PrintRow:
    values = {name: row[name] for name in Print._fields}
    values["explanation"] = json.loads(values["explanation"])
    return PrintRow(Print(**values), to_ns(row["published_at"]))
