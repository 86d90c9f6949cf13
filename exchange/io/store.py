"""What every table's door needs: queries whose failures have our names, and times as integers."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

from exchange.io.db import LOST
from exchange.io.errors import DatabaseUnavailable, Invalid

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_STORABLE: Final = re.compile(r"[^\0\ud800-\udfff]*")


class Store:
    """A door to some tables."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def _rows(self, query: str, *args: object) -> list[asyncpg.Record]:
        try:
            rows: list[asyncpg.Record] = await self._pool.fetch(query, *args)
        except LOST as error:
            raise DatabaseUnavailable(f"the database does not answer: {error!r}") from error
        return rows

    async def _row(self, query: str, *args: object) -> asyncpg.Record | None:
        rows = await self._rows(query, *args)
        return rows[0] if rows else None

    async def _value(self, query: str, *args: object) -> Any:
        row = await self._row(query, *args)
        return row[0] if row else None

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """Run what is inside in one transaction."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                yield connection
        except LOST as error:
            raise DatabaseUnavailable(f"the database does not answer: {error!r}") from error


def storable(text: str, length_max: int, name: str) -> str:
    """Return the text if Postgres can hold it.

    Errors:
        Invalid: too long, or with a NUL or half a surrogate pair.
    """
    if len(text) > length_max or not _STORABLE.fullmatch(text):
        raise Invalid(f"{name} must be a text of at most {length_max} characters")
    return text


def to_ns(moment: datetime) -> int:
    """Return a time of Postgres as nanoseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND * 1000


def to_ns_or_none(moment: datetime | None) -> int | None:
    """Return a time as nanoseconds, None for none."""
    return None if moment is None else to_ns(moment)


def from_ns(ns: int, name: str) -> datetime:
    """Return nanoseconds as Postgres wants them.

    Errors:
        Invalid: beyond the years that a date can have.
    """
    try:
        return _EPOCH + timedelta(microseconds=ns // 1000)
    except OverflowError as error:
        raise Invalid(f"{name} is not a time: {ns}") from error
