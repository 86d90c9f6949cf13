"""What routes are given: the parts of the exchange, who asks, and what was said."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Generic, TypeVar
from urllib.parse import parse_qsl

import msgspec
from fastapi import Depends, Request

from api.auth import RECV_WINDOW_MS_DEFAULT, Authenticator, Claim, Principal
from api.curves import Curves
from api.errors import Problem
from api.feed import Feed
from api.gateway import Gateway
from api.instruments import IndexAges
from api.limits import Bucket, Buckets, Limits
from api.observing import Observing
from api.strict import ORDER_BYTES_MAX, Decoder
from api.views import Views
from exchange.io.alerts import Alerts
from exchange.io.billing import Billing
from exchange.io.custody import Custody
from exchange.io.default_auctions import DefaultAuctions
from exchange.io.defaults import Defaults
from exchange.io.giveups import GiveUps
from exchange.io.hedge_child import Bases
from exchange.io.index_store import Index
from exchange.io.members import Members
from exchange.io.registry import Accounts, ApiKeys, Scope, Transfers
from exchange.io.restraints import Restraints
from exchange.io.scenario_store import Scenarios
from exchange.io.settlement_corrections import Corrections
from exchange.io.settlement_roots import SettlementRoots
from exchange.io.settlements import SettlementInputs
from exchange.io.stress_results import StressResults
from exchange.io.webhooks import Webhooks
from exchange.rules.desk import Desk

T = TypeVar("T")

HEADER_BYTES_MAX: Final = 256
QUERY_BYTES_MAX: Final = 4096
LIMIT_DEFAULT: Final = 100
LIMIT_MAX: Final = 1000
ROWS_A_REQUEST: Final = 25  # of a page: so many more count as one request more
_WHOLE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSettings:
    """How the edge of the network is treated."""

    trust_proxy_headers: bool = False
    webhook_hosts: frozenset[str] = frozenset()  # name:port that need not be public
    ws_origins: frozenset[str] = frozenset()  # empty: any; else the Origin header must be one


@dataclass(slots=True, kw_only=True)
class Services:
    """Everything the API talks to; made by who wires the process."""

    gateway: Gateway
    feed: Feed
    auth: Authenticator
    limits: Limits
    accounts: Accounts
    keys: ApiKeys
    transfers: Transfers
    custody: Custody
    views: Views
    settlements: SettlementInputs | None = None
    corrections: Corrections | None = None  # None: not served here
    settlement_roots: SettlementRoots | None = None
    scenarios: Scenarios
    now_ns: Callable[[], int]
    defaults: Defaults | None = None  # None: not served here
    alerts: Alerts | None = None
    bases: Bases = field(default_factory=Bases)  # for the hedge desk
    billing: Billing | None = None
    observing: Observing | None = None  # None: not served here
    index: Index | None = None
    index_ages: IndexAges = field(default_factory=IndexAges)
    delivering: Any = None  # a `delivering.Delivering`; None: not served here
    giveups: GiveUps | None = None
    auctions: DefaultAuctions | None = None
    members: Members | None = None
    restraints: Restraints | None = None
    webhooks: Webhooks | None = None
    edge: EdgeSettings = field(default_factory=EdgeSettings)
    key_closers: list[Callable[[str], None]] = field(default_factory=list)  # of revoked keys
    desk: Desk = field(default_factory=Desk)
    desk_room: Any = None  # made by the first who asks the risk desk; see `desk.py`
    stress: StressResults | None = None  # None: not served here
    curves: Curves | None = None  # made by the first who asks; see `curves.py`


def services_of(request: Request) -> Services:
    """Return the services of the app a request came to."""
    services: Services = request.app.state.services
    return services


async def _services(request: Request) -> Services:
    """Return the services; a coroutine, because FastAPI runs plain functions in threads."""
    return services_of(request)


ServicesDep = Annotated[Services, Depends(_services)]


def address_of(scope: Any, edge: EdgeSettings) -> str:
    """Return the address a request came from; a proxy's word counts only when configured."""
    if edge.trust_proxy_headers:
        for name, value in scope["headers"]:
            if name == b"x-forwarded-for":
                # The last hop is what our own proxy saw; everything before is hearsay.
                return str(value.decode("latin-1").rpartition(",")[2].strip())
    client = scope.get("client")
    return str(client[0]) if client else ""


# Bodies


async def body_of(request: Request) -> bytes:
    """Return the body, read once, never more than an order may have.

    Errors:
        Problem: `body_too_large`, before the rest of it is read.
    """
    known: bytes | None = getattr(request.state, "body", None)
    if known is not None:
        return known
    length = request.headers.get("content-length", "")
    if length.isdigit() and (len(length) > 9 or int(length) > ORDER_BYTES_MAX):
        raise Problem("body_too_large", f"at most {ORDER_BYTES_MAX} bytes")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > ORDER_BYTES_MAX:
            raise Problem("body_too_large", f"at most {ORDER_BYTES_MAX} bytes")
    request.state.body = bytes(body)
    return bytes(body)


