"""A Postgres for tests: one server a session, a fresh database a test."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import asyncpg

from exchange.io.db import APP_ROLE, Database
from exchange.io.embedded import EmbeddedPostgres
from exchange.io.folder import DataFolder
from exchange.io.migrate import migrate

_TEMPLATE = "template_migrated"


@contextmanager
def data_folder() -> Iterator[Path]:
    """Give a folder that Postgres' user can reach, unlike pytest's own, and remove it."""
    path = Path(tempfile.mkdtemp(prefix="wellhead-test-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Server:
    """An embedded server and its template database."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self.postgres = postgres
        self._numbers = itertools.count(1)

    def database(self, name: str, user: str | None = None) -> str:
        """Return the address of one of its databases."""
        head, _, query = self.postgres.url().partition("?")
        owner = head.split("//")[1].split("@")[0]
        return f"postgresql://{quote(user or owner)}@/{name}?{query}"

    async def fresh(self) -> Database:
        """Return a new database with all tables, empty."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        return Database(self.database(name), self.database(name, APP_ROLE), None)

    async def bare(self) -> Database:
        """Return a new database without any table."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        await self.execute(f"CREATE DATABASE {name}")
        return Database(self.database(name), self.database(name, APP_ROLE), None)

    async def drop(self, database: Database) -> None:
        """Remove a database."""
        name = database.owner_url.partition("?")[0].rpartition("/")[2]
        await self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def execute(self, statement: str) -> None:
        """Run a statement as the owner of the server."""
        connection = await asyncpg.connect(self.postgres.url())
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def make_template(self) -> None:
        """Make the database that `fresh` copies."""
        await self.execute(f"CREATE DATABASE {_TEMPLATE}")
        url = self.database(_TEMPLATE)
        await migrate(Database(url, url, None))


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server in a folder of its own, and remove both."""
    with data_folder() as path, DataFolder(path):
        postgres = EmbeddedPostgres(path)
        postgres.start()
        try:
            server = Server(postgres)
            asyncio.run(server.make_template())
            yield server
        finally:
            postgres.stop()
