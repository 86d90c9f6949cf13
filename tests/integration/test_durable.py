"""A database that confirms before it has written is refused."""

import asyncio

import pytest

from exchange.io import embedded
from exchange.io.db import Database
from exchange.io.embedded import EmbeddedPostgres
from exchange.io.errors import JournalGap, NotDurable
from exchange.io.folder import DataFolder
from exchange.io.journal_postgres import PostgresJournal
from exchange.io.leader import Leadership
from exchange.io.migrate import migrate
from tests.support.batches import batch
from tests.support.postgres import data_folder


async def test_asynchronous_commits_are_refused(database, pool):
    owner = await database.connect_owner()
    name = await owner.fetchval("SELECT current_database()")
    await owner.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    await owner.close()
    with pytest.raises(NotDurable, match="synchronous_commit=off"):
        await PostgresJournal(pool, database, 1).open()


async def test_a_database_as_it_comes_is_durable(database, pool):
    journal = PostgresJournal(pool, database, 1)
    assert await journal.open() == 0
    await journal.close()


async def test_a_database_that_lost_what_it_confirmed_is_not_written_on(database, pool):
    epoch = await Leadership(pool, "test").take()
    journal = PostgresJournal(pool, database, epoch)
    await journal.open()
    await journal.append(batch(1, 3))
    await journal.append(batch(4, 2))
    owner = await database.connect_owner()
    await owner.execute("DELETE FROM journal_batch WHERE first_seq = 4")
    await owner.close()
    journal._drop_connection()
    with pytest.raises(JournalGap, match="commands 4 to 5"):
        await journal.append(batch(6))


@pytest.mark.alone
@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_does_not_sync_is_refused(monkeypatch, setting):
    monkeypatch.setitem(embedded._SETTINGS, setting, "off")

    async def opened() -> None:
        database = Database.embedded(server)
        await migrate(database)
        pool = await database.pool()
        try:
            await PostgresJournal(pool, database, 1).open()
        finally:
            pool.terminate()

    with data_folder() as path, DataFolder(path):
        server = EmbeddedPostgres(path)
        server.start()
        try:
            with pytest.raises(NotDurable, match=f"{setting}=off"):
                asyncio.run(opened())
        finally:
            server.stop()


@pytest.mark.alone
def test_the_embedded_server_syncs():
    with data_folder() as path, DataFolder(path):
        server = EmbeddedPostgres(path)
        server.start()

        async def careless() -> list[str]:
            connection = await Database.embedded(server).connect_owner()
            names = ("fsync", "full_page_writes", "synchronous_commit", "data_checksums")
            found = [name for name in names if await connection.fetchval(f"SHOW {name}") != "on"]
            await connection.close()
            return found

        try:
            assert asyncio.run(careless()) == []
        finally:
            server.stop()
