"""Rounds of trading, each ended by a kill at a seeded instant, each followed by a reckoning."""

import asyncio
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Final

import asyncpg
import numpy as np

from matching.wire import COMMAND, EVENT
from tests.oracle.engine import Oracle
from tests.torture.checks import answers, doubled, violations
from tests.torture.exchange import Exchange, Victim
from tests.torture.record import Fate, Record
from tests.torture.session import NoSession
from tests.torture.trader import Market, Trader
from tests.torture.truth import Truth
from tests.torture.views import api_differs, by_client_differs, cleared_seq, tables_differ
from wellhead import AsyncClient, admin_calls, calls
from wellhead.signing import Credentials

ACCOUNTS: Final = ("ann", "bob", "cat", "dan")
SYMBOLS: Final = 3
FUNDS_USD: Final = "5000000"
PER_SECOND: Final = 250.0  # requests of one account
TRADE_S: Final = (0.05, 0.6)  # before a kill
AFTER_S: Final = (0.1, 0.4)  # traded on after the kill of a part
CATCH_UP_S: Final = 20.0
# Of a hundred kills: the node and clearing most, Postgres and the whole machine now and then.
WEIGHTS: Final = {
    Victim.NODE: 48,
    Victim.CLEARING: 32,
    Victim.POSTGRES: 10,
    Victim.MACHINE: 10,
}
GROUP: Final = 256  # commands the naive engine takes at once
SAMPLE: Final = 3  # orders of an account read by their client's id after a kill
EARLY_SHARE: Final = 0.15  # of the starts: killed again before they are ready


