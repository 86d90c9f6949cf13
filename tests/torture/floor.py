"""The trading floor: accounts, their traders, and the reckoning with everything they were told."""

import asyncio
import itertools
import time
from collections import Counter
from functools import partial
from random import Random
from typing import Final, Protocol

import asyncpg
import numpy as np

from matching.wire import COMMAND, EVENT
from tests.oracle.engine import Oracle
from tests.torture.checks import answers, doubled, violations
from tests.torture.record import Fate, Record
from tests.torture.session import NoSession
from tests.torture.trader import Market, Trader
from tests.torture.truth import Truth
from tests.torture.views import api_differs, by_client_differs, cleared_seq, tables_differ
from wellhead import AsyncClient, admin_calls, calls
from wellhead.signing import Credentials

ACCOUNTS: Final = ("ann", "bob", "cat", "dan")
READER: Final = "eve"  # has money and no trader: for a test's own orders
SYMBOLS: Final = 3
FUNDS_USD: Final = "5000000"
PER_SECOND: Final = 150.0  # requests of one account
CATCH_UP_S: Final = 60.0
LOOKS_AGAIN: Final = 20
GROUP: Final = 256  # commands the naive engine takes at once
SAMPLE: Final = 3  # orders of an account read by their client's id in a reckoning
LOGINS_MAX: Final = 1200
_ACCOUNT_IDX: Final = "SELECT account_id, account_idx FROM account"


class House(Protocol):
    """An exchange, in one process or in many."""

    def url_of(self, account_id: str) -> str:
        """Return where an account trades now."""
        ...

    def operator(self) -> Credentials:
        """Return the operator's key."""
        ...

    async def database(self) -> asyncpg.Connection:
        """Connect to its Postgres as the owner."""
        ...


