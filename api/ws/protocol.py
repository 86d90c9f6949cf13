"""Websockets on uvicorn's own port: picows as the protocol class of `ws=`.

uvicorn makes the object when a request wants to be upgraded, calls
`connection_made` and hands it the bytes of the request; then the transport is
ours. That constructor is not documented, so tests hold uvicorn to it, and
`asgi.py` serves the same sessions through uvicorn's own websocket code.
"""

import asyncio
import logging
import re
import socket
import struct
from typing import Any, Final, cast

import orjson
from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)
from picows.picows import WSProtocol  # type: ignore[attr-defined]

from api.auth import WS_TARGET
from api.deps import address_of
from api.edge import new_request_id
from api.errors import MEDIA_TYPE, Problem
from api.strict import ORDER_BYTES_MAX
from api.ws.hub import Hub
from api.ws.ops_deals import OPS
from api.ws.outlet import CLOSE_PROTOCOL, CLOSE_RESTART
from api.ws.session import Session

log = logging.getLogger("wellhead.picows")
log.setLevel(logging.CRITICAL)  # a peer that breaks the protocol is nothing to report

# A larger frame ends the connection, a smaller one is answered. A peer may have this kept for
# it as long as it likes, by sending all of a frame but its end: it is times the connections.
FRAME_BYTES_MAX: Final = 1 << 17
HANDSHAKE_TIMEOUT_S: Final = 5.0
PING_IDLE_S: Final = 20.0
PING_REPLY_S: Final = 20.0
UPGRADE_BYTES_MAX: Final = 16 * 1024  # what picows takes; more than that it drops in silence
GOODBYE_S: Final = 1.0  # for the peer to take the close frame

_SHORT: Final = [bytes((0x81, size)) for size in range(126)]
_MIDDLE: Final = struct.Struct(">BBH")
_LONG: Final = struct.Struct(">BBQ")


_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{22}==")


def header(size: int) -> bytes:
    """Return the header of an unfragmented text frame from a server."""
    if size < 126:
        return _SHORT[size]
    if size < 1 << 16:
        return _MIDDLE.pack(0x81, 126, size)
    return _LONG.pack(0x81, 127, size)


class PicowsOutlet:
    """Writes frames to a picows transport, all of one turn together."""

    def __init__(self, transport: WSTransport) -> None:
        self._transport = transport
        self._wire = transport.underlying_transport

    def write(self, payloads: list[bytes]) -> None:
        """Send text messages, together."""
        frames: list[bytes] = []
        for payload in payloads:
            frames += (header(len(payload)), payload)
        self._wire.write(b"".join(frames))

    def unread_bytes(self) -> int:
        """Return how much was written and has not left this process."""
        return self._wire.get_write_buffer_size()

    def close(self, code: int, reason: str) -> None:
        """Say goodbye and close; a peer that does not listen is cut off soon."""
        self._transport.send_close(cast(WSCloseCode, code), reason.encode())
        asyncio.get_running_loop().call_later(GOODBYE_S, self._wire.abort)


class Listener(WSListener):
    """Carries frames of one connection to its session."""

    def __init__(self, hub: Hub, address: str) -> None:
        super().__init__()
        self._hub = hub
        self._address = address
        self._session: Session | None = None
        self._parts: list[bytes] | None = None  # of a message whose end is not here yet
        self._parts_bytes = 0
        self._parts_text = True

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Begin the session."""
        self._hub.services.limits.connect(self._address)
        self._session = Session(self._hub, PicowsOutlet(transport), self._address, OPS)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take one frame."""
        session, kind = self._session, frame.msg_type
        if session is None:
            return
        if frame.rsv1 | frame.rsv2 | frame.rsv3:
            session.close(CLOSE_PROTOCOL, "a reserved bit is set, and no extension was agreed on")
        elif kind == WSMsgType.TEXT and frame.fin:
            session.on_message(frame.get_payload_as_bytes())
        elif kind in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            self._part(session, frame, kind)
        elif kind == WSMsgType.CLOSE:
            session.on_lost()
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()

    def _part(self, session: Session, frame: WSFrame, kind: WSMsgType) -> None:
        """Put a message together that came in several frames.

        Of one that is too long enough is kept to show that it is: never a beginning that reads
        like a message, and nothing for frames without content.
        """
        if (kind == WSMsgType.CONTINUATION) != (self._parts is not None):
            session.close(CLOSE_PROTOCOL, "a frame that continues nothing, or a message in another")
            return
        if self._parts is None:
            self._parts, self._parts_bytes = [], 0
            self._parts_text = kind == WSMsgType.TEXT
        if frame.payload_size and self._parts_bytes <= ORDER_BYTES_MAX:
            self._parts.append(frame.get_payload_as_bytes())
            self._parts_bytes += frame.payload_size
        if frame.fin:
            message, self._parts = b"".join(self._parts), None
            session.on_message(message, text=self._parts_text)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """End the session."""
        if self._session is not None:
            self._session.on_lost()
            self._hub.services.limits.disconnect(self._address)

    def pause_writing(self) -> None:
        """The session looks at the buffer by itself."""

    def resume_writing(self) -> None:
        """The session looks at the buffer by itself."""

    def close(self) -> None:
        """Close from our side."""
        if self._session is not None:
            self._session.close(CLOSE_RESTART, "the exchange restarts")