class JsonBody(Generic[T]):
    """A dependency: the request's body as one shape."""

    def __init__(self, shape: type[T]) -> None:
        self.shape = shape
        self._decoder: Decoder[T] = Decoder(shape)

    async def __call__(self, request: Request) -> T:
        """Return the decoded body."""
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != "application/json":
            raise Problem("content_type_unsupported", "send application/json")
        return self._decoder.decode(await body_of(request))


# Queries


class Query(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The root of query shapes: each field is a text given at most once, or None."""


class Page(Query):
    """The fields of a list that comes in pages."""

    limit: str | None = None
    cursor: str | None = None

    def size(self) -> int:
        """Return how many rows a page has."""
        return whole(self.limit, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX)

    def place(self) -> int | None:
        """Return where the page begins, None for the first."""
        if self.cursor is None:
            return None
        if not _WHOLE.fullmatch(self.cursor) or int(self.cursor) >= 1 << 63:
            raise Problem("cursor_invalid", "take next_cursor as it came", field="cursor")
        return int(self.cursor)


Q = TypeVar("Q", bound=Query)


class QueryOf(Generic[Q]):
    """A dependency: the request's query as one shape."""

    def __init__(self, shape: type[Q]) -> None:
        self.shape = shape
        self._names = frozenset(field.name for field in msgspec.structs.fields(shape))

    async def __call__(self, request: Request) -> Q:
        """Return the query."""
        found: dict[str, str] = {}
        for name, value in query_pairs(request.scope["query_string"]):
            if name not in self._names:
                raise Problem("field_unknown", "there is no such parameter", field=name[:80])
            if name in found:
                raise Problem("query_invalid", "a parameter may be given once", field=name)
            found[name] = value
        return self.shape(**found)


def query_pairs(raw: bytes) -> list[tuple[str, str]]:
    """Return the parameters of a query string.

    Errors:
        Problem: `query_invalid`.
    """
    if len(raw) > QUERY_BYTES_MAX:
        raise Problem("query_invalid", f"at most {QUERY_BYTES_MAX} bytes")
    try:
        text, strict = raw.decode("ascii"), bool(raw)
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=strict, errors="strict")
    except ValueError:
        raise Problem("query_invalid", "not name=value pairs of UTF-8 text") from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise Problem("query_invalid", "a NUL does not belong in text")
    return pairs


def whole(text: str | None, field: str, default: int, low: int, high: int) -> int:
    """Return a whole number of a query within bounds."""
    if text is None:
        return default
    if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
        raise Problem("query_invalid", f"a whole number from {low} to {high}", field=field)
    return int(text)


# Who asks


def header(request: Request, name: str, default: str | None = None) -> str:
    """Return a header given exactly once, in ASCII."""
    values = request.headers.getlist(name)
    if not values and default is not None:
        return default
    if not values:
        raise Problem("auth_missing", f"the header {name} is due", field=name)
    if len(values) > 1 or len(values[0]) > HEADER_BYTES_MAX or not values[0].isascii():
        raise Problem("header_invalid", "a header is given once, short, in ASCII", field=name)
    return values[0]


async def claim_of(request: Request) -> Claim:
    """Return what a request says about its sender."""
    scope = request.scope
    target = scope["raw_path"]
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    return Claim(
        key_id=header(request, "WH-KEY"),
        timestamp=header(request, "WH-TIMESTAMP"),
        recv_window=header(request, "WH-RECV-WINDOW", str(RECV_WINDOW_MS_DEFAULT)),
        signature=header(request, "WH-SIGN"),
        method=scope["method"],
        target=target.decode("latin-1"),
        body=await body_of(request),
    )


class Asker:
    """A dependency: who sent a signed request, with the scope it needs."""

    def __init__(self, scope: Scope, *, counted: bool = True) -> None:
        self.scope = scope
        self._counted = counted  # against the limit of reads

    async def __call__(self, request: Request) -> Principal:
        """Return who asks."""
        services = services_of(request)
        claim = await claim_of(request)
        who = await services.auth.check(claim, address_of(request.scope, services.edge))
        who.need(self.scope)
        if self._counted:
            reads = services.limits.reads
            show_limit(request, reads, reads.take(who.account_idx))
        return who


def show_limit(request: Request, buckets: Buckets[Any], bucket: Bucket) -> None:
    """Let the answer carry how much is left."""
    request.state.limit = (buckets, bucket)


def weight_of(limit: str | None) -> int:
    """Return for how many requests one counts that asks for `limit` rows; None: for no number.

    All 392 instruments in one page take 8 ms of the processor that orders wait for, 100 take 2.
    """
    if limit is None or not _WHOLE.fullmatch(limit):
        return 1
    return 1 + min(int(limit), LIMIT_MAX) // ROWS_A_REQUEST


async def count_public(request: Request) -> None:
    """Count a public request against its address."""
    services = services_of(request)
    public, address = services.limits.public, address_of(request.scope, services.edge)
    weight = min(public.rate, weight_of(request.query_params.get("limit")))
    show_limit(request, public, public.take(address, weight))


Reader = Annotated[Principal, Depends(Asker(Scope.READ))]
Trader = Annotated[Principal, Depends(Asker(Scope.TRADE, counted=False))]
Admin = Annotated[Principal, Depends(Asker(Scope.ADMIN))]
Transferrer = Annotated[Principal, Depends(Asker(Scope.TRANSFER))]
