"""A whole exchange in one process for tests of the API: the real sequencer, no database."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from api.app import create_app
from api.auth import Authenticator
from api.deps import EdgeSettings, Services
from api.gateway import Gateway
from api.limits import Limits, LimitSettings
from api.server import PICOWS, make_server
from api.ws.hub import Hub
from exchange.io.bus_memory import MemoryBus
from exchange.io.clock import Clock, SystemClock
from exchange.io.registry import NewApiKey, Scope
from exchange.io.status import Status
from exchange.rules.mirror import Mirror
from exchange.services.market_data import MarketData
from exchange.services.node.following import Following
from exchange.services.sequencer import Sequencer
from matching.codes import Kind, TradingState
from tests.oracle.state import Capacity
from tests.support.api_core import OracleCore
from tests.support.api_fakes import (
    MemoryAccounts,
    MemoryKeys,
    MemorySettlements,
    MemorySignatures,
    MemoryTransfers,
    MemoryViews,
)
from tests.support.custody_fakes import MemoryCustody
from tests.support.delivery_fakes import memory_delivering
from tests.support.gated import GatedJournal
from tests.support.index_fakes import MemoryIndex
from tests.support.memory_alerts import MemoryAlerts, seen
from tests.support.memory_auctions import MemoryAuctions
from tests.support.memory_billing import MemoryBilling
from tests.support.memory_corrections import MemoryCorrections
from tests.support.memory_defaults import MemoryDefaults
from tests.support.memory_giveups import MemoryGiveUps
from tests.support.memory_members import MemoryMembers
from tests.support.memory_restraints import MemoryRestraints
from tests.support.memory_roots import MemoryRoots
from tests.support.memory_webhooks import MemoryWebhooks
from tests.support.observation_fakes import memory_observing
from tests.support.rows import command
from tests.support.scenario_fakes import MemoryScenarios
from tests.support.waiting import PATIENCE_S
from wellhead.signing import sign

SYMBOL = "H100-USE-2027M03"
OTHER = "H100-USE-2027M04"
ALL_SCOPES = frozenset(Scope)


class World:
    """Everything of one gateway process, with the keys of three accounts."""

    def __init__(
        self,
        limits: LimitSettings | None = None,
        bus: MemoryBus | None = None,
        capacity: Capacity | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.bus = bus or MemoryBus()
        self.journal = GatedJournal()
        self.journal.gate.set()
        self.status = Status()
        self.mirror = Mirror()
        self.clock = clock or SystemClock()
        self.origins = itertools.count(1)
        self.sequencer = Sequencer(
            core=OracleCore(capacity),
            journal=self.journal,
            bus=self.bus,
            clock=self.clock,
            status=self.status,
        )
        self.gateway = Gateway(
            bus=self.bus,
            mirror=self.mirror,
            next_origin_id=self._next_origin_id,
            status=lambda: self.status,
        )
        self.feed = MarketData(self.mirror)
        self.gateway.listen(self.feed.apply)
        self.limits = Limits(limits or LimitSettings(reads_per_s=10**6, public_per_s=10**6,
                                                     failed_auth_per_s=10**6))  # fmt: skip
        self.accounts = MemoryAccounts(self)
        self.keys = MemoryKeys(self.accounts)
        self.signatures = MemorySignatures()
        self.now_ns = time.time_ns
        self.defaults = MemoryDefaults()
        self.auctions = MemoryAuctions()
        self.index = MemoryIndex()
        self.defaults.accounts = self.accounts
        self.services = Services(
            gateway=self.gateway,
            feed=self.feed,
            auth=Authenticator(self.keys, self.signatures, self.limits, lambda: self.now_ns()),
            limits=self.limits,
            accounts=self.accounts,
            keys=self.keys,
            transfers=MemoryTransfers(self),
            custody=MemoryCustody(self),
            views=MemoryViews(self.mirror),
            settlements=MemorySettlements(),  # type: ignore[arg-type]
            corrections=MemoryCorrections(),  # type: ignore[arg-type]
            settlement_roots=MemoryRoots(SYMBOL, OTHER),  # type: ignore[arg-type]
            scenarios=MemoryScenarios(),
            now_ns=lambda: self.now_ns(),
            defaults=self.defaults,  # type: ignore[arg-type]
            billing=MemoryBilling(),  # type: ignore[arg-type]
            index=self.index,
            giveups=MemoryGiveUps(),  # type: ignore[arg-type]
            auctions=self.auctions,  # type: ignore[arg-type]
            alerts=MemoryAlerts(seen(1)),  # type: ignore[arg-type]
            members=MemoryMembers(self.accounts),  # type: ignore[arg-type]
            restraints=MemoryRestraints(),  # type: ignore[arg-type]
            webhooks=MemoryWebhooks(),  # type: ignore[arg-type]
            edge=EdgeSettings(),
        )
        self.services.delivering = memory_delivering()
        self.services.observing = memory_observing(self.services.auth)
        self.hub = Hub(self.services)
        self.app = create_app(self.services, self.hub)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://exchange",
        )
        self.secrets: dict[str, NewApiKey] = {}
        self.url = ""
        self._timestamps = itertools.count(0)
        self._tasks: list[asyncio.Task[Any]] = []

    async def _next_origin_id(self) -> int:
        return next(self.origins)

    async def start(self) -> None:
        following = Following(self.mirror, self.gateway.apply, self.gateway.foresee, [])
        self.bus.attach(following)
        run = (
            self.sequencer.run(),
            self.gateway.run(),
            following.run(self.journal, self.bus),
            self.feed.run(self.hub.flush),
            self.hub.run(),
        )
        self._tasks = [asyncio.create_task(work) for work in run]
        for name in ("alice", "bob", "operator"):
            account = await self.accounts.create(account_id=name, name=name.title())
            await self.accounts.wait_open(account.account_idx)
            scopes = ALL_SCOPES if name == "operator" else ALL_SCOPES - {Scope.ADMIN}
            self.secrets[name] = await self.keys.create(
                account_idx=account.account_idx, scopes=scopes
            )
            await self.services.transfers.request(
                account_idx=account.account_idx,
                amount_usd_micros=10**15,
                client_key=f"first-{name}",
            )
        for idx, symbol in enumerate((SYMBOL, OTHER)):
            await self.list_contract(idx, symbol)

    async def list_contract(self, idx: int, symbol: str) -> str:
        """List a contract and return its symbol."""
        await self.command(
            command(
                Kind.LIST, contract_idx=idx, symbol=symbol, price_ticks=2000,
                amount_usd_micros=744_000, qty_lots=10_000, state=TradingState.CONTINUOUS,
            )
        )  # fmt: skip
        return symbol

    async def list_month_ahead(self) -> str:
        """List a month that trades for half a year or so, whenever the test runs."""
        then = datetime.fromtimestamp(self.now_ns() // 10**9, UTC) + timedelta(days=200)
        return await self.list_contract(
            len(self.mirror.contracts), f"H100-USE-{then.year}M{then.month:02}"
        )

    async def stop(self) -> None:
        await self.http.aclose()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def command(self, row: np.ndarray) -> np.ndarray:
        """Send a command of the exchange itself and return its events."""
        after = self.mirror.seq
        await self.bus.send(row)
        while True:
            await asyncio.sleep(0.001)
            for batch in self.journal.batches:
                if batch.last_seq > after and batch.last_seq <= self.mirror.seq:
                    own = np.flatnonzero(
                        (batch.commands["origin_id"] == 0)
                        & (batch.commands["kind"] == row["kind"][0])
                        & (batch.commands["seq"] > after)
                    )
                    if len(own):
                        seq = batch.commands["seq"][own[0]]
                        return batch.events[batch.events["seq"] == seq]

    # REST

    def headers(self, who: str, method: str, target: str, body: bytes = b"") -> dict[str, str]:
        """Return signed headers, never the same twice."""
        made = self.secrets[who]
        later, ms = divmod(next(self._timestamps), 4000)
        timestamp = self.now_ns() // 1_000_000 - 4000 + ms
        window = 30_000 + later  # with the time it makes each signature another
        return {
            "WH-KEY": made.key.key_id,
            "WH-TIMESTAMP": str(timestamp),
            "WH-RECV-WINDOW": str(window),
            "WH-SIGN": sign(
                made.secret_text or "",
                timestamp_ms=timestamp,
                key=made.key.key_id,
                recv_window_ms=window,
                method=method,
                target=target,
                body=body,
            ),
        }

    async def call(
        self, who: str, method: str, path: str, body: Any = None, raw: bytes | None = None
    ) -> httpx.Response:
        """Send a signed request."""
        target = f"/api/v1{path}"
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        headers = self.headers(who, method, target, content) if who else {}
        if content or body is not None:
            headers["content-type"] = "application/json"
        return await self.http.request(method, target, content=content, headers=headers)

    async def place(self, who: str, side: str, price: str, quantity: str, **more: Any) -> Any:
        """Place a limit order and return the answer's JSON."""
        body = {"symbol": SYMBOL, "side": side, "price": price, "quantity": quantity, **more}
        return (await self.call(who, "POST", "/orders", body)).json()

    # Websocket

    @asynccontextmanager
    async def serving(self, ws: str = PICOWS) -> AsyncIterator[str]:
        """Serve on a free port; yields the websocket's address."""
        server = make_server(self.app, self.hub, host="127.0.0.1", port=0, ws=ws)
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        try:
            yield f"ws://127.0.0.1:{port}/api/v1/ws"
        finally:
            server.should_exit = True
            await asyncio.wait_for(task, PATIENCE_S)

    @asynccontextmanager
    async def socket(self, url: str, who: str = "", **auth: Any) -> AsyncIterator["Socket"]:
        """Connect, and log in as somebody."""
        async with connect(url, max_size=None, compression=None) as raw:
            socket = Socket(raw)
            if who:
                reply = await socket.ask("auth", **self.auth(who), **auth)
                assert reply["ok"], reply
            yield socket

    def auth(self, who: str) -> dict[str, Any]:
        """Return the fields of an auth message."""
        headers = self.headers(who, "GET", "/api/v1/ws")
        return {
            "key": headers["WH-KEY"],
            "timestamp": int(headers["WH-TIMESTAMP"]),
            "recv_window": int(headers["WH-RECV-WINDOW"]),
            "signature": headers["WH-SIGN"],
        }


