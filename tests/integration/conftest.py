"""What integration tests share: a Postgres, and a fresh database for each test."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from exchange.io.db import Database
from tests.support.postgres import Server, running_server


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
