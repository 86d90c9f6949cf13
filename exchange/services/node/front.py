"""The role of the gateway: the public API over a mirror, and the market data beside it."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import uvicorn

from api.app import create_app
from api.auth import AHEAD_MS_MAX, Authenticator
from api.deps import EdgeSettings, Services
from api.errors import Problem
from api.gateway import Gateway
from api.limits import Limits
from api.server import make_server
from api.ws.hub import Hub
from exchange.config import Role, Settings
from exchange.io.bus import Bus
from exchange.io.errors import PortTaken
from exchange.io.registry_accounts import PostgresAccounts
from exchange.io.registry_keys import PostgresApiKeys
from exchange.io.registry_requests import PostgresOrigins, PostgresSignatures
from exchange.io.registry_transfers import PostgresTransfers
from exchange.io.signatures_memory import MemorySignatures, begins_at_ns
from exchange.io.status import Status
from exchange.io.views import Views
from exchange.rules.mirror import Mirror
from exchange.services.market_data import MarketData
from exchange.services.node.crew import Crew
from exchange.services.node.ground import Ground
from exchange.services.node.metrics import Numbers
from matching.limits import CONTRACTS_MAX

NS_PER_MS: Final = 1_000_000
STOP_TIMEOUT_S: Final = 5.0


def bind(settings: Settings) -> socket.socket:
    """Take the port; nothing is answered on it yet.

    Errors:
        PortTaken: another program has it, or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((settings.host, settings.port))
    except OSError as error:
        taken.close()
        raise PortTaken(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror}; stop the"
            " program that does, or choose another port with WELLHEAD_PORT"
        ) from error
    return taken


def url_of(listening: socket.socket) -> str:
    """Return the address of the API on a socket."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class ReadOnlyGateway(Gateway):
    """The gateway of a process that serves market data only."""

    def check_open(self, *, reduces: bool = False) -> None:
        """Raise: this process takes no commands."""
        raise Problem("unavailable", "this process serves market data; send orders to a gateway")


@dataclass(slots=True, kw_only=True)
class Front:
    """What the gateway's role is made of."""

    gateway: Gateway
    feed: MarketData
    hub: Hub
    keys: PostgresApiKeys
    limits: Limits
    server: uvicorn.Server

    def count(self, numbers: Numbers) -> None:
        """Show how busy it is."""
        gateway, limits = self.gateway, self.limits
        numbers.gauge(
            "pending_commands", "Commands without an answer.", lambda: gateway.pending_count
        )
        numbers.counter("resent_commands", "Commands sent again.", lambda: gateway.resent_count)
        mirror = gateway.mirror
        numbers.gauge(
            "contracts", "Contracts ever listed: slots in use.", lambda: len(mirror.contracts)
        )
        numbers.gauge("contracts_max", "Slots for contracts.", lambda: CONTRACTS_MAX)
        numbers.gauge("websockets", "Open websockets.", lambda: limits.connection_count)

    def begin(self, crew: Crew, listening: socket.socket) -> None:
        """Send, follow up and answer until `end`."""
        if not isinstance(self.gateway, ReadOnlyGateway):
            crew.start("gateway", self.gateway.run())
        crew.start("hub", self.hub.run())
        crew.start("market data", self.feed.run(self.hub.flush))
        crew.start("server", self.server.serve(sockets=[listening]))

    async def answering(self) -> None:
        """Wait until the API answers."""
        # uvicorn has no event to wait for
        while not self.server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    async def end(self, crew: Crew) -> None:
        """Take no more requests, end what is open."""
        self.hub.close()
        self.server.should_exit = True
        await crew.wait("server", STOP_TIMEOUT_S)
        await crew.end("server", "hub", "market data", "gateway")


def _authenticator(
    ground: Ground, keys: PostgresApiKeys, limits: Limits, journal_ns: int
) -> Authenticator:
    """Return what checks signatures.

    One process of one machine remembers by itself which were used; where there may be other
    gateways Postgres remembers, at the price of a commit for each request.
    """
    if ground.postgres is None or ground.settings.redis_url is not None:
        return Authenticator(keys, PostgresSignatures(ground.pool), limits, time.time_ns)
    begins_ns = begins_at_ns(ground.began_ns, journal_ns, AHEAD_MS_MAX * NS_PER_MS)
    memory = MemorySignatures(time.time_ns)
    return Authenticator(keys, memory, limits, time.time_ns, not_before_ns=begins_ns)


def make_front(
    ground: Ground,
    bus: Bus,
    mirror: Mirror,
    status: Callable[[], Status],
    head: Callable[[], Awaitable[int]] | None,
) -> Front:
    """Return the API over a mirror that is at the journal's head."""
    settings, pool = ground.settings, ground.pool
    keys, limits = PostgresApiKeys(pool, ground.box), Limits()
    takes_orders = settings.has_role(Role.GATEWAY)
    gateway = (Gateway if takes_orders else ReadOnlyGateway)(
        bus=bus,
        mirror=mirror,
        next_origin_id=PostgresOrigins(pool).next_origin_id,
        status=status,
        head=head,
    )
    views = Views(pool)
    feed = MarketData(mirror, views)
    gateway.listen(feed.apply)
    services = Services(
        gateway=gateway,
        feed=feed,
        auth=_authenticator(ground, keys, limits, mirror.ts_ns),
        limits=limits,
        accounts=PostgresAccounts(pool),
        keys=keys,
        transfers=PostgresTransfers(pool),
        views=views,
        now_ns=time.time_ns,
        edge=EdgeSettings(trust_proxy_headers=settings.trust_proxy_headers),
    )
    hub = Hub(services)
    server = make_server(create_app(services, hub), hub, host=settings.host, port=settings.port)
    # The node stops on signals, not the server by itself.
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    return Front(
        gateway=gateway,
        feed=feed,
        hub=hub,
        keys=keys,
        limits=limits,
        server=server,
    )
