"""The node itself: which parts its roles need, started in order, ended in reverse."""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

import structlog

from exchange.config import Role, Settings
from exchange.io.batch import Batch
from exchange.io.bus import Bus
from exchange.io.bus_memory import MemoryBus
from exchange.io.folder import DataFolder, Instance
from exchange.io.journal_postgres import PostgresJournalReader
from exchange.io.notify import (
    API_KEY,
    DEFAULT_AUCTION,
    EFD,
    INDEX,
    MARGIN_CALL,
    NOTICE,
    OUTBOX,
    SCENARIOS,
    listen,
)
from exchange.io.registry_accounts import PostgresAccounts
from exchange.io.registry_keys import PostgresApiKeys
from exchange.io.snapshots import Snapshots
from exchange.io.status import Status
from exchange.io.turns import take_short_turns
from exchange.io.views import Views
from exchange.rules.mirror import Mirror
from exchange.services.clearing import Clearing
from exchange.services.node.buses import check_apart, open_bus
from exchange.services.node.crew import Crew
from exchange.services.node.engine import EngineRole
from exchange.services.node.follower_child import FollowerChild, log_environment
from exchange.services.node.following import Following, OnBatch
from exchange.services.node.front import Front, bind, make_front, url_of
from exchange.services.node.garbage import calm, collect_rarely
from exchange.services.node.ground import Ground, prepare
from exchange.services.node.metrics import Numbers, serve_metrics
from exchange.services.node.operator_key import ensure_operator_key
from exchange.services.node.progress import Progress
from exchange.services.node.reading import start_mirror
from exchange.services.node.watching import (
    keep_clock_status,
    keep_followers_status,
    keep_leaders_status,
)
from exchange.services.node.webhook_child import WebhookChild, deliver
from exchange.services.surveillance import Surveillance

LISTING_TIMEOUT_S: Final = 30.0

_log = structlog.get_logger(__name__)


