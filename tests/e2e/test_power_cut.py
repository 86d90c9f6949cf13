"""The power fails: what was acknowledged is there afterwards, because it was synced before."""

import asyncio
import sys
from random import Random

import asyncpg
import pytest

from exchange.io.embedded import EmbeddedPostgres
from exchange.io.folder import DataFolder
from exchange.io.pg_orphans import pids_in
from tests.support.postgres import data_folder
from tests.torture.exchange import Exchange, Victim
from tests.torture.powercut import PowerCut, compiler
from tests.torture.process import kill_pids
from tests.torture.storm import Storm

pytestmark = [
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux" or compiler() is None, reason="needs Linux and a C compiler"
    ),
]

ROWS = 200
CUTS = 4


async def commit_rows(url: str, first: int, durable: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"SET synchronous_commit = {durable}")
    for number in range(first, first + ROWS):
        await connection.execute("INSERT INTO kept VALUES ($1)", number)
    connection.terminate()


async def rows(url: str) -> list[int]:
    connection = await asyncpg.connect(url)
    found = await connection.fetch("SELECT number FROM kept ORDER BY number")
    await connection.close()
    return [row[0] for row in found]


async def make_table(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept (number bigint PRIMARY KEY)")
    await connection.close()


def cut_repeatedly(monkeypatch: pytest.MonkeyPatch, durable: str) -> list[int]:
    """Commit rows before each of a few power cuts; return what is left of them."""
    with data_folder() as path, DataFolder(path):
        files = path / "postgres" / "data"
        cut = PowerCut(path, files)
        for name, value in cut.environment.items():
            monkeypatch.setenv(name, value)
        server = EmbeddedPostgres(path)
        server.start()
        asyncio.run(make_table(server.url()))
        lost = 0
        for number in range(CUTS):
            asyncio.run(commit_rows(server.url(), number * ROWS, durable))
            kill_pids(pids_in(files))
            server.stop()
            lost += cut.cut(Random(number))
            server = EmbeddedPostgres(path)
            server.start()
        found = asyncio.run(rows(server.url()))
        server.stop()
        assert lost > 0, "no power cut took anything: it proves nothing"
        return found


async def test_an_exchange_keeps_what_it_acknowledged_over_power_cuts():
    with data_folder() as path:
        exchange = Exchange(path, power_fails=True)
        try:
            report = await Storm(exchange, 4, {Victim.MACHINE: 1}).run(3)
        finally:
            exchange.bury()
    assert report.found == [], "\n".join([report.line(), *report.found])
    assert exchange.lost_writes > 0, "no power cut took anything: it proves nothing"


def test_postgres_as_we_start_it_keeps_every_commit_over_power_cuts(monkeypatch):
    assert cut_repeatedly(monkeypatch, "on") == list(range(CUTS * ROWS))


def test_commits_that_do_not_wait_for_the_disk_are_lost(monkeypatch):
    found = cut_repeatedly(monkeypatch, "off")
    assert len(found) < CUTS * ROWS
