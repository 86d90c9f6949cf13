"""Clearing killed at any instant: the tables are those of a run that nobody disturbed."""

import asyncio
import sys
from functools import cache
from random import Random

import pytest

from exchange.io.batch import Batch
from exchange.io.db import Database
from exchange.io.ledger import Ledger
from tests.support.clearing_child import PLANTED
from tests.support.flow import Flow
from tests.support.journals import keep
from tests.support.tables import table_hashes

KILLS = 30
BATCHES = 2000


@cache
def batches() -> list[Batch]:
    return list(Flow(21).batches(BATCHES, 6))


class Child:
    """One run of clearing in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @staticmethod
    async def start(database: Database, planted: str) -> "Child":
        program = (sys.executable, "-m", "tests.support.clearing_child")
        process = await asyncio.create_subprocess_exec(
            *program, database.app_url, "1", planted,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        return Child(process)

    async def posted(self) -> int:
        """Wait for the next transaction and return its last command; -1 when it has ended."""
        assert self._process.stdout is not None
        return int(await self._process.stdout.readline() or -1)

    async def kill(self) -> str:
        """End it as a power cut would, and return what it complained about."""
        if self._process.returncode is None:
            self._process.kill()
        _, complaints = await self._process.communicate()
        return complaints.decode()


async def run_to(database: Database, last_seq: int, kill_after_s: list[float], planted: str) -> str:
    """Clear up to a command with kills on the way; return how it failed, "" if it did not.

    A bug is planted in what is killed: the last run, to the end, is the right one.
    """
    for seconds in [*kill_after_s, None]:
        child = await Child.start(database, planted if seconds is not None else "")
        seq = await asyncio.wait_for(child.posted(), 60)
        if seconds is not None and seq >= 0:
            await asyncio.sleep(seconds)
        while seconds is None and 0 <= seq < last_seq:
            seq = await asyncio.wait_for(child.posted(), 60)
        complaints = await child.kill()
        if seq < 0:
            return complaints.strip().splitlines()[-1]
    return ""


async def undisturbed(postgres) -> dict[str, tuple[int, str]]:
    """Return the hashes of a run without kills."""
    database = await postgres.fresh()
    await keep(database, batches())
    assert await run_to(database, batches()[-1].last_seq, [], "") == ""
    hashes = await table_hashes(database)
    await postgres.drop(database)
    return hashes


@pytest.mark.alone
@pytest.mark.slow
async def test_killed_at_any_instant_the_result_is_the_same(postgres, database):
    random = Random(21)
    await keep(database, batches())
    delays = [random.uniform(0, 0.15) for _ in range(KILLS)]
    assert await run_to(database, batches()[-1].last_seq, delays, "") == ""
    assert await table_hashes(database) == await undisturbed(postgres)
    assert await Ledger(await database.connect()).violations(history=True) == []


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.parametrize("planted", PLANTED)
async def test_a_place_outside_the_transaction_is_caught(postgres, database, planted):
    random = Random(22)
    await keep(database, batches())
    delays = [random.uniform(0, 0.15) for _ in range(KILLS)]
    failed = await run_to(database, batches()[-1].last_seq, delays, planted)
    assert failed or await table_hashes(database) != await undisturbed(postgres)
