"""uvicorn's HTTP protocol with our limits and our shape of refusals."""

import asyncio
import resource
import sys
from collections import Counter
from http import HTTPStatus
from typing import Any, Final

import orjson
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from api.edge import new_request_id
from api.errors import MEDIA_TYPE, Problem

HEADERS_BYTES_MAX: Final = 32 * 1024
REQUEST_S: Final = 20.0  # to send a request whole, and to begin with one
READ_S: Final = 20.0  # without taking a byte of an answer that waits
FILES_KEPT: Final = 100  # of those that may be open: for the database, keys, children


def files_for_clients() -> int:
    """Return up to which number a file may be a client's.

    The system gives the lowest number that is free: one so high says that hardly any is.
    """
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft - min(FILES_KEPT, soft // 4)


class HttpProtocol(HttpToolsProtocol):
    """Answers what is not HTTP with a problem, and waits for nobody.

    Args:
        open_here: connections of this process by address, shared by all.
        most: connections of one address, None where all come from a proxy.
    """

    _header_bytes = 0
    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _address: str | None = None  # where this connection counts
    _answering: RequestResponseCycle | None = None  # the request that is answered now

    def __init__(self, open_here: Counter[str], most: int | None, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._open_here, self._most = open_here, most

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request, unless the address has too many connections."""
        super().connection_made(transport)
        address = str((transport.get_extra_info("peername") or ("",))[0])
        if self._most is not None and self._open_here[address] >= self._most:
            self._refuse(Problem("too_many_connections", "close one first"))
            return
        if transport.get_extra_info("socket").fileno() >= files_for_clients():
            self._refuse(Problem("too_many_connections", "all that may be open here are"))
            return
        self._address = address
        self._open_here[address] += 1
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting, and answering: uvicorn tells only the request that came last."""
        self._forget()
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        """The peer does not read: it has a while to begin with it."""
        super().pause_writing()
        self._stalled = self.loop.call_later(READ_S, self.transport.abort)

    def resume_writing(self) -> None:
        """The peer reads."""
        self._unstall()
        super().resume_writing()

    def on_message_begin(self) -> None:
        """Begin to wait for the end of a request."""
        self._header_bytes = 0
        self._expect()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count what headers need."""
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > HEADERS_BYTES_MAX:
            raise ValueError("too many headers")  # the parser gives up: 400
        super().on_header(name, value)

    def on_message_complete(self) -> None:
        """A whole request is here."""
        self._relax()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over: from here on it is counted with the websockets."""
        self._forget()
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP."""
        self._refuse(Problem("http_malformed", msg))

    def _refuse(self, problem: Problem) -> None:
        """Answer with a problem, and close."""
        body = orjson.dumps(problem.to_dict(new_request_id()))
        phrase = HTTPStatus(problem.status).phrase
        head = (
            f"HTTP/1.1 {problem.status} {phrase}\r\ncontent-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _expect(self) -> None:
        self._relax()
        self._deadline = self.loop.call_later(REQUEST_S, self.transport.close)

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _unstall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _forget(self) -> None:
        """Stop all waiting and counting; once is enough, and twice does no harm."""
        self._relax()
        self._unstall()
        if self._address is not None:
            self._open_here[self._address] -= 1
            if not self._open_here[self._address]:
                del self._open_here[self._address]
            self._address = None
