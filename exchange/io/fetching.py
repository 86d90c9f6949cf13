"""Ask a source over HTTPS, and nothing else: guarded against being led somewhere inside.

* the host is one that the operator allows, by name; https, port 443, TLS verified for that name
* every address the name resolves to is public, and the connection is made to the one looked at
* no redirect is followed, no cookie kept, no credential sent, no proxy used
* the answer is JSON, unpacked, and whole within time and size
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

import httptools

from exchange.io.errors import ExchangeError
from exchange.rules.observation_sources import SourceSpec

PORT: Final = 443
TIMEOUT_S: Final = 30.0  # for all of it
BODY_BYTES_MAX: Final = 8 << 20
HEAD_BYTES_MAX: Final = 64 << 10
CHUNK_BYTES: Final = 1 << 16
# Outside of it IPv6 has no public host: translation, IPv4 inside, sites, segments.
_UNICAST_6: Final = ipaddress.ip_network("2000::/3")
# What is no host of the public network and `is_global` lets through.
_INSIDE: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "168.63.129.16/32",  # Azure answers there from inside each of its machines
            "192.0.0.0/24",  # protocols (RFC 6890)
            "192.88.99.0/24",  # 6to4 relays
            "2001::/23",  # protocols, Teredo among them
            "2002::/16",  # 6to4: an IPv4 address inside
            "3fff::/20",  # documentation
        ),
    )
)

Resolve = Callable[[str], Awaitable[list[str]]]  # name -> addresses
Connect = Callable[[str, str], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class FetchRefused(ExchangeError):
    """A source that is not asked, or whose answer is not taken; the message says why."""


async def resolve_name(host: str) -> list[str]:
    """Return the addresses of a name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


async def connect_tls(address: str, host: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a verified connection to this very address; the certificate is of the name."""
    context = ssl.create_default_context()
    return await asyncio.open_connection(address, PORT, ssl=context, server_hostname=host)


def is_public(address: str) -> bool:
    """Say whether an address is of the public network, through no tunnel or translation."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and (ip.scope_id or ip not in _UNICAST_6):
        return False
    if any(ip in network for network in _INSIDE):
        return False
    return ip.is_global and not ip.is_multicast


async def fetch(
    spec: SourceSpec,
    resolve: Resolve = resolve_name,
    connect: Connect = connect_tls,
    timeout_s: float = TIMEOUT_S,
) -> bytes:
    """Return the JSON that a source answers with.

    Errors:
        FetchRefused: it leads somewhere it may not, answers something else, too much or too late.
    """
    try:
        async with asyncio.timeout(timeout_s):
            addresses = await resolve(spec.host)
            private = [one for one in addresses if not is_public(one)]
            if private or not addresses:
                where = private[0] if private else "no address"
                raise FetchRefused(f"{spec.host} leads to {where}: not a public address")
            reader, writer = await connect(addresses[0], spec.host)
            try:
                return await _exchange(spec, reader, writer)
            finally:
                writer.transport.abort()
    except TimeoutError as error:
        raise FetchRefused(f"{spec.host} did not answer whole in {timeout_s:g} s") from error
    except (OSError, ssl.SSLError, httptools.HttpParserError) as error:
        raise FetchRefused(f"{spec.host}: {error!r}") from error


async def _exchange(
    spec: SourceSpec, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bytes:
    writer.write(
        f"GET {spec.target} HTTP/1.1\r\nHost: {spec.host}\r\nAccept: application/json\r\n"
        "Accept-Encoding: identity\r\nUser-Agent: wellhead\r\nConnection: close\r\n\r\n".encode()
    )
    await writer.drain()
    answer = _Answer(spec.host)
    parser = httptools.HttpResponseParser(answer)
    read = 0
    while not answer.is_whole:
        chunk = await reader.read(CHUNK_BYTES)
        if not chunk:
            break
        read += len(chunk)
        try:
            parser.feed_data(chunk)
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, FetchRefused):
                raise error.__context__ from None
            raise
        if not answer.headers_end and read > HEAD_BYTES_MAX:
            raise FetchRefused(f"{spec.host}: too many headers")
    if answer.headers_end:
        answer.check(parser.get_status_code())
    # Without a length the answer ends with the connection; with one it must be whole.
    if not answer.headers_end or (answer.has_length and not answer.is_whole):
        raise FetchRefused(f"{spec.host}: the answer broke off")
    return bytes(answer.body)


class _Answer:
    """What the parser tells of an answer."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.body = bytearray()
        self.headers: dict[bytes, bytes] = {}
        self.headers_end = False
        self.is_whole = False

    @property
    def has_length(self) -> bool:
        return b"content-length" in self.headers or b"transfer-encoding" in self.headers

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self.headers_end = True

    def on_body(self, part: bytes) -> None:
        self.body += part
        if len(self.body) > BODY_BYTES_MAX:
            raise FetchRefused(f"{self.host} answered more than {BODY_BYTES_MAX} bytes")

    def on_message_complete(self) -> None:
        self.is_whole = True

    def check(self, status: int) -> None:
        """See that this is JSON as it stands."""
        if status != 200:
            more = ", and redirects are not followed" if 300 <= status < 400 else ""
            raise FetchRefused(f"{self.host} answered {status}{more}")
        media = self.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if media != b"application/json":
            raise FetchRefused(f"{self.host} answered no application/json")
        if self.headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
            raise FetchRefused(f"{self.host} answered packed, unasked")
