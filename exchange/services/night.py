"""What the leader does once a day beside the market: plays every stress story, keeps the ledger.

Each job says by itself what is due, from what is stored: killed anywhere it is done again, and
what was done is not done twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

import asyncpg
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.io.clock import Clock
from exchange.io.db import LOST, Database
from exchange.io.errors import DatabaseUnavailable, ExchangeError
from exchange.io.registry import Account, Accounts
from exchange.io.statements import Statements, ledger_key
from exchange.io.stress_results import StressResult, StressResults, result_of
from exchange.io.tasks import in_slices
from exchange.rules.agenda import Agenda
from exchange.rules.agenda_prices import last_settlement_ns
from exchange.rules.delivery.merkle import Root
from exchange.rules.desk import Desk, DeskRow
from exchange.rules.layers import Funds, funds_among
from exchange.rules.mirror_state import MirrorState
from exchange.rules.money import usd_text
from exchange.rules.stress_play import STORIES, Machine, Story, outcome_of, struck
from exchange.rules.tenors import NS_PER_SECOND
from exchange.rules.valuation import CUSTOMER

START_S: Final = 20.0  # a node that has just started has more urgent things to do
LOOK_S: Final = 30.0
DAY_NS: Final = 86_400 * NS_PER_SECOND
TOGETHER: Final = 250  # accounts a slice

Job = Callable[[], Awaitable[None]]
Guarantors = Callable[[list[int]], Awaitable[dict[int, int]]]  # of clients, their members

_log = structlog.get_logger(__name__)


class Night:
    """Does its jobs when they are due, until cancelled; one that fails is tried again."""

    def __init__(self, jobs: Sequence[Job], *, start_s: float = START_S) -> None:
        self._jobs = jobs
        self._start_s = start_s

    async def run(self) -> None:
        """Look every half minute."""
        await asyncio.sleep(self._start_s)
        while True:
            await self.step()
            await asyncio.sleep(LOOK_S)

    async def step(self) -> None:
        """Do what is due."""
        for job in self._jobs:
            try:
                await job()
            except ExchangeError as error:
                _log.warning("nightly_job_waits", error=str(error))


class NightlySeal:
    """Signs a head of the ledger for each closed day, with the key of the node's data folder."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    async def run_if_due(self) -> None:
        """Seal the days that were closed since the last head; others may seal at the same time.

        Errors:
            DatabaseUnavailable: the next look does it.
        """
        connection = await self._database.connect()
        try:
            statements = Statements(connection)
            if await statements.is_seal_due():
                for head in await statements.seal(ledger_key(self._folder)):
                    _log.info("ledger_sealed", day=head.day, digest=head.digest.hex())
        except asyncpg.UniqueViolationError:
            _log.info("ledger_sealed_by_another")
        except LOST as error:
            raise DatabaseUnavailable(f"the database does not answer: {error!r}") from error
        finally:
            connection.terminate()


class Sealer(Protocol):
    """What has a root for each closed day: receipts, final settlements."""

    async def seal(self, key: Ed25519PrivateKey, now_ns: int) -> list[Root]:
        """Sign a root for each day that is closed and has none."""
        ...


class NightlyRoots:
    """Signs a root over each closed day, with the same key."""

    def __init__(self, sealer: Sealer, of: str, folder: Path, clock: Clock) -> None:
        self._sealer = sealer
        self._of = of
        self._folder = folder
        self._clock = clock

    async def run_if_due(self) -> None:
        """Sign what is due.

        Errors:
            DatabaseUnavailable: the next look does it.
        """
        for root in await self._sealer.seal(ledger_key(self._folder), self._clock.now_ns()):
            _log.info("sealed", of=self._of, day=root.day, root=root.root.hex())


class NightlyStress:
    """Plays every story after each daily settlement, and stores what came of it."""

    def __init__(
        self,
        results: StressResults,
        accounts: Accounts,
        mirror: MirrorState,
        agenda: Agenda,
        clock: Clock,
        machine: Machine,
        guarantors: Guarantors | None = None,
    ) -> None:
        """Play with the accounts there are; `guarantors` says which of them are whose clients."""
        self._results = results
        self._guarantors = guarantors
        self._accounts = accounts
        self._mirror = mirror
        self._agenda = agenda
        self._clock = clock
        self._machine = machine
        self._desk = Desk()
        self._done_day = 0

    async def run_if_due(self) -> None:
        """Play and store the day of the newest complete settlement, once.

        Errors:
            Unavailable: the next look does it.
        """
        due_ns = last_settlement_ns(self._clock.now_ns())
        day = due_ns // DAY_NS
        if day <= self._done_day or not self._agenda.is_settled_since(due_ns):
            return
        if await self._results.last_day() < day:
            rows = await self.play(day)
            await self._results.add(rows)
            worst = min(rows, key=lambda row: row.house_usd_micros)
            _log.info(
                "stress_played", day=day, stories=len(rows), worst=worst.story,
                house=usd_text(worst.house_usd_micros),
            )  # fmt: skip
        self._done_day = day

    async def play(self, day: int) -> list[StressResult]:
        """Return the results of every story, whole and for the margin period."""
        owners = await self._owners()
        await in_slices(self._desk.rows(self._mirror))  # the slow part; then as of one command
        rows = list(self._desk.rows(self._mirror))
        named = {idx: (one.name, one.kind) for idx, one in owners.items()}
        funds = funds_among(
            [(idx, one.account_id, one.kind) for idx, one in owners.items()],
            len(self._mirror.accounts),
        )
        if funds is not None and self._guarantors is not None:
            funds = replace(funds, guarantors=await self._guarantors(sorted(owners)))
        return [
            await self._played(day, rows, story, named, funds, whole)
            for story in STORIES
            for whole in (True, False)
        ]

    async def _played(
        self,
        day: int,
        rows: list[DeskRow],
        story: Story,
        owners: dict[int, tuple[str, str]],
        funds: Funds | None,
        whole: bool,
    ) -> StressResult:
        state = self._mirror
        seq, moves = state.seq, self._machine.moves(state, story, whole=whole)
        found = []
        for first in range(0, len(rows), TOGETHER):
            found += [
                struck(state, row, moves, story, owners.get(row.account_idx, CUSTOMER))
                for row in rows[first : first + TOGETHER]
            ]
            await asyncio.sleep(0)
        return result_of(day, outcome_of(story, seq, found, funds), whole=whole)

    async def _owners(self) -> dict[int, Account]:
        found: dict[int, Account] = {}
        while page := await self._accounts.list(after_idx=max(found, default=-1)):
            found |= {one.account_idx: one for one in page}
        return found
