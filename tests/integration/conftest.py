"""What integration tests share: a Postgres, and a fresh database for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from exchange.io.db import Database
from tests.support.postgres import Server, running_server
from tests.support.valkey import Valkey, running_valkey


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Start one embedded server for the session."""
    with running_server() as server:
        yield server


@pytest.fixture
async def database(postgres: Server) -> AsyncIterator[Database]:
    """Give an empty database with all tables."""
    database = await postgres.fresh()
    yield database
    await postgres.drop(database)


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[asyncpg.Pool]:
    """Give connections of the application to the test's database."""
    pool = await database.pool()
    yield pool
    pool.terminate()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """Start a Valkey server for the test."""
    with running_valkey(tmp_path) as server:
        yield server
