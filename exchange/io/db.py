"""Postgres: where it is, connections to it, and queries by name.

Migrations run as the owner. Everything else connects as `wellhead_app`, which may neither change
nor remove what must stay as it was written.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import asyncpg

from exchange.io.embedded import OWNER, EmbeddedPostgres
from exchange.io.errors import DatabaseUnavailable
from exchange.io.turns import give_way, take_short_turns

APP_ROLE: Final = "wellhead_app"
COMMAND_TIMEOUT_S: Final = 30.0
CONNECT_TIMEOUT_S: Final = 10.0

# What a lost, refused or slow connection looks like; anything else is our bug and is not caught.
LOST: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.InternalClientError,
    asyncpg.exceptions.PostgresSystemError,
    asyncpg.exceptions.ReadOnlySQLTransactionError,
)

_SQL_FOLDER: Final = Path(__file__).with_name("sql")
_NAME: Final = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Database:
    """Addresses of one database: for migrations, and for everything else."""

    owner_url: str
    app_url: str
    app_role: str | None  # the role to put on after connecting, if the address names another
    # How far the server's processes that work for us give way; None: they are not ours.
    nice: int | None = None

    @staticmethod
    def embedded(server: EmbeddedPostgres) -> "Database":
        """Return the addresses of an embedded server."""
        return Database(server.url(OWNER), server.url(APP_ROLE), None, nice=0)

    @staticmethod
    def running(app_url: str) -> "Database":
        """Return the addresses of an embedded server from that of the application."""
        return Database(app_url.replace(f"//{APP_ROLE}@", f"//{OWNER}@", 1), app_url, None)

    @staticmethod
    def external(url: str) -> "Database":
        """Return the addresses of a database of the operator's; we put the app's role on."""
        return Database(url, url, APP_ROLE)

    async def connect_owner(self) -> asyncpg.Connection:
        """Open a connection that may change tables.

        Errors:
            DatabaseUnavailable: the server does not answer, or refuses us.
        """
        try:
            return await asyncpg.connect(self.owner_url, timeout=CONNECT_TIMEOUT_S)
        except (*LOST, asyncpg.PostgresError) as error:
            raise DatabaseUnavailable(f"cannot connect to the database: {error}") from error

    async def connect(self, **settings: str) -> asyncpg.Connection:
        """Open a connection of the application.

        Errors:
            DatabaseUnavailable: the server does not answer, or refuses us.
        """
        try:
            connection = await asyncpg.connect(
                self.app_url,
                timeout=CONNECT_TIMEOUT_S,
                command_timeout=COMMAND_TIMEOUT_S,
                server_settings=self._settings(settings),
            )
        except (*LOST, asyncpg.PostgresError) as error:
            raise DatabaseUnavailable(f"cannot connect to the database: {error}") from error
        try:
            await self._give_way(connection)
        except BaseException:  # cancelled: nobody else knows of the connection
            connection.terminate()
            raise
        return connection

    async def pool(self, *, size_max: int = 8) -> asyncpg.Pool:
        """Open a pool of connections of the application.

        Errors:
            DatabaseUnavailable: the server does not answer, or refuses us.
        """
        try:
            pool = await asyncpg.create_pool(
                self.app_url,
                min_size=0,  # nothing is opened again before it is needed
                max_size=size_max,
                timeout=CONNECT_TIMEOUT_S,
                command_timeout=COMMAND_TIMEOUT_S,
                server_settings=self._settings({}),
                reset=_nothing,
                init=self._give_way,
            )
            async with pool.acquire():
                return pool
        except (*LOST, asyncpg.PostgresError) as error:
            raise DatabaseUnavailable(f"cannot connect to the database: {error}") from error

    def hasten(self, connection: asyncpg.Connection) -> None:
        """Have the server's process of a connection run as soon as it is asked, if it is ours."""
        if self.nice is not None:
            take_short_turns(connection.get_server_pid())

    async def _give_way(self, connection: Any) -> None:
        if self.nice:
            await asyncio.to_thread(give_way, self.nice, connection.get_server_pid())

    def _settings(self, more: dict[str, str]) -> dict[str, str]:
        role = {"role": self.app_role} if self.app_role else {}
        return {"application_name": "wellhead", "jit": "off", **role, **more}


async def _nothing(connection: Any) -> None:
    """Reset a connection given back: no user of a pool leaves anything of a session behind.

    Transactions are ended by their blocks, locks are those of transactions. asyncpg itself would
    ask the server to reset everything: one more round trip for each query.
    """


@cache
def queries(name: str) -> Mapping[str, str]:
    """Return the queries of `exchange/io/sql/NAME.sql` by the names given there."""
    parts = _NAME.split((_SQL_FOLDER / f"{name}.sql").read_text())
    names, texts = parts[1::2], parts[2::2]
    assert len(set(names)) == len(names), f"{name}.sql names a query twice"
    return MappingProxyType({n: t.strip() for n, t in zip(names, texts, strict=True)})