class Floor:
    """Four accounts on one exchange."""

    def __init__(self, house: House, seed: int) -> None:
        self.house = house
        self.seed = seed
        self.truth = Truth()
        self.traders: list[Trader] = []
        self.accounts: dict[str, int] = {}  # public id -> slot
        self.clients: dict[str, Credentials] = {}
        self._random = Random(f"{seed} floor")
        self._stop = asyncio.Event()
        self._trading: list[asyncio.Task[None]] = []

    def client(self, account_id: str, url: str | None = None) -> AsyncClient:
        """Return a client of one of the accounts."""
        found = self.clients[account_id]
        return AsyncClient(url or self.house.url_of(account_id), found.key, found.secret)

    async def open(self) -> None:
        """Make and fund the accounts, and choose what they trade."""
        operator = self.house.operator()
        async with AsyncClient(
            self.house.url_of(ACCOUNTS[0]), operator.key, operator.secret
        ) as admin:
            for account_id in (*ACCOUNTS, READER):
                await admin.create_account(account_id, account_id=account_id)
                await admin.deposit(account_id, FUNDS_USD, transfer_id="funds")
                key = await admin.run(admin_calls.create_key(account_id, ("read", "trade")))
                assert key.secret is not None
                self.clients[account_id] = Credentials(key.key, key.secret)
            markets = await self._markets(admin)
        self.traders = [
            Trader(account_id, self.clients[account_id], markets, self.seed)
            for account_id in ACCOUNTS
        ]
        connection = await self.house.database()
        rows = await connection.fetch(_ACCOUNT_IDX)
        await connection.close()
        self.accounts = {row[0]: row[1] for row in rows if row[0] in ACCOUNTS}

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

    # Trading

    def begin(self) -> None:
        """Let everyone trade."""
        self._stop = asyncio.Event()
        self._trading = [
            asyncio.create_task(
                trader.trade(partial(self.house.url_of, trader.account_id), self._stop, PER_SECOND)
            )
            for trader in self.traders
        ]

    async def busy(self, requests: int) -> None:
        """Return when so many more requests have gone out, the last a moment ago."""
        reached = asyncio.Event()
        left = itertools.count(requests - 1, -1)

        def sent() -> None:
            if next(left) <= 0:
                reached.set()

        for trader in self.traders:
            trader.on_sent = sent
        await reached.wait()

    async def clearing_stays_behind(self) -> list[str]:
        """Wait until clearing has posted what is known: it may have been killed a moment ago."""
        connection = await self.house.database()
        deadline = time.monotonic() + CATCH_UP_S
        try:
            while (cleared := await cleared_seq(connection)) < self.truth.last_seq:
                if time.monotonic() > deadline:
                    return [f"clearing is at {cleared}, the journal at {self.truth.last_seq}"]
                await asyncio.sleep(0.02)
        finally:
            await connection.close()
        return []

    async def end(self) -> None:
        """Let nobody begin anything more; returns when who is connected has all answers."""
        self._stop.set()
        await asyncio.gather(*self._trading)

    async def settle(self) -> None:
        """Send again what was not answered, until everything is."""
        for trader in self.traders:
            for attempt in itertools.count(1):
                try:
                    await trader.settle(self.house.url_of(trader.account_id))
                    break
                except NoSession as error:
                    assert attempt < LOGINS_MAX, f"{trader.account_id} cannot log in: {error}"
                    await asyncio.sleep(0.05)

    def fates(self) -> Counter[Fate]:
        """Return how many requests had which fate."""
        return Counter(r.fate for trader in self.traders for r in trader.record.requests)

    # Reckoning

    async def reckon(self) -> list[str]:
        """Hold the answers since the last time against the journal, and the reads against both."""
        await self._read()
        found = list(doubled(self.truth))
        for trader in self.traders:
            requests = trader.new_requests()
            found += answers(requests, self.truth, self.accounts)
            account_idx = self.accounts[trader.account_id]
            sample = self._random.sample(requests, min(SAMPLE, len(requests)))
            async with self.client(trader.account_id) as client:
                found += await self._differs(client, account_idx)
                if not found:
                    found += await by_client_differs(client, account_idx, sample, self.truth)
        return found

    async def _read(self) -> None:
        """Read what the journal has by now."""
        connection = await self.house.database()
        try:
            await self.truth.read(connection)
        finally:
            await connection.close()

    async def _differs(self, client: AsyncClient, account_idx: int) -> list[str]:
        """Compare what the API says; fees may be charged between the two looks, so look again."""
        found = await api_differs(client, account_idx, self.truth)
        for _ in range(LOOKS_AGAIN):
            if found:
                await self._read()
                found = await api_differs(client, account_idx, self.truth)
        return found

    async def reckon_with_everything(self) -> list[str]:
        """Hold all answers, the tables and the naive engine against the whole journal."""
        connection = await self.house.database()
        try:
            found = await self._tables(connection)
        finally:
            await connection.close()
        record = Record([r for trader in self.traders for r in trader.record.requests])
        found += violations(record, self.truth, self.accounts)
        return found + self._oracle_differs()

    async def _tables(self, connection: asyncpg.Connection) -> list[str]:
        """Compare in a transaction in which clearing has posted all of the journal."""
        deadline = time.monotonic() + CATCH_UP_S
        while True:
            async with connection.transaction(isolation="repeatable_read"):
                cleared = await cleared_seq(connection)
                await self.truth.read(connection)
                if cleared == self.truth.last_seq:
                    return await tables_differ(connection, self.truth)
            if time.monotonic() > deadline:
                return [f"clearing is at {cleared}, the journal at {self.truth.last_seq}"]
            await asyncio.sleep(0.01)

    def _oracle_differs(self) -> list[str]:
        """Apply all commands with the naive engine: the events must be those of the journal."""
        oracle, truth = Oracle(), self.truth
        for place in range(0, truth.last_seq, GROUP):
            commands = [tuple(command) for command in truth.commands[place : place + GROUP]]
            said = [tuple(e) for some in truth.events[place : place + GROUP] for e in some]
            events = oracle.apply(np.array(commands, COMMAND))
            if events.tobytes() != np.array(said, EVENT).tobytes():
                return [f"the naive engine disagrees between {place + 1} and {place + GROUP}"]
        return []
