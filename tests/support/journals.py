"""Batches into a journal in Postgres, for tests."""

from collections.abc import Iterable

from exchange.io.batch import Batch
from exchange.io.db import Database
from exchange.io.journal_postgres import PostgresJournal
from exchange.io.leader import Leadership


async def keep(database: Database, batches: Iterable[Batch]) -> None:
    """Append batches as their leader did."""
    pool = await database.pool(size_max=2)
    journal = PostgresJournal(pool, database, await Leadership(pool, "test").take())
    await journal.open()
    for batch in batches:
        await journal.append(batch)
    await journal.close()
    pool.terminate()
