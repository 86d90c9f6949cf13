"""Migrations: once, forward only, by several at a time, with the rights there are."""

import asyncio

import asyncpg
import pytest

from exchange.io.db import APP_ROLE, Database
from exchange.io.errors import DatabaseUnavailable, RoleMissing, StartRefused
from exchange.io.migrate import migrate, migration_files


async def bare(postgres) -> Database:
    return await postgres.bare()


async def test_every_file_is_applied_once(postgres):
    database = await bare(postgres)
    told: list[str] = []
    assert await migrate(database, told.append) == len(migration_files()) == len(told)
    assert await migrate(database, told.append) == 0
    await postgres.drop(database)


async def test_several_processes_may_start_at_once(postgres):
    database = await bare(postgres)
    applied = await asyncio.gather(*(migrate(database) for _ in range(4)))
    assert sum(applied) == len(migration_files())
    await postgres.drop(database)


async def test_a_file_that_fails_leaves_nothing_and_is_named(postgres, tmp_path):
    database = await bare(postgres)
    (tmp_path / "0001_good.sql").write_text("-- migrate:up\nCREATE TABLE good (x bigint);\n")
    bad = tmp_path / "0002_bad.sql"
    bad.write_text("-- migrate:up\nCREATE TABLE half (x bigint);\nSELECT nonsense;\n")
    with pytest.raises(StartRefused, match="0002_bad"):
        await migrate(database, folder=tmp_path)
    bad.write_text("-- migrate:up\nCREATE TABLE half (x bigint);\n")
    assert await migrate(database, folder=tmp_path) == 1
    await postgres.drop(database)


async def test_a_file_without_a_way_up_is_refused(postgres, tmp_path):
    database = await bare(postgres)
    (tmp_path / "0001_empty.sql").write_text("SELECT 1;\n")
    with pytest.raises(StartRefused, match="migrate:up"):
        await migrate(database, folder=tmp_path)
    await postgres.drop(database)


async def test_a_database_of_a_newer_version_is_not_touched(postgres):
    database = await bare(postgres)
    await migrate(database)
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute("INSERT INTO schema_migrations VALUES ('9999')")
    await owner.close()
    with pytest.raises(StartRefused, match="9999"):
        await migrate(database)
    await postgres.drop(database)


async def test_a_user_of_few_rights_works_in_the_role_an_administrator_made(postgres):
    """As with a database that a company's administrators run."""
    database = await bare(postgres)
    name = database.owner_url.partition("?")[0].rpartition("/")[2]
    await postgres.execute("CREATE ROLE tenant LOGIN")
    await postgres.execute(f"ALTER DATABASE {name} OWNER TO tenant")
    url = postgres.database(name, "tenant")
    tenant = Database.external(url)
    try:
        with pytest.raises(RoleMissing, match=f"GRANT {APP_ROLE} TO tenant"):
            await migrate(tenant)
        await postgres.execute(f"GRANT {APP_ROLE} TO tenant")
        assert await migrate(tenant) == len(migration_files())
        pool = await tenant.pool()
        assert await pool.fetchval("SELECT current_user") == APP_ROLE
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute("DELETE FROM journal_batch")
        await pool.close()
    finally:
        await postgres.drop(database)
        await postgres.execute("DROP ROLE tenant")


async def test_a_server_that_is_not_there_is_unavailable():
    nowhere = Database.external("postgresql://x@127.0.0.1:1/x")
    for connecting in (migrate(nowhere), nowhere.connect(), nowhere.pool()):
        with pytest.raises(DatabaseUnavailable):
            await connecting
