"""Clearing as a process: woken and ended by its parent, ended by a signal, dead on damage."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE

import pytest

from exchange.io.ledger import Ledger
from tests.support.flow import Flow
from tests.support.journals import keep
from tests.support.tables import forced


async def start(database, *arguments: str) -> asyncio.subprocess.Process:
    environment = os.environ | {"WELLHEAD_DATABASE_URL": database.app_url}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exchange.services.clearing", *arguments,
        env=environment, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL,
    )  # fmt: skip


async def posted(database, seq: int) -> None:
    """Wait until a command is posted."""
    connection = await database.connect()
    async with asyncio.timeout(60):
        while await Ledger(connection).seq() < seq:
            await asyncio.sleep(0.02)
    await connection.close()


async def test_a_child_clears_when_woken_and_ends_with_its_parent(database):
    batches = list(Flow(71).batches(10))
    child = await start(database, "--child")
    await keep(database, batches)
    child.stdin.write(b"\n")
    await posted(database, batches[-1].last_seq)
    child.stdin.close()
    assert await asyncio.wait_for(child.wait(), 60) == 0


async def test_what_its_parent_wrote_last_is_cleared_before_it_ends(database):
    batches = list(Flow(74).batches(30))
    child = await start(database, "--child")
    await keep(database, batches[:10])
    child.stdin.write(b"\n")
    await posted(database, batches[9].last_seq)
    await keep(database, batches[10:])
    child.stdin.close()
    assert await asyncio.wait_for(child.wait(), 60) == 0
    connection = await database.connect()
    assert await Ledger(connection).seq() == batches[-1].last_seq
    await connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_after_its_transaction(database, number):
    batches = list(Flow(72).batches(10))
    await keep(database, batches)
    process = await start(database)
    await posted(database, batches[-1].last_seq)
    process.send_signal(number)
    assert await asyncio.wait_for(process.wait(), 60) == 0


async def test_damage_ends_it_with_a_code_of_its_own(database):
    batches = list(Flow(73).batches(10))
    await keep(database, batches)
    await forced(database, f"DELETE FROM journal_batch WHERE first_seq = {batches[4].first_seq}")
    process = await start(database)
    assert await asyncio.wait_for(process.wait(), 60) == 65


async def test_without_a_database_it_says_so():
    environment = {k: v for k, v in os.environ.items() if k != "WELLHEAD_DATABASE_URL"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exchange.services.clearing", env=environment, stderr=PIPE
    )
    _, complaint = await process.communicate()
    assert process.returncode == 2 and b"WELLHEAD_DATABASE_URL" in complaint
