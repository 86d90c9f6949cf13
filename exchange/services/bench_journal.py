"""`wellhead bench journal`: durable commits of batches of three sizes, and recovery.

Everything is real: a fresh embedded Postgres with fsync on, orders of the real engine. A bare
fdatasync of a file, measured in the same run, says what the disk itself takes.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import uvloop

from exchange.io.batch import Batch
from exchange.io.db import Database
from exchange.io.embedded import EmbeddedPostgres
from exchange.io.folder import DataFolder
from exchange.io.journal_postgres import PostgresJournal
from exchange.io.leader import Leadership
from exchange.io.migrate import migrate
from exchange.services.bench_figures import Figure, Tell, figure
from exchange.services.recovery import Recovery
from matching.codes import Kind, OrderType, Side, Tif, TradingState
from matching.engine import Engine, warm_up
from matching.wire import new_commands, pack_text

Measure = Callable[[PostgresJournal, "_Market", Tell, bool], Awaitable[list[Figure]]]

RUNS: Final = 5
BATCHES: Final = {1: 500, 64: 300, 1000: 100}  # commands in a batch: batches in a run
RECOVERY_RUNS: Final = 3
RECOVERY_COMMANDS: Final = 500_000
RECOVERY_BATCH: Final = 500
QUICK: Final = 10  # times less
GOALS: Final = {1000: 500_000}  # commands a second
RECOVERY_GOAL_S: Final = 5.0  # per million commands
ACCOUNTS: Final = 200
CONTRACTS: Final = 20
PRICE_TICKS: Final = 2_000
DEPOSIT_USD_MICROS: Final = 1 << 50
START_NS: Final = 1_700_000_000_000_000_000


def run(tell: Tell, *, quick: bool = False) -> dict[str, Any]:
    """Measure; return the figures."""
    warm_up(lambda _, done, total: tell("kernels", done, total))
    with (
        tempfile.TemporaryDirectory(prefix="wellhead-bench-") as name,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        folder = Path(name)
        folder.chmod(0o755)  # Postgres may run as another user
        with _postgres(folder / "commits") as database:
            figures = runner.run(_with_journal(database, _commits, tell, quick))
        disk = _bare_sync(folder / "bare", quick)
        with _postgres(folder / "recovery") as database:
            figures += runner.run(_with_journal(database, _recovery, tell, quick))
    return {"figures": [disk, *figures], "notes": []}


@contextmanager
def _postgres(folder: Path) -> Iterator[Database]:
    with DataFolder(folder):
        postgres = EmbeddedPostgres(folder)
        postgres.start()
        try:
            yield Database.embedded(postgres)
        finally:
            postgres.stop()


@asynccontextmanager
async def _leading(database: Database) -> AsyncIterator[PostgresJournal]:
    await migrate(database)
    pool = await database.pool(size_max=2)
    journal = PostgresJournal(pool, database, await Leadership(pool, "bench").take())
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()
        await pool.close()


async def _with_journal(
    database: Database, measure: Measure, tell: Tell, quick: bool
) -> list[Figure]:
    async with _leading(database) as journal:
        market = _Market()
        await journal.append(market.open())
        return await measure(journal, market, tell, quick)


# Commits


async def _commits(
    journal: PostgresJournal, market: "_Market", tell: Tell, quick: bool
) -> list[Figure]:
    """Measure how long a commit takes, one after the other; the sizes take turns."""
    runs = 1 if quick else RUNS
    micros: dict[int, list[float]] = {size: [] for size in BATCHES}
    for number in range(runs):
        tell("commits", number, runs)
        for size, count in BATCHES.items():
            count = max(1, count // QUICK) if quick else count
            micros[size].append(await _median_us(journal, market, size, count))
    tell("commits", runs, runs)
    return [figure for size, found in micros.items() for figure in _of_size(size, found)]


async def _median_us(journal: PostgresJournal, market: "_Market", size: int, count: int) -> float:
    found = []
    for _ in range(count):
        batch = market.trade(size)
        started_s = time.perf_counter()
        await journal.append(batch)
        found.append((time.perf_counter() - started_s) * 1e6)
    return median(found)


def _of_size(size: int, micros: list[float]) -> list[Figure]:
    """Return the figures of one size: time of a commit, and commands a second."""
    workload = f"margined orders of {ACCOUNTS} accounts, {size} in a batch, one commit at a time"
    rates = [size / one * 1e6 for one in micros]
    return [
        figure(f"commit of {size}", "us", micros, None, workload),
        figure(f"durable, {size} a batch", "commands/s", rates, GOALS.get(size), workload),
    ]


def _bare_sync(path: Path, quick: bool) -> Figure:
    """Measure a write of 8 KiB and fdatasync, without any database."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    os.write(fd, bytes(8 << 20))
    os.fsync(fd)
    runs = []
    for _ in range(1 if quick else RUNS):
        found = []
        for place in range(0, 1 << 20, 8192):
            started_s = time.perf_counter()
            os.pwrite(fd, bytes(8192), place)
            os.fdatasync(fd)
            found.append((time.perf_counter() - started_s) * 1e6)
        runs.append(median(found))
    os.close(fd)
    return figure("bare fdatasync", "us", runs, None, "8 KiB of a file written before")


