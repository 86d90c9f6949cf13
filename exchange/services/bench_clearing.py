"""`wellhead bench clearing`: trades a second from the journal to ledger and views.

The real engine fills a journal in a fresh embedded Postgres; the time is that of clearing alone,
from its first look at the journal to its last commit, in one process. Beside it is the processor
time of clearing and of all of Postgres: what others do on the machine changes that much less.
"""

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import uvloop

from exchange.io.batch import Batch
from exchange.io.db import Database
from exchange.io.embedded import EmbeddedPostgres
from exchange.io.folder import DataFolder
from exchange.io.journal_postgres import PostgresJournal
from exchange.io.leader import Leadership
from exchange.io.ledger import SQL, Ledger
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
    " around one price, three trades of four orders, fees on each fill; all contracts settled twice"
)
MAKER_RATE, TAKER_RATE, CLEARING_RATE = 200, 500, 100  # micro-dollars per GPU-hour


class Cost(NamedTuple):
    """What clearing the journal once took, in seconds."""

    elapsed_s: float
    clearing_s: float  # of a processor, by this process
    postgres_s: float  # by all processes of the server


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
    rows = new_commands(3 * ACCOUNTS + CONTRACTS)
    opened, funded, charged = (rows[at * ACCOUNTS : (at + 1) * ACCOUNTS] for at in range(3))
    opened["kind"], funded["kind"], charged["kind"] = Kind.OPEN_ACCOUNT, Kind.DEPOSIT, Kind.SET_FEES
    for part in (opened, funded, charged):
        part["account_idx"] = np.arange(ACCOUNTS)
    funded["amount_usd_micros"] = DEPOSIT_USD_MICROS
    charged["price_ticks"], charged["qty_lots"] = MAKER_RATE, TAKER_RATE
    charged["amount_usd_micros"] = CLEARING_RATE
    listed = rows[3 * ACCOUNTS :]
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
    costs = []
    for number in range(runs):
        tell("clearing", number, runs)
        costs.append(await _measured(journal))
    tell("clearing", runs, runs)

    def rates(count: int) -> list[float]:
        return [count / one.elapsed_s for one in costs]

    own_us = [one.clearing_s / trades * 1e6 for one in costs]
    postgres_us = [one.postgres_s / trades * 1e6 for one in costs]
    used = "user and system time, the orders and settlements of the same journal included"
    figures = [
        figure("trades cleared", "trades/s", rates(trades), GOAL_TRADES_PER_S, WORKLOAD),
        figure("commands cleared", "commands/s", rates(commands), None, WORKLOAD),
        figure("processor time of clearing", "us/trade", own_us, None, used),
        figure("processor time of Postgres", "us/trade", postgres_us, None, used),
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


async def _measured(journal: list[Batch]) -> Cost:
    """Return what clearing takes, in a fresh database."""
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


async def _clear(database: Database, last_seq: int) -> Cost:
    stop = asyncio.Event()
    clearing = Clearing(database, on_posted=lambda seq: stop.set() if seq >= last_seq else None)
    connection = await database.connect()
    server_pid = _parent_and_ticks(await connection.fetchval(SQL["server_pid"]))[0]
    before_s, own_s, started_s = _server_s(server_pid), time.process_time(), time.perf_counter()
    await clearing.run(stop)
    elapsed_s, own_s = time.perf_counter() - started_s, time.process_time() - own_s
    cost = Cost(elapsed_s, own_s, _server_s(server_pid) - before_s)
    violations = await Ledger(connection).violations(history=False)
    await connection.close()
    assert not violations, violations
    return cost


def _parent_and_ticks(pid: int) -> tuple[int, int, int]:
    """Return a process' parent, its ticks of processor time, and those of children that ended."""
    text = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, ended_user, ended_system = map(int, text[11:15])
    return int(text[1]), user + system, ended_user + ended_system


def _server_s(server_pid: int) -> float:
    """Return the processor time of a server and all of its processes, in seconds."""
    while True:
        _, own, ended = _parent_and_ticks(server_pid)
        live = 0
        for name in os.listdir("/proc"):
            if name.isdigit():
                with suppress(OSError):  # it has ended meanwhile
                    parent, ticks, _ = _parent_and_ticks(int(name))
                    live += ticks if parent == server_pid else 0
        if _parent_and_ticks(server_pid)[2] == ended:  # else one ended: look again, count it once
            return (own + ended + live) / os.sysconf("SC_CLK_TCK")