class Node:
    """One process of the exchange: `start`, then `end`."""

    def __init__(self, settings: Settings, progress: Progress, crew: Crew) -> None:
        self.settings = settings
        self.crew = crew
        self.status = Status(started_ns=time.time_ns())
        self.api_url: str | None = None
        self._progress = progress
        self._numbers = Numbers(self.status)
        self._listeners: list[OnBatch] = []
        self._bus: Bus | None = None
        self._engine: EngineRole | None = None
        self._front: Front | None = None
        self._clearing: FollowerChild | None = None
        self._surveillance: FollowerChild | None = None
        self._webhooks: WebhookChild | None = None

    @property
    def is_warming(self) -> bool:
        """Say whether a thread still compiles kernels."""
        return self._engine is not None and self._engine.is_warming

    async def start(self, stack: AsyncExitStack) -> None:
        """Start the parts of every role; what this opens closes with the stack.

        Errors:
            ExchangeError: as `serve` says.
        """
        check_apart(self.settings)
        # What can be refused comes first, the folder before the port: who starts a second node
        # by mistake is told about the first one.
        folder = stack.enter_context(DataFolder(self.settings.data_dir))
        listening = self._bind(stack)
        serve_metrics(self.settings, self._numbers, stack)
        ground = await prepare(self.settings, folder, self._progress, stack)
        if ground.postgres is not None:
            self.crew.start("postgres", ground.postgres.watch())
        if self.settings.has_role(Role.ENGINE) or listening is not None:
            await self._start_market(ground, listening)
        elif self.settings.has_role(Role.CLEARING):
            self.crew.start("clearing", Clearing(ground.database).run(self.crew.stop))
            self.crew.start("surveillance", Surveillance(ground.database).run(self.crew.stop))
            self.crew.start("webhooks", deliver(ground, self.crew.stop))
        url = ground.database.app_url if ground.postgres is not None else None
        ground.folder.describe(Instance(pid=os.getpid(), database_url=url, api_url=self.api_url))
        calm()
        self.crew.start("garbage", collect_rarely())
        self._progress("ready")

    async def end(self) -> None:
        """End what was started: first what takes requests, last what keeps them."""
        if self._front is not None:
            await self._front.end(self.crew)
        await self.crew.end("background", "status", "notices", "webhook figures")
        if self._engine is not None:
            await self._engine.end()
        await self.crew.end("follow")
        if self._bus is not None:
            await self._bus.close()
        for name, child in (
            ("webhooks", self._webhooks),
            ("surveillance", self._surveillance),
            ("clearing", self._clearing),
        ):
            if child is not None:
                await self.crew.end(name)
                await child.end()

    def _bind(self, stack: AsyncExitStack) -> socket.socket | None:
        """Take the port of the API, if this process has one."""
        if not any(self.settings.has_role(r) for r in (Role.GATEWAY, Role.MARKET_DATA)):
            return None
        return stack.enter_context(bind(self.settings))

    async def _start_market(self, ground: Ground, listening: socket.socket | None) -> None:
        """Start what follows the journal: engine, gateway, or both."""
        bus = self._bus = open_bus(self.settings)
        journal = PostgresJournalReader(ground.pool)
        if self.settings.has_role(Role.ENGINE):
            self._engine = EngineRole(ground, bus, self.status, self.crew)
            await self._engine.lead(self._progress)
            take_short_turns()  # orders are waited for
        mirror = await start_mirror(journal, Snapshots(ground.pool), self._progress)
        apply, foresee = self._make_front(ground, bus, mirror, journal, listening)
        if self._engine is not None:
            self._listeners.append((await self._engine.begin(mirror)).observe)
        self._start_clearing(ground)
        following = Following(mirror, apply, foresee, self._listeners)
        if isinstance(bus, MemoryBus):
            bus.attach(following)
        self.crew.start("follow", following.run(journal, bus))
        self.crew.start("status", self._keep_status(ground, bus))
        self.crew.start("notices", self._hear(ground))
        if self._engine is not None:
            self._engine.begin_calendar()
            await self._wait_listed(self._engine, mirror)
        if self._front is not None and listening is not None:
            await self._front.due(self.status)
            self._front.begin(self.crew, listening)
            self.crew.start("clock", keep_clock_status(self.status, self._front.behind_until_ns))
            await self._front.answering()
            self.api_url = url_of(listening)
        if self._engine is not None:
            await ensure_operator_key(
                ground.folder.path,
                self.api_url,
                PostgresAccounts(ground.pool),
                PostgresApiKeys(ground.pool, ground.box),
            )
            self._engine.begin_liquidation()

    def _make_front(
        self,
        ground: Ground,
        bus: Bus,
        mirror: Mirror,
        journal: PostgresJournalReader,
        listening: socket.socket | None,
    ) -> tuple[OnBatch, OnBatch]:
        """Make the API if this process has one; return what takes in a batch, and foresees one."""
        if listening is None:
            return lambda batch: _apply(mirror, batch), lambda batch: None
        # In one process the mirror shows what a reply says before anyone can ask: no need to.
        head = None if isinstance(bus, MemoryBus) else journal.head
        front = self._front = make_front(ground, bus, mirror, lambda: self.status, head)
        front.count(self._numbers)
        return front.gateway.apply, front.gateway.foresee

    def _start_clearing(self, ground: Ground) -> None:
        """Start clearing beside us: as a child here, so that it has a processor of its own."""
        if not self.settings.has_role(Role.CLEARING):
            return
        logged = log_environment(self.settings)
        clearing = self._clearing = FollowerChild(ground.database, "clearing", logged)
        clearing.start()
        self.crew.start("clearing", clearing.watch())
        watched = self._surveillance = FollowerChild(ground.database, "surveillance", logged)
        watched.start()
        self.crew.start("surveillance", watched.watch())
        self._webhooks = WebhookChild(ground)
        self.crew.start("webhooks", self._webhooks.watch())
        if self.settings.metrics_port:
            self._webhooks.count(self._numbers)
            self.crew.start("webhook figures", self._webhooks.keep_figures())
        self._listeners.append(lambda batch: clearing.wake())

    async def _keep_status(self, ground: Ground, bus: Bus) -> None:
        if self._engine is None:
            await keep_followers_status(self.status, bus)
            return
        clearing = self._clearing
        await keep_leaders_status(
            self.status,
            bus,
            Views(ground.pool),
            self.settings.clearing_lag_commands_max,
            lambda: clearing is not None and clearing.is_corrupt,
        )

    async def _hear(self, ground: Ground) -> None:
        """Act at once on what another process has written into Postgres."""
        heard: dict[str, Callable[[str], None]] = {}
        if self._front is not None:
            heard[API_KEY] = self._front.keys.changed
            heard[INDEX] = self._front.hub.indices.changed
            heard[MARGIN_CALL] = self._front.hub.calls.changed
            heard[NOTICE] = self._front.hub.notices.changed
            heard[DEFAULT_AUCTION] = self._front.hub.auctions.changed
            heard[EFD] = self._front.hub.efd.changed
        if self._engine is not None:
            heard[OUTBOX] = self._engine.wake_outbox
            heard[SCENARIOS] = self._engine.wake_scenarios
        await listen(ground.database, heard)

    async def _wait_listed(self, engine: EngineRole, mirror: Mirror) -> None:
        """Wait until the calendar has listed what there is to list."""
        deadline = time.monotonic() + LISTING_TIMEOUT_S
        while missing := engine.unlisted_count():
            listed = len(mirror.contracts)
            self._progress("listing contracts", listed, listed + missing)
            if time.monotonic() > deadline:
                _log.warning("listing_goes_on", missing=missing)
                return
            await asyncio.sleep(0.05)


def _apply(mirror: Mirror, batch: Batch) -> None:
    if batch.last_seq > mirror.seq:
        mirror.apply(batch.commands, batch.events)
