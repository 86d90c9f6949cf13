"""The embedded server's processes: those of followers give way, that of the journal does not."""

import asyncio
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from exchange.io import db
from exchange.io.db import Database
from exchange.io.embedded import EmbeddedPostgres
from exchange.io.journal_postgres import PostgresJournal
from exchange.io.ledger import Ledger
from exchange.services.node.follower_child import FollowerChild
from tests.support.flow import Flow
from tests.support.journals import keep


def nice_of(connection: asyncpg.Connection) -> int:
    return os.getpriority(os.PRIO_PROCESS, connection.get_server_pid())


@pytest.mark.parametrize(("given", "found"), [(None, 0), (0, 0), (7, 7)])
async def test_what_works_for_us_gives_way_as_we_do_and_nothing_else(
    database: Database, given: int | None, found: int
):
    before = os.getpriority(os.PRIO_PROCESS, 0)
    database = replace(database, nice=given)
    connection, pool = await database.connect(), await database.pool()
    try:
        assert nice_of(connection) == max(before, found)
        async with pool.acquire() as pooled:
            assert nice_of(pooled) == max(before, found)
            group = Path(f"/proc/{pooled.get_server_pid()}/autogroup")
            if group.exists() and given:
                assert group.read_text().split()[-1] == str(found)
    finally:
        await connection.close()
        await pool.close()


async def test_only_the_embedded_server_is_ours(database: Database, pool, monkeypatch):
    hastened: list[int] = []
    monkeypatch.setattr(db, "take_short_turns", hastened.append)
    for nice in (None, 0):
        journal = PostgresJournal(pool, replace(database, nice=nice), 1)
        await journal.open()
        await journal.close()
    assert len(hastened) == 1
    assert Database.external("postgresql://x").nice is None


def test_the_embedded_server_is_ours(tmp_path: Path):
    assert Database.embedded(EmbeddedPostgres(tmp_path)).nice == 0


@pytest.mark.parametrize("nice", [None, 0])
async def test_a_follower_of_an_embedded_server_has_its_processes_give_way(
    database: Database, nice: int | None
):
    batches = list(Flow(71).batches(3))
    await keep(database, batches)
    child = FollowerChild(replace(database, nice=nice), "clearing")
    child.start()
    watcher = await database.connect()
    question = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )

    async def given() -> set[int]:
        found = set()
        for row in await watcher.fetch(question):
            with suppress(ProcessLookupError):  # it has ended meanwhile
                found.add(os.getpriority(os.PRIO_PROCESS, row["pid"]))
        return found

    try:
        async with asyncio.timeout(60):
            while await Ledger(watcher).seq() < batches[-1].last_seq:
                child.wake()
                await asyncio.sleep(0.02)
        assert (10 in await given()) == (nice is not None)
    finally:
        await watcher.close()
        await child.end()
