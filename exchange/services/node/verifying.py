"""A verification of what a node has stored, wired: the database, wherever it is, and the core."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

import asyncpg

from exchange.config import Settings
from exchange.io.db import Database
from exchange.io.embedded import EmbeddedPostgres
from exchange.io.errors import StartRefused
from exchange.io.folder import DataFolder, running_instance
from exchange.io.observations import PostgresObservations
from exchange.io.statements import Statements
from exchange.services.node.progress import Progress
from exchange.services.verify import Report, verify
from matching.engine import Engine, warm_up

T = TypeVar("T")


async def verify_stored(settings: Settings, progress: Progress) -> Report:
    """Verify the database of these settings, whether or not a node runs on it.

    Errors:
        StartRefused: there is nothing to verify, or a node is just starting.
        Unavailable: the database does not answer.
    """
    warm_up(lambda _, done, total: progress("kernels", done, total))
    async with AsyncExitStack() as stack:
        database = _database(settings, stack, progress)
        return await verify(database, _restore, progress)


def _database(settings: Settings, stack: AsyncExitStack, progress: Progress) -> Database:
    """Return the operator's database, that of the running node, or one started for this."""
    if settings.database_url is not None:
        return Database.external(settings.database_url.get_secret_value())
    running = running_instance(settings.data_dir)
    if running is not None and running.database_url is not None:
        return Database.running(running.database_url)
    if not settings.data_dir.is_dir():
        raise StartRefused(f"there is no data folder {settings.data_dir}")
    folder = stack.enter_context(DataFolder(settings.data_dir))
    postgres = EmbeddedPostgres(folder.path, settings.postgres_user)
    postgres.start(lambda what: progress(what))
    stack.callback(postgres.stop)
    return Database.embedded(postgres)


def _restore(blob: bytes | None) -> Engine:
    return Engine() if blob is None else Engine.restore(blob)


async def read_ledger(
    settings: Settings, progress: Progress, use: Callable[[Statements], Awaitable[T]]
) -> T:
    """Read the ledger of these settings, whether or not a node runs on it.

    Errors:
        StartRefused: there is no ledger, or a node is just starting.
        Unavailable: the database does not answer.
    """
    return await read_stored(settings, progress, lambda found: use(Statements(found)))


async def change_ledger(
    settings: Settings, progress: Progress, use: Callable[[Statements], Awaitable[T]]
) -> T:
    """Use the ledger of these settings with the rights of its owner, who may change its months.

    Errors:
        StartRefused: there is no ledger, or a node is just starting.
        Unavailable: the database does not answer.
    """
    async with AsyncExitStack() as stack:
        connection = await _database(settings, stack, progress).connect_owner()
        try:
            return await use(Statements(connection))
        finally:
            connection.terminate()


async def read_stored(
    settings: Settings, progress: Progress, use: Callable[[asyncpg.Connection], Awaitable[T]]
) -> T:
    """Read the database of these settings, whether or not a node runs on it.

    Errors:
        StartRefused: there is none, or a node is just starting.
        Unavailable: the database does not answer.
    """
    async with AsyncExitStack() as stack:
        connection = await _database(settings, stack, progress).connect()
        try:
            return await use(connection)
        finally:
            connection.terminate()


async def with_observations(
    settings: Settings,
    progress: Progress,
    use: Callable[[PostgresObservations, asyncpg.Pool], Awaitable[T]],
) -> T:
    """Use the observations of these settings, whether or not a node runs on them.

    Errors:
        StartRefused: there are none, or a node is just starting.
        Unavailable: the database does not answer.
    """
    async with AsyncExitStack() as stack:
        pool = await _database(settings, stack, progress).pool(size_max=2)
        try:
            return await use(PostgresObservations(pool), pool)
        finally:
            pool.terminate()
