"""The role of the gateway: the public API over a mirror, and the market data beside it."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import asyncpg
import uvicorn

from api.app import create_app
from api.auth import AHEAD_MS_MAX, RECV_WINDOW_MS_DEFAULT, Authenticator
from api.delivering import Delivering
from api.deps import EdgeSettings, Services
from api.errors import Problem
from api.gateway import Gateway
from api.limits import Limits
from api.observing import Observing
from api.server import make_server
from api.ws.hub import Hub
from exchange.config import Role, Settings
from exchange.io.alerts import Alerts
from exchange.io.billing import Billing
from exchange.io.bus import Bus
from exchange.io.covers import Covers
from exchange.io.custody_postgres import PostgresCustody
from exchange.io.default_auctions import DefaultAuctions
from exchange.io.defaults import Defaults
from exchange.io.delivery import PostgresReceipts
from exchange.io.delivery_issuers import Issuers
from exchange.io.delivery_proofs import Proofs
from exchange.io.efd import Exchanges
from exchange.io.errors import PortTaken
from exchange.io.giveups import GiveUps
from exchange.io.index_store import PostgresIndex
from exchange.io.members import Members
from exchange.io.observation_keys import ProviderKeys
from exchange.io.observations import PostgresObservations
from exchange.io.registry import ApiKeys
from exchange.io.registry_accounts import PostgresAccounts
from exchange.io.registry_keys import PostgresApiKeys
from exchange.io.registry_requests import PostgresOrigins, PostgresSignatures
from exchange.io.registry_transfers import PostgresTransfers
from exchange.io.restraints import Restraints
from exchange.io.scenario_store import PostgresScenarios
from exchange.io.settlement_corrections import Corrections
from exchange.io.settlement_roots import SettlementRoots
from exchange.io.settlements import SettlementInputs
from exchange.io.signatures_memory import MemorySignatures, begins_at_ns
from exchange.io.status import Status
from exchange.io.stress_results import StressResults
from exchange.io.views import Views
from exchange.io.views_tape import TapeViews
from exchange.io.webhooks import Webhooks
from exchange.rules.mirror import Mirror
from exchange.services.market_data import MarketData
from exchange.services.node.crew import Crew
from exchange.services.node.ground import Ground
from exchange.services.node.metrics import Numbers
from matching.limits import CONTRACTS_MAX

NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000
STOP_TIMEOUT_S: Final = 5.0
DUE_S_MAX: Final = 5.0
CLEARING_WAIT_S: Final = 2.0  # at a start; behind a crash it is behind


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
    begins_ns: int  # signatures from before are refused
    forgotten_ns: Callable[[], int] = lambda: 0  # so are those that expire before

    def behind_until_ns(self) -> int:
        """Return until when the clock must go for signatures to be accepted, 0 if they are.

        Windows longer than the usual one are accepted a little sooner, where it went back later.
        """
        now_ns, forgotten_ns = time.time_ns(), self.forgotten_ns()
        if now_ns + AHEAD_MS_MAX * NS_PER_MS < self.begins_ns:
            return max(self.begins_ns, forgotten_ns)
        lasts_ns = (RECV_WINDOW_MS_DEFAULT + AHEAD_MS_MAX) * NS_PER_MS
        return forgotten_ns if now_ns + lasts_ns < forgotten_ns else 0

    async def due(self, status: Status) -> None:
        """Wait until the first answers are whole: what was before the start is known.

        And until what is signed now is accepted: a second at most, unless the clock went back.
        Then those who sign are told so, and the rest is served.
        """
        cleared_seq = await self.feed.begin(CLEARING_WAIT_S)
        status.clearing_seq = max(status.clearing_seq, cleared_seq)
        await asyncio.sleep(max(0.0, min(DUE_S_MAX, (self.begins_ns - time.time_ns()) / NS_PER_S)))

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


def _begins_ns(ground: Ground, journal_ns: int) -> int:
    """Return from when on a signature may bear its time; 0 where Postgres remembers them all.

    One process of one machine remembers by itself which were used; where there may be other
    gateways Postgres does, at the price of a commit for each request.
    """
    if ground.postgres is None or ground.settings.redis_url is not None:
        return 0
    return begins_at_ns(ground.began_ns, journal_ns, AHEAD_MS_MAX * NS_PER_MS)


def _observing(pool: asyncpg.Pool, signed_by: Callable[[ApiKeys], Authenticator]) -> Observing:
    providers = ProviderKeys(pool)
    auth = signed_by(providers)  # type: ignore[arg-type]  # it finds keys, and makes none
    return Observing(store=PostgresObservations(pool), keys=providers, auth=auth)


def _delivering(pool: asyncpg.Pool) -> Delivering:
    return Delivering(
        receipts=PostgresReceipts(pool), issuers=Issuers(pool), proofs=Proofs(pool),
        exchanges=Exchanges(pool), covers=Covers(pool),
    )  # fmt: skip


def _edge(settings: Settings) -> EdgeSettings:
    return EdgeSettings(
        trust_proxy_headers=settings.trust_proxy_headers,
        webhook_hosts=frozenset(settings.webhook_hosts),
    )


def make_front(
    ground: Ground,
    bus: Bus,
    mirror: Mirror,
    status: Callable[[], Status],
    head: Callable[[], Awaitable[int]] | None,
    now_ns: Callable[[], int] = time.time_ns,
) -> Front:
    """Return the API over a mirror that is at the journal's head; `now_ns` is its clock."""
    settings, pool = ground.settings, ground.pool
    keys, limits = PostgresApiKeys(pool, ground.box), Limits()
    begins_ns = _begins_ns(ground, mirror.ts_ns)
    remembered = MemorySignatures(now_ns)
    signatures = remembered if begins_ns else PostgresSignatures(pool)

    def signed_by(known: ApiKeys) -> Authenticator:
        return Authenticator(known, signatures, limits, now_ns, not_before_ns=begins_ns)

    takes_orders = settings.has_role(Role.GATEWAY)
    gateway = (Gateway if takes_orders else ReadOnlyGateway)(
        bus=bus,
        mirror=mirror,
        next_origin_id=PostgresOrigins(pool).next_origin_id,
        status=status,
        head=head,
    )
    views = Views(pool)
    feed = MarketData(
        mirror,
        TapeViews(pool),
        block_delay_ns=settings.block_delay_s * NS_PER_S,
        now_ns=now_ns,
    )
    gateway.listen(feed.apply)
    services = Services(
        gateway=gateway,
        feed=feed,
        auth=signed_by(keys),
        limits=limits,
        accounts=PostgresAccounts(pool),
        keys=keys,
        transfers=PostgresTransfers(pool),
        custody=PostgresCustody(pool),
        views=views,
        settlements=SettlementInputs(pool),
        corrections=Corrections(pool),
        settlement_roots=SettlementRoots(pool),
        scenarios=PostgresScenarios(pool),
        now_ns=now_ns,
        defaults=Defaults(pool),
        observing=_observing(pool, signed_by),
        alerts=Alerts(pool),
        stress=StressResults(pool),
        billing=Billing(pool),
        index=PostgresIndex(pool),
        delivering=_delivering(pool),
        giveups=GiveUps(pool),
        auctions=DefaultAuctions(pool),
        members=Members(pool),
        restraints=Restraints(pool),
        webhooks=Webhooks(pool, ground.box),
        edge=_edge(settings),
    )
    hub = Hub(services)
    server = make_server(create_app(services, hub), hub, host=settings.host, port=settings.port)
    # The node stops on signals, not the server by itself.
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    return Front(
        gateway=gateway, feed=feed, hub=hub, keys=keys, limits=limits, server=server,
        begins_ns=begins_ns, forgotten_ns=lambda: remembered.forgotten_ns,
    )  # fmt: skip
