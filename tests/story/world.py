"""The parts of a real node on real Postgres, on a clock that a story turns.

Sequencer, calendar, outbox, clearing, billing, delivery and the API are those of the node, wired
by the node. Only their loops are not begun: the story steps them whenever it turns the clock.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import asyncpg
import httpx

from exchange.config import Settings
from exchange.io.bus_memory import MemoryBus
from exchange.io.clock import ManualClock
from exchange.io.db import Database
from exchange.io.folder import DataFolder
from exchange.io.index_publish import publish
from exchange.io.journal_postgres import PostgresJournalReader
from exchange.io.notify import API_KEY, OUTBOX, listen
from exchange.io.observations import Batch, PostgresObservations
from exchange.io.registry_accounts import PostgresAccounts
from exchange.io.registry_keys import PostgresApiKeys
from exchange.io.secret_box import SecretBox
from exchange.io.snapshots import Snapshots
from exchange.io.status import Mode, Status
from exchange.rules import agenda
from exchange.rules.calendar import listed_periods
from exchange.rules.contracts import Contract, parse_series
from exchange.rules.observations import Draft
from exchange.rules.tenors import NS_PER_SECOND, Tenor, ns_of
from exchange.services.clearing import Clearing
from exchange.services.node.crew import Crew
from exchange.services.node.engine import EngineRole
from exchange.services.node.following import Following
from exchange.services.node.front import make_front
from exchange.services.node.ground import Ground
from exchange.services.node.operator_key import ensure_operator_key
from exchange.services.node.reading import start_mirror
from exchange.services.verify import Report, verify
from matching.engine import Engine
from wellhead.signing import sign

SERIES: Final = "H100-USE"
TENORS: Final = (Tenor.MONTH, Tenor.QUARTER)
LOOKS_MAX: Final = 400
PAUSE_NS: Final = 11 * NS_PER_SECOND  # the calendar looks again after ten
_FILE: Final = Batch(via="file", name="story.csv")


def listed_on(on: date) -> list[Contract]:
    """Return the months and quarters of one series: the rest of the catalogue has no part."""
    series = parse_series(SERIES)
    return [Contract(series, period) for tenor in TENORS for period in listed_periods(tenor, on)]


class StoryWorld:
    """A node whose services are stepped, and signed requests to its API."""

    def __init__(self, database: Database, pool: asyncpg.Pool, folder: DataFolder) -> None:
        self.database, self.pool, self.folder = database, pool, folder
        self.clock = ManualClock()
        self.status = Status()
        self.crew = Crew(asyncio.Event())
        self.keys: dict[str, tuple[str, str]] = {}
        self._stamps = 0
        self._posted = 0
        self._posting = asyncio.Event()
        self._clearing_stop = asyncio.Event()
        settings = Settings(
            data_dir=folder.path, build_scenarios=False, publish_index=False,
            import_observations=False, opening_call_s=0, closing_call_s=0,
        )  # fmt: skip
        self.ground = Ground(
            settings=settings, folder=folder, postgres=None, database=database, pool=pool,
            box=SecretBox("story " * 8), began_ns=0,
        )  # fmt: skip
        self.bus = MemoryBus()
        self.role = EngineRole(self.ground, self.bus, self.status, self.crew, self.clock)

    # Start and end

    async def start(self, now_ns: int) -> None:
        """Start everything that a node starts, but the loops that wait for time to pass."""
        self.clock.advance(now_ns)
        await self.role.lead(lambda *_: None)
        journal = PostgresJournalReader(self.pool)
        self.mirror = await start_mirror(journal, Snapshots(self.pool), lambda *_: None)
        front = self.front = make_front(
            self.ground, self.bus, self.mirror, lambda: self.status, None, self.clock.now_ns
        )
        self.parts = await self.role.begin(self.mirror)
        gateway = self.front.gateway
        posting = [self.parts.observe, lambda _: self._posting.set()]
        following = Following(self.mirror, gateway.apply, gateway.foresee, posting)
        self.bus.attach(following)
        self.crew.start("follow", following.run(journal, self.bus))
        self.crew.start("gateway", front.gateway.run())
        heard = {OUTBOX: self.role.wake_outbox, API_KEY: front.keys.changed}
        self.crew.start("notices", listen(self.database, heard))
        clearing = Clearing(self.database, wake=self._posting, on_posted=self._on_posted)
        self.crew.start("clearing", clearing.run(self._clearing_stop))
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(front.server.config.app), base_url="http://exchange"
        )
        self.status.mode = Mode.NORMAL
        await ensure_operator_key(
            self.folder.path, None, PostgresAccounts(self.pool),
            PostgresApiKeys(self.pool, self.ground.box),
        )  # fmt: skip
        found = json.loads((self.folder.path / "admin.json").read_text())
        self.keys["operator"] = (found["key"], found["secret"])

    async def end(self) -> None:
        """End all of it; raise what went wrong inside."""
        await self.http.aclose()
        self._clearing_stop.set()
        self._posting.set()
        await self.crew.wait("clearing", 10)
        await self.role.end()
        await self.crew.end()
        await self.bus.close()
        if self.crew.error is not None:
            raise self.crew.error

    def _on_posted(self, seq: int) -> None:
        self._posted = seq

    # Time

    async def until(self, day: date, hour: int, minute: int = 0) -> None:
        """Let time pass up to a moment, then do all that is due."""
        ns = ns_of(day, hour) + minute * 60 * NS_PER_SECOND
        self.clock.advance(max(0, ns - self.clock.now_ns()))
        await self.settle_down()

    async def settle_down(self) -> None:
        """Step the services until nothing is left to do."""
        await self.parts.days.step()
        for _ in range(2):  # trading ends with a tick, then there is more to do
            await self._calendar()
            self.clock.advance(PAUSE_NS)
        await self._calendar()

    async def _calendar(self) -> None:
        for number in range(1, LOOKS_MAX):
            busy = await self.parts.calendar.step()
            await self.quiet()
            if not busy:
                return
            if number % 8 == 0:  # what was sent moments ago counts as under way
                self.clock.advance(PAUSE_NS)
        raise AssertionError("the calendar never comes to rest")

    async def quiet(self) -> None:
        """Wait until everything that was sent is committed and known to everybody here."""
        async with asyncio.timeout(60):
            while True:
                await asyncio.sleep(0)
                sequencer, core = self.parts.sequencer, self.role._core
                assert core is not None
                waits = sequencer._own.count or sequencer._pending.count
                if not waits and self.mirror.seq == core.last_seq == self.status.journal_seq:
                    return
                await asyncio.sleep(0.0005)
                if self.crew.error is not None:
                    raise self.crew.error

    async def cleared(self) -> None:
        """Wait until clearing has posted what the journal has."""
        await self.quiet()
        async with asyncio.timeout(60):
            while self._posted < self.mirror.seq:
                self._posting.set()
                await asyncio.sleep(0.002)

    async def bill(self) -> None:
        """Charge what fills cost, and close the days that are over."""
        for _ in range(3):
            await self.cleared()
            self.parts.billing._billed_minute = -1  # as if another minute had begun
            await self.parts.billing.step()
            await self.quiet()

    async def deliver(self) -> None:
        """Do what is due of receipts until all that they pay is paid."""
        seen = -1
        async with asyncio.timeout(60):
            while True:
                await self.parts.delivery.step()
                await self.quiet()
                number, open_payments = await self.pool.fetchrow(
                    "SELECT (SELECT coalesce(max(number), 0) FROM cdr_event), (SELECT count(*)"
                    " FROM cdr_payment AS p WHERE NOT EXISTS (SELECT FROM cdr_event AS e"
                    " WHERE e.payment_id = p.payment_id))"
                )
                if number == seen and not open_payments:
                    return
                seen = number
                if open_payments:
                    await asyncio.sleep(0.002)

    async def exchange(self) -> None:
        """Call the sessions of the exchange for delivery that are due, and do all that follows."""
        await self.cleared()  # it asks what had moved before it began
        async with asyncio.timeout(60):
            while True:
                await self.parts.efd.step()
                await self.deliver()
                await self.parts.efd.step()
                await self.quiet()
                if not await self.pool.fetchval(
                    "SELECT count(*) FROM efd_leg LEFT JOIN efd_leg_end USING (leg_id)"
                    " WHERE outcome IS NULL"
                ):
                    break
        await self.deliver()

    # Prices

    async def publish(self, drafts: Iterable[Draft]) -> None:
        """Observe what providers said, and publish what is due of the index."""
        await PostgresObservations(self.pool).record(list(drafts), _FILE)
        async with self.pool.acquire() as connection:
            await publish(connection, self.clock.now_ns())
        await self.parts.index.feed(self.clock.now_ns())
        await self.quiet()

    # Requests

    async def ask(self, who: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Send a request as a client does; return its answer.

        Errors:
            AssertionError: it was refused.
        """
        target = f"/api/v1{path}"
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"} if content else {}
        if who:
            headers |= self._signed(who, method, target, content)
        answer = await self.http.request(method, target, content=content, headers=headers)
        assert answer.status_code < 300, (who, method, path, body, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    def _signed(self, who: str, method: str, target: str, body: bytes) -> dict[str, str]:
        key, secret = self.keys[who]
        self._stamps += 1  # with the time it makes each signature another
        timestamp_ms, window_ms = self.clock.now_ns() // 1_000_000, 5_000 + self._stamps % 20_000
        signature = sign(
            secret, timestamp_ms=timestamp_ms, key=key, recv_window_ms=window_ms, method=method,
            target=target, body=body,
        )  # fmt: skip
        return {
            "WH-KEY": key, "WH-TIMESTAMP": str(timestamp_ms), "WH-RECV-WINDOW": str(window_ms),
            "WH-SIGN": signature,
        }  # fmt: skip

    async def open(self, account_id: str, name: str, dollars: str) -> None:
        """Open an account with a key and money, as an operator does."""
        await self.ask("operator", "POST", "/admin/accounts",
                       {"account_id": account_id, "name": name})  # fmt: skip
        made = await self.ask("operator", "POST", f"/admin/accounts/{account_id}/keys",
                              {"scopes": ["read", "trade", "transfer"]})  # fmt: skip
        self.keys[account_id] = (made["key"]["key"], made["key"]["secret"])
        await self.ask("operator", "POST", f"/admin/accounts/{account_id}/deposits",
                       {"amount": dollars, "transfer_id": "first"})  # fmt: skip

    async def verified(self) -> Report:
        """Verify all that is stored, as `wellhead verify` does."""
        await self.cleared()
        return await verify(self.database, _restored)


def _restored(blob: bytes | None) -> Engine:
    return Engine() if blob is None else Engine.restore(blob)


@asynccontextmanager
async def story_world(
    database: Database, pool: asyncpg.Pool, path: Path, now_ns: int
) -> AsyncIterator[StoryWorld]:
    """Start a world, with one series listed, and end it."""
    with patch.object(agenda, "listed_contracts", listed_on), DataFolder(path) as folder:
        world = StoryWorld(database, pool, folder)
        await world.start(now_ns)
        try:
            yield world
        finally:
            await world.end()
