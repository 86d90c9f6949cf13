"""Ask a source over HTTPS, or tell a receiver: guarded against being led somewhere inside.

* a source's host is one that the operator allows, by name; https, TLS verified for that name
* every address the name resolves to is public, and the connection is made to the one looked at
* no redirect is followed, no cookie kept, no credential sent, no proxy used
* a source's answer is JSON, unpacked, and whole within time and size; of a receiver's only the
  head is read
"""

import asyncio
import ipaddress
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

import httptools

from exchange.io.errors import ExchangeError
from exchange.rules.addresses import PORT, Address
from exchange.rules.observation_sources import SourceSpec

TIMEOUT_S: Final = 30.0  # for all of it
BODY_BYTES_MAX: Final = 8 << 20
HEAD_BYTES_MAX: Final = 64 << 10
FINAL_STATUS_MIN: Final = 200  # below it another answer follows
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
LookUp = Callable[..., list[Any]]  # as socket.getaddrinfo
Connect = Callable[[str, str], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class FetchRefused(ExchangeError):
    """A source that is not asked, or whose answer is not taken; the message says why."""


async def resolve_name(host: str, look_up: LookUp = socket.getaddrinfo) -> list[str]:
    """Return the addresses of a name.

    Each look-up has a thread of its own: a name server that never answers keeps nobody else's
    waiting, and keeps no process from ending. The loop's own threads are only a few.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[Any]] = loop.create_future()

    def say(result: list[Any] | Exception) -> None:
        if found.done():
            return  # it was given up
        if isinstance(result, Exception):
            found.set_exception(result)
        else:
            found.set_result(result)

    def look() -> None:
        result: list[Any] | Exception
        try:
            result = look_up(host, PORT, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            result = error
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(say, result)

    threading.Thread(target=look, name="look-up", daemon=True).start()
    return list(dict.fromkeys(str(one[4][0]) for one in await found))


async def connect_tls(
    address: str, host: str, port: int = PORT
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a verified connection to this very address; the certificate is of the name."""
    return await asyncio.open_connection(address, port, ssl=_trust(), server_hostname=host)


@cache
def _trust() -> ssl.SSLContext:
    """Return what certificates are verified by; reading them takes milliseconds."""
    return ssl.create_default_context()


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
    message = (
        f"GET {spec.target} HTTP/1.1\r\nHost: {spec.host}\r\nAccept: application/json\r\n"
        "Accept-Encoding: identity\r\nUser-Agent: wellhead\r\nConnection: close\r\n\r\n".encode()
    )
    guarded = _Guarded(spec.host, resolve, connect, timeout_s)
    answer = await guarded.ask(message, _Answer(spec.host))
    answer.check()
    return bytes(answer.body)


async def tell(
    address: Address,
    headers: Mapping[str, str],
    body: bytes,
    resolve: Resolve = resolve_name,
    connect: Connect | None = None,
    timeout_s: float = TIMEOUT_S,
) -> int:
    """Post JSON to a receiver and return the status it answers with.

    Errors:
        FetchRefused: it leads somewhere it may not, or does not answer in time.
    """
    assert not any(c in value for value in headers.values() for c in "\r\n")
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    host = address.host if address.port == PORT else f"{address.host}:{address.port}"
    message = (
        f"POST {address.target} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nUser-Agent: wellhead\r\n{more}Connection: close\r\n\r\n"
    ).encode() + body
    opened = connect or partial(connect_tls, port=address.port)
    guarded = _Guarded(address.host, resolve, opened, timeout_s, is_inside=address.is_inside)
    answer = await guarded.ask(message, _Answer(address.host, head_only=True))
    return answer.status


@dataclass(frozen=True, slots=True)
class _Guarded:
    """One host, asked once, within a time."""

    host: str
    resolve: Resolve
    connect: Connect
    timeout_s: float
    is_inside: bool = False  # the operator allows it, wherever it leads

    async def ask(self, message: bytes, answer: "_Answer") -> "_Answer":
        """Send a request and read what is wanted of the answer.

        Errors:
            FetchRefused: as `fetch` says.
        """
        try:
            async with asyncio.timeout(self.timeout_s):
                address = await self._address()
                reader, writer = await self.connect(address, self.host)
                try:
                    await _exchange(message, answer, reader, writer)
                finally:
                    writer.transport.abort()
        except TimeoutError as error:
            why = f"{self.host} did not answer whole in {self.timeout_s:g} s"
            raise FetchRefused(why) from error
        except (OSError, ssl.SSLError, httptools.HttpParserError, UnicodeError) as error:
            raise FetchRefused(f"{self.host}: {error!r}") from error
        return answer

    async def _address(self) -> str:
        """Return an address of the host, if it may be asked."""
        addresses = await self.resolve(self.host)
        private = [one for one in addresses if not is_public(one)]
        if not addresses or (private and not self.is_inside):
            where = private[0] if private else "no address"
            raise FetchRefused(f"{self.host} leads to {where}: not a public address")
        return addresses[0]


async def _exchange(
    message: bytes, answer: "_Answer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    writer.write(message)
    await writer.drain()
    answer.parser = httptools.HttpResponseParser(answer)
    try:
        await _read(answer, answer.parser, reader)
    finally:
        answer.parser = None  # each holds the other
    answer.end()


async def _read(
    answer: "_Answer", parser: httptools.HttpResponseParser, reader: asyncio.StreamReader
) -> None:
    read = 0
    while not answer.is_enough:
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
        except httptools.HttpParserUpgrade:
            raise FetchRefused(f"{answer.host} answered 101, unasked") from None
        if not answer.headers_end and read > HEAD_BYTES_MAX:
            raise FetchRefused(f"{answer.host}: too many headers")


class _Answer:
    """What the parser tells of an answer."""

    def __init__(self, host: str, *, head_only: bool = False) -> None:
        self.host = host
        self.status = 0
        self.parser: httptools.HttpResponseParser | None = None
        self._head_only = head_only
        self.body = bytearray()
        self.headers: dict[bytes, bytes] = {}
        self.headers_end = False
        self.is_whole = False

    @property
    def is_enough(self) -> bool:
        return self.is_whole or (self._head_only and self.headers_end)

    @property
    def has_length(self) -> bool:
        return b"content-length" in self.headers or b"transfer-encoding" in self.headers

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        assert self.parser is not None
        self.status = self.parser.get_status_code()
        self.headers_end = self.status >= FINAL_STATUS_MIN

    def on_body(self, part: bytes) -> None:
        if self._head_only:
            return
        self.body += part
        if len(self.body) > BODY_BYTES_MAX:
            raise FetchRefused(f"{self.host} answered more than {BODY_BYTES_MAX} bytes")

    def on_message_complete(self) -> None:
        if self.headers_end:
            self.is_whole = True
        else:
            self.headers.clear()  # of an answer before the final one (RFC 9110, 15.2)

    def end(self) -> None:
        """See that nothing is missing of what was wanted."""
        # Without a length the answer ends with the connection; with one it must be whole.
        if not self.headers_end or not (self.is_enough or not self.has_length):
            raise FetchRefused(f"{self.host}: the answer broke off")

    def check(self) -> None:
        """See that this is JSON as it stands."""
        status = self.status
        if status != 200:
            more = ", and redirects are not followed" if 300 <= status < 400 else ""
            raise FetchRefused(f"{self.host} answered {status}{more}")
        media = self.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if media != b"application/json":
            raise FetchRefused(f"{self.host} answered no application/json")
        if self.headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
            raise FetchRefused(f"{self.host} answered packed, unasked")