class Socket:
    """A websocket client that tells replies from channel messages."""

    def __init__(self, raw: ClientConnection) -> None:
        self.raw = raw
        self.pushed: list[dict[str, Any]] = []
        self._ids = itertools.count(1)

    async def receive(self, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        message = json.loads(await asyncio.wait_for(self.raw.recv(), timeout_s))
        assert isinstance(message, dict)
        return message

    async def send(self, op: str, **fields: Any) -> int:
        request_id = next(self._ids)
        await self.raw.send(json.dumps({"op": op, "id": request_id, **fields}))
        return request_id

    async def reply(self, request_id: Any) -> dict[str, Any]:
        while True:
            message = await self.receive()
            if "ok" in message and message["id"] == request_id:
                return message
            if "channel" in message:
                self.pushed.append(message)

    async def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        return await self.reply(await self.send(op, **fields))

    async def push(self, channel: str, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """Return the next message of a channel."""
        for place, message in enumerate(self.pushed):
            if message["channel"] == channel:
                return self.pushed.pop(place)
        while True:
            message = await self.receive(timeout_s)
            if message.get("channel") == channel:
                return message
            self.pushed.append(message)


@asynccontextmanager
async def running(
    limits: LimitSettings | None = None,
    bus: MemoryBus | None = None,
    capacity: Capacity | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[World]:
    """Start a world and stop it."""
    world = World(limits, bus, capacity, clock)
    await world.start()
    try:
        yield world
    finally:
        await world.stop()
