"""`wellhead bench clearing`: trades a second from the journal to ledger and views.

The real engine fills a journal in a fresh embedded Postgres; the time is that of clearing alone,
from its first look at the journal to its last commit, in one process.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import uvloop

from exchange.io.batch import Batch
from exchange.io.db import Database
from exchange.io.embedded import EmbeddedPostgres
from exchange.io.folder import DataFolder
from exchange.io.journal_postgres import PostgresJournal
from exchange.io.leader import Leadership
from exchange.io.ledger import Ledger
from exchange.io.logs import configure
from exchange.io.migrate import migrate
from exchange.services.bench_figures import Tell, figure
from exchange.services.clearing import Clearing
from matching.codes import EventKind, Kind, OrderType, Side, Tif, TradingState
from matching.engine import Engine, warm_up
from matching.wire import COMMAND, new_commands, pack_text

ACCOUNTS: Final = 1000
CONTRACTS: Final = 100
BATCH_COMMANDS: Final = 500
BATCHES: Final = 400
QUICK_BATCHES: Final = 40
RUNS: Final = 3
GOAL_TRADES_PER_S: Final = 20_000
PRICE_TICKS: Final = 2_000
START_NS: Final = 1_700_000_000_000_000_000
DEPOSIT_USD_MICROS: Final = 1 << 50
WORKLOAD: Final = (
    f"{ACCOUNTS:,} accounts, {CONTRACTS} contracts, batches of {BATCH_COMMANDS} orders"
    " around one price, three trades of four orders; all contracts settled twice"
)


def run(tell: Tell, *, quick: bool = False) -> dict[str, Any]:
    """Measure; return the figures."""
    configure("warning")
    warm_up(lambda _, done, total: tell("kernels", done, total))
    return uvloop.run(_run(tell, QUICK_BATCHES if quick else BATCHES, 1 if quick else RUNS))


def market(batches: int, seed: int = 1) -> Iterator[Batch]:
    """Yield the journal of a busy market."""
    engine = Engine()
    chance = random.Random(seed)
    seq = 0
    for number in range(-1, batches):
        rows = _opening() if number < 0 else _orders(chance, number)
        rows["seq"] = np.arange(seq + 1, seq + 1 + len(rows))
        rows["ts_ns"] = START_NS + number * 250_000_000
        events = engine.apply(rows)
        yield Batch(seq + 1, rows, events)
        seq += len(rows)


def _opening() -> np.ndarray:
    rows = new_commands(2 * ACCOUNTS + CONTRACTS)
    opened, funded = rows[:ACCOUNTS], rows[ACCOUNTS : 2 * ACCOUNTS]
    opened["kind"], funded["kind"] = Kind.OPEN_ACCOUNT, Kind.DEPOSIT
    opened["account_idx"] = funded["account_idx"] = np.arange(ACCOUNTS)
    funded["amount_usd_micros"] = DEPOSIT_USD_MICROS
    listed = rows[2 * ACCOUNTS :]
    listed["kind"], listed["state"] = Kind.LIST, TradingState.CONTINUOUS
    listed["contract_idx"] = np.arange(CONTRACTS)
    listed["price_ticks"], listed["qty_lots"] = PRICE_TICKS, 1000
    listed["amount_usd_micros"] = 730_000
    for contract_idx in range(CONTRACTS):
        words = pack_text(f"BENCH-{contract_idx}")
        for name, word in zip("abcd", words, strict=True):
            listed[f"client_{name}"][contract_idx] = word
    return rows


def _orders(chance: random.Random, number: int) -> np.ndarray:
    if number % 200 == 199:
        rows = new_commands(CONTRACTS)
        rows["kind"], rows["contract_idx"] = Kind.SETTLE, np.arange(CONTRACTS)
        rows["price_ticks"] = PRICE_TICKS + chance.randint(-20, 20)
        return rows
    rows = np.zeros(BATCH_COMMANDS, COMMAND)
    numbers = np.random.default_rng(chance.getrandbits(32))
    rows["kind"], rows["order_type"], rows["tif"] = Kind.PLACE, OrderType.LIMIT, Tif.GTC
    rows["account_idx"] = numbers.integers(0, ACCOUNTS, BATCH_COMMANDS)
    rows["contract_idx"] = numbers.integers(0, CONTRACTS, BATCH_COMMANDS)
    rows["side"] = numbers.integers(0, 2, BATCH_COMMANDS)
    away_ticks = numbers.integers(-2, 3, BATCH_COMMANDS)
    rows["price_ticks"] = PRICE_TICKS + np.where(rows["side"] == Side.BUY, -away_ticks, away_ticks)
    rows["qty_lots"] = numbers.integers(1, 10, BATCH_COMMANDS)
    return rows


async def _run(tell: Tell, batches: int, runs: int) -> dict[str, Any]:
    journal = list(market(batches))
    trades = sum(int((batch.events["kind"] == EventKind.TRADE).sum()) for batch in journal)
    commands = journal[-1].last_seq
    seconds = []
    for number in range(runs):
        tell("clearing", number, runs)
        seconds.append(await _measured(journal))
    tell("clearing", runs, runs)

    def rates(count: int) -> list[float]:
        return [count / one for one in seconds]

    figures = [
        figure("trades cleared", "trades/s", rates(trades), GOAL_TRADES_PER_S, WORKLOAD),
        figure("commands cleared", "commands/s", rates(commands), None, WORKLOAD),
    ]
    return {"figures": figures, "notes": [f"{trades:,} trades of {commands:,} commands a run"]}


@contextmanager
def fresh_postgres() -> Iterator[Database]:
    """Start an embedded Postgres in a folder of its own, and remove both."""
    with tempfile.TemporaryDirectory(prefix="wellhead-bench-") as name:
        Path(name).chmod(0o755)  # Postgres may run as another user
        with DataFolder(Path(name)):
            postgres = EmbeddedPostgres(Path(name))
            postgres.start()
            try:
                yield Database.embedded(postgres)
            finally:
                postgres.stop()


async def _measured(journal: list[Batch]) -> float:
    """Return how long clearing takes, in a fresh database."""
    with fresh_postgres() as database:
        await migrate(database)
        await _keep(database, journal)
        return await _clear(database, journal[-1].last_seq)


async def _keep(database: Database, journal: list[Batch]) -> None:
    pool = await database.pool(size_max=2)
    writer = PostgresJournal(pool, database, await Leadership(pool, "bench").take())
    await writer.open()
    for batch in journal:
        await writer.append(batch)
    await writer.close()
    await pool.close()


async def _clear(database: Database, last_seq: int) -> float:
    stop = asyncio.Event()
    clearing = Clearing(database, on_posted=lambda seq: stop.set() if seq >= last_seq else None)
    started_s = time.perf_counter()
    await clearing.run(stop)
    elapsed_s = time.perf_counter() - started_s
    connection = await database.connect()
    violations = await Ledger(connection).violations(history=False)
    await connection.close()
    assert not violations, violations
    return elapsed_s
