"""A leader killed at any instant: nothing it has acknowledged is lost, nothing counts twice."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from exchange.io.db import Database
from exchange.io.journal_postgres import PostgresJournalReader
from exchange.io.snapshots import Snapshots
from exchange.services.recovery import Recovery
from matching.engine import warm_up
from tests.support.driver import released
from tests.support.market import restore_small

ROUNDS = 12
SOON_S = 0.1  # a round that is to last less is counted from the start
SEED = int(os.environ.get("SEED", "20270301"))
pytestmark = [pytest.mark.alone, pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module", autouse=True)
def kernels() -> None:
    """Compile here, once: what a killed driver had compiled would be lost."""
    warm_up()


def run_and_kill(
    database: Database, folder: Path, first_request: int, seconds: float, *variant: str
) -> list[tuple[int, int]]:
    """Run the driver, kill it, and return what it has acknowledged."""
    out = folder / f"acks-{first_request}"
    program = [sys.executable, "-m", "tests.support.driver"]
    urls = [database.owner_url, database.app_url]
    with out.open("wb") as file:
        driver = subprocess.Popen([*program, *urls, str(first_request), *variant], stdout=file)
        deadline = time.monotonic() + 240
        # Some are killed before they acknowledge anything, most while they do.
        wanted = 1 if seconds < SOON_S else 2
        while out.read_bytes().count(b"\n") < wanted:
            assert driver.poll() is None and time.monotonic() < deadline, "it did not start"
            time.sleep(0.01)
        time.sleep(seconds)
        driver.send_signal(signal.SIGKILL)
        assert driver.wait() == -signal.SIGKILL, "it ended by itself"
    lines = out.read_text().rpartition("\n")[0].splitlines()[1:]
    pairs = [line.split() for line in lines]
    return [(int(request), int(seq)) for request, seq in pairs]


def lost_or_doubled(acked: list[tuple[int, int]], kept: list[tuple[int, int]]) -> list[str]:
    """Compare what was acknowledged with what the journal holds."""
    seqs, times = dict(kept), Counter(kept)
    wrong = [f"request {r} is in the journal twice" for (r, _), count in times.items() if count > 1]
    if len(seqs) != len(times):
        wrong.append("a request has two numbers")
    for request, seq in acked:
        if seqs.get(request) != seq:
            wrong.append(f"request {request} was acknowledged at {seq}, is at {seqs.get(request)}")
    return wrong


async def storm(database: Database, folder: Path, rounds: int, *variant: str) -> list[str]:
    """Kill again and again; return what was found to be wrong."""
    chance = random.Random(SEED)
    acked: list[tuple[int, int]] = []
    first_request = 1
    for _ in range(rounds):
        acked += run_and_kill(database, folder, first_request, chance.uniform(0.02, 0.4), *variant)
        kept = await released(database)
        first_request = kept[-1][0] + 1 if kept else 1
        if wrong := lost_or_doubled(acked, kept):
            return wrong
    assert acked, "nothing was acknowledged at all"
    return []


async def test_kills_at_any_instant_lose_and_double_nothing(database, pool, tmp_path):
    assert await storm(database, tmp_path, ROUNDS) == []
    reader = PostgresJournalReader(pool)
    tail = await Recovery(reader, Snapshots(pool), restore_small).run()
    whole = await Recovery(reader, None, restore_small).run()
    assert tail.state_hash() == whole.state_hash()


async def test_a_leader_that_releases_before_it_commits_is_found(database, tmp_path):
    assert await storm(database, tmp_path, ROUNDS, "early") != []