@dataclass
class Report:
    """What a storm did, and what it found wrong."""

    seed: int
    kills: Counter[Victim] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    seconds: float = 0.0
    start_s: list[float] = field(default_factory=list)
    fates: Counter[Fate] = field(default_factory=Counter)
    commands: int = 0
    trades: int = 0
    resent: int = 0
    duplicates: int = 0

    def line(self) -> str:
        """Return it in one line."""
        kills = ", ".join(f"{count} {victim}" for victim, count in sorted(self.kills.items()))
        fates = ", ".join(f"{self.fates[fate]} {fate.value}" for fate in Fate)
        start_s = sorted(self.start_s)[len(self.start_s) // 2] if self.start_s else 0.0
        return (
            f"seed {self.seed}: killed {kills}; requests: {fates}; {self.resent} sent again, "
            f"{self.duplicates} were duplicates; {self.commands} commands, {self.trades} trades; "
            f"start {start_s:.1f} s; {self.seconds:.0f} s; {len(self.found)} violations"
        )


class Storm:
    """One exchange, four traders, many kills."""

    def __init__(self, exchange: Exchange, seed: int) -> None:
        self.exchange = exchange
        self.report = Report(seed)
        self.truth = Truth()
        self._random = Random(seed)
        self._traders: list[Trader] = []
        self._clients: dict[str, Credentials] = {}
        self._accounts: dict[str, int] = {}

    async def run(self, kills: int, *, until_found: bool = False) -> Report:
        """Start, trade and kill, then reckon with everything.

        Args:
            kills: how many.
            until_found: stop at the first round that finds something.
        """
        begun_s = time.monotonic()
        await self.exchange.start()
        await self._open_accounts()
        for victim in self._victims(kills):
            await self._round(victim)
            if self.report.found and until_found:
                break
        if not self.report.found:
            await self._last_reckoning()
        self._sum_up()
        self.report.seconds = time.monotonic() - begun_s
        return self.report

    def _victims(self, kills: int) -> list[Victim]:
        """Return whom to kill, in a random order; no kind is left out of a long run."""
        every = list(WEIGHTS)[:kills]
        rest = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()), k=kills - len(every))
        victims = every + rest
        self._random.shuffle(victims)
        return victims

    # Setting up

    async def _open_accounts(self) -> None:
        admin = self._client(self.exchange.operator())
        async with admin:
            for account_id in ACCOUNTS:
                await admin.create_account(account_id, account_id=account_id)
                await admin.deposit(account_id, FUNDS_USD, transfer_id="funds")
                scopes = ("read", "trade")
                key = await admin.run(admin_calls.create_key(account_id, scopes))
                assert key.secret is not None
                self._clients[account_id] = Credentials(key.key, key.secret)
            markets = await self._markets(admin)
        self._traders = [
            Trader(account_id, credentials, markets, self.report.seed)
            for account_id, credentials in self._clients.items()
        ]
        connection = await self.exchange.database()
        rows = await connection.fetch("SELECT account_id, account_idx FROM account")
        await connection.close()
        self._accounts = {row[0]: row[1] for row in rows if row[0] in ACCOUNTS}

    async def _markets(self, client: AsyncClient) -> list[Market]:
        """Wait for the calendar to open contracts, and take some."""
        deadline = time.monotonic() + CATCH_UP_S
        while True:
            page = await client.raw(calls.instruments(state="continuous", limit=1000))
            if len(page["instruments"]) >= SYMBOLS:
                break
            assert time.monotonic() < deadline, "no contract is open for trading"
            await asyncio.sleep(0.1)
        chosen = self._random.sample(page["instruments"], SYMBOLS)
        return [Market(one["symbol"], int(one["mark_price"].replace(".", ""))) for one in chosen]

    def _client(self, credentials: Credentials) -> AsyncClient:
        return AsyncClient(self.exchange.url, credentials.key, credentials.secret)

    # A round

    async def _round(self, victim: Victim) -> None:
        stop = asyncio.Event()
        trading = [
            asyncio.create_task(trader.trade(self.exchange.url, stop, PER_SECOND))
            for trader in self._traders
        ]
        await asyncio.sleep(self._random.uniform(*TRADE_S))
        self._kill(victim)
        if victim in (Victim.CLEARING, Victim.POSTGRES):
            await asyncio.sleep(self._random.uniform(*AFTER_S))
        stop.set()
        await asyncio.gather(*trading)
        await self._stand_up(victim)
        await self._settle()
        await self._reckon()

    def _kill(self, victim: Victim) -> None:
        self.exchange.kill(victim)
        self.report.kills[victim] += 1

    async def _stand_up(self, victim: Victim) -> None:
        """Start again what does not do so by itself, sometimes killing it on the way up."""
        if victim in (Victim.NODE, Victim.MACHINE):
            while self._random.random() < EARLY_SHARE:
                self.exchange.node.start()
                await asyncio.sleep(self._random.uniform(0.1, 2.5))
                self._kill(Victim.NODE)
            await self.exchange.start()
        else:
            await self.exchange.ready()

    async def _settle(self) -> None:
        """Send again what was not answered, until everything is."""
        for trader in self._traders:
            for attempt in itertools.count(1):
                try:
                    await trader.settle(self.exchange.url)
                    break
                except NoSession:
                    assert attempt < 100, f"{trader.account_id} cannot log in"
                    await asyncio.sleep(0.05)

    # Reckoning

    async def _reckon(self) -> None:
        """Hold this round's answers against the journal, and the reads against both."""
        connection = await self.exchange.database()
        try:
            await self.truth.read(connection)
        finally:
            await connection.close()
        found = list(doubled(self.truth))
        for trader in self._traders:
            requests = trader.new_requests()
            found += answers(requests, self.truth, self._accounts)
            account_idx = self._accounts[trader.account_id]
            sample = self._random.sample(requests, min(SAMPLE, len(requests)))
            async with self._client(self._clients[trader.account_id]) as client:
                found += await api_differs(client, account_idx, self.truth)
                found += await by_client_differs(client, account_idx, sample, self.truth)
        self._note(found)

    def _note(self, found: list[str]) -> None:
        kills = sum(self.report.kills.values())
        self.report.found += [f"after kill {kills}: {line}" for line in found]

    async def _last_reckoning(self) -> None:
        """Stop cleanly and hold everything against everything."""
        connection = await self.exchange.database()
        try:
            await self._read_cleared(connection)
            self._note(await tables_differ(connection, self.truth))
            await connection.execute("ROLLBACK")
        finally:
            await connection.close()
        record = Record([r for trader in self._traders for r in trader.record.requests])
        self._note(violations(record, self.truth, self._accounts))
        self._note(self._oracle_differs())
        status = self.exchange.stop()
        if status != 0:
            self._note([f"the node ended with {status}"])
        status, printed = await self.exchange.command("verify", "--json")
        if status != 0:
            self._note([f"verify ended with {status}: {printed}"])

    async def _read_cleared(self, connection: asyncpg.Connection) -> None:
        """Read the journal in a transaction in which clearing has posted all of it."""
        deadline = time.monotonic() + CATCH_UP_S
        while True:
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            cleared = await cleared_seq(connection)
            await self.truth.read(connection)
            if cleared == self.truth.last_seq:
                return
            await connection.execute("ROLLBACK")
            assert time.monotonic() < deadline, (
                f"clearing stays at {cleared}, the journal is at {self.truth.last_seq}"
            )
            await asyncio.sleep(0.01)

    def _oracle_differs(self) -> list[str]:
        """Apply all commands with the naive engine: the events must be those of the journal."""
        oracle = Oracle()
        for place in range(0, self.truth.last_seq, GROUP):
            commands = np.array(
                [tuple(c) for c in self.truth.commands[place : place + GROUP]], COMMAND
            )
            said = [e for events in self.truth.events[place : place + GROUP] for e in events]
            events = oracle.apply(commands)
            if events.tobytes() != np.array(said, EVENT).tobytes():
                return [f"the naive engine disagrees between {place + 1} and {place + GROUP}"]
        return []

    def _sum_up(self) -> None:
        report = self.report
        for trader in self._traders:
            report.fates.update(request.fate for request in trader.record.requests)
            report.resent += trader.stats.resent
            report.duplicates += trader.stats.duplicates
        report.start_s = self.exchange.start_s
        report.commands, report.trades = self.truth.last_seq, len(self.truth.trade_ids)