# Recovery


async def _recovery(
    journal: PostgresJournal, market: "_Market", tell: Tell, quick: bool
) -> list[Figure]:
    """Measure reading, checking and replaying the journal, from its first command."""
    commands = RECOVERY_COMMANDS // QUICK if quick else RECOVERY_COMMANDS
    while journal.last_seq < commands:
        tell("journal to recover", journal.last_seq, commands)
        await journal.append(market.trade(RECOVERY_BATCH))
    runs = []
    for number in range(1 if quick else RECOVERY_RUNS):
        tell("recovery", number, RECOVERY_RUNS)
        started_s = time.perf_counter()
        core = await Recovery(journal, None, lambda _: Engine()).run()
        runs.append((time.perf_counter() - started_s) / journal.last_seq * 1e6)
        assert core.state_hash() == market.engine.state_hash(), "the replay differs"
    workload = f"{journal.last_seq:,} commands, no snapshot; chain and events compared"
    return [figure("recovery", "s per million commands", runs, RECOVERY_GOAL_S, workload)]


class _Market:
    """A busy market of the real engine, a batch at a time."""

    def __init__(self) -> None:
        self.engine = Engine()
        self._chance = np.random.default_rng(1)

    def open(self) -> Batch:
        """Return accounts, money and contracts."""
        rows = new_commands(2 * ACCOUNTS + CONTRACTS)
        opened, funded, listed = np.split(rows, [ACCOUNTS, 2 * ACCOUNTS])
        opened["kind"], funded["kind"], listed["kind"] = Kind.OPEN_ACCOUNT, Kind.DEPOSIT, Kind.LIST
        opened["account_idx"] = funded["account_idx"] = np.arange(ACCOUNTS)
        funded["amount_usd_micros"] = DEPOSIT_USD_MICROS
        listed["contract_idx"] = np.arange(CONTRACTS)
        listed["state"], listed["price_ticks"] = TradingState.CONTINUOUS, PRICE_TICKS
        listed["qty_lots"], listed["amount_usd_micros"] = 1_000, 730_000
        for row, number in zip(listed, range(CONTRACTS), strict=True):
            words = pack_text(f"BENCH-{number}")
            for name, word in zip("abcd", words, strict=True):
                row[f"client_{name}"] = word
        return self._applied(rows)

    def trade(self, count: int) -> Batch:
        """Return orders around one price: some rest, some trade."""
        rows = new_commands(count)
        draw = self._chance.integers
        rows["kind"], rows["order_type"] = Kind.PLACE, OrderType.LIMIT
        rows["account_idx"] = draw(0, ACCOUNTS, count)
        rows["contract_idx"] = draw(0, CONTRACTS, count)
        rows["side"] = draw(0, 2, count)
        rows["tif"] = np.where(draw(0, 10, count) < 7, Tif.IOC, Tif.GTC)
        away_ticks = np.where(rows["tif"] == Tif.GTC, draw(0, 20, count), -draw(0, 20, count))
        rows["price_ticks"] = PRICE_TICKS + np.where(
            rows["side"] == Side.BUY, -away_ticks, away_ticks
        )
        rows["qty_lots"] = draw(1, 10, count)
        return self._applied(rows)

    def _applied(self, rows: np.ndarray) -> Batch:
        first_seq = self.engine.last_seq + 1
        rows["seq"] = np.arange(first_seq, first_seq + len(rows))
        rows["ts_ns"] = START_NS + first_seq
        return Batch(first_seq, rows, self.engine.apply(rows))