def refusal(problem: Problem) -> WSUpgradeResponseWithListener:
    """Return the answer to an upgrade that is refused."""
    body = orjson.dumps(problem.to_dict(new_request_id()))
    response = WSUpgradeResponse.create_error_response(
        problem.status, body, {"Content-Type": MEDIA_TYPE}
    )
    return WSUpgradeResponseWithListener(response, None)


class PicowsProtocol(WSProtocol):  # type: ignore[misc]
    """What uvicorn makes for each upgrade, bound to a hub by `functools.partial`."""

    def __init__(self, hub: Hub, *, config: Any, server_state: Any, app_state: Any) -> None:
        self._hub = hub
        self._connections = server_state.connections
        self._client: Any = None
        super().__init__(
            None,  # host and port: for clients
            None,  # path: for clients
            False,  # is_client_side
            self._route,
            log,
            False,  # disconnect_on_exception
            HANDSHAKE_TIMEOUT_S,
            True,  # enable_auto_ping
            PING_IDLE_S,
            PING_REPLY_S,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            True,  # enable_auto_pong
            FRAME_BYTES_MAX,
            None,  # extra_headers
            UPGRADE_BYTES_MAX,  # read_buffer_init_size
        )

    def connection_made(self, transport: Any) -> None:
        """Take the connection over."""
        self._client = transport.get_extra_info("peername")
        self._connections.add(self)
        # Left to itself the system takes megabytes for a peer that does not read.
        kernel_bytes = self._hub.services.limits.settings.kernel_bytes
        wire = transport.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, kernel_bytes)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._connections.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take the request that uvicorn has read already."""
        try:
            check_upgrade(data)
        except Problem as problem:
            self.transport.underlying_transport.write(bytes(refusal(problem).response.to_bytes()))
            self.transport.disconnect()
            return
        while data:
            room = self.get_buffer(-1)
            count = min(len(room), len(data))
            room[:count] = data[:count]
            data = data[count:]
            self.buffer_updated(count)

    def shutdown(self) -> None:
        """Close from our side: uvicorn stops."""
        if isinstance(self.listener, Listener):
            self.listener.close()

    def _route(self, request: WSUpgradeRequest) -> Listener | WSUpgradeResponseWithListener:
        """Accept or refuse an upgrade."""
        try:
            return self._accept(request)
        except Problem as problem:
            return refusal(problem)

    def _accept(self, request: WSUpgradeRequest) -> Listener:
        if request.path.partition(b"?")[0] != WS_TARGET.encode():
            raise Problem("not_found", "there is no websocket at this address")
        services = self._hub.services
        headers = [(k.lower().encode(), v.encode()) for k, v in request.headers.items()]
        check_origin(dict(headers).get(b"origin"), services.edge.ws_origins)
        address = address_of({"headers": headers, "client": self._client}, services.edge)
        services.limits.check_connections(address)
        return Listener(self._hub, address)


def check_upgrade(data: bytes) -> None:
    """Raise `header_invalid` for a request that cannot be upgraded.

    Args:
        data: the request as uvicorn writes it anew: names in lower case, one space after colons.
    """
    if len(data) >= UPGRADE_BYTES_MAX:
        raise Problem("header_invalid", f"less than {UPGRADE_BYTES_MAX} bytes of headers")
    lines = data.split(b"\r\n")
    given = dict(line.split(b": ", 1) for line in lines[1:] if b": " in line)
    if not lines[0].startswith(b"GET ") or not data.isascii():
        raise Problem("header_invalid", "a websocket begins with GET and ASCII headers")
    if given.get(b"sec-websocket-version") != b"13":
        raise Problem("header_invalid", "13 is due", field="Sec-WebSocket-Version")
    if not _KEY.fullmatch(given.get(b"sec-websocket-key", b"")):
        raise Problem("header_invalid", "16 bytes in base64", field="Sec-WebSocket-Key")


def check_origin(origin: bytes | None, allowed: frozenset[str]) -> None:
    """Raise `origin_not_allowed` when a browser's page from elsewhere asks."""
    if allowed and origin is not None and origin.decode("latin-1") not in allowed:
        raise Problem("origin_not_allowed", "not from this origin")
