"""uvicorn's HTTP protocol with our limits and our shape of refusals."""

import asyncio
from typing import Any, Final

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.edge import new_request_id
from api.errors import MEDIA_TYPE, Problem

HEADERS_BYTES_MAX: Final = 32 * 1024
REQUEST_S: Final = 20.0  # to send a request whole, and to begin with one


class HttpProtocol(HttpToolsProtocol):
    """Answers what is not HTTP with a problem, and waits for nobody."""

    _header_bytes = 0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._relax()
        super().connection_lost(exc)

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
        """Hand the connection over."""
        self._relax()
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP."""
        problem = Problem("http_malformed", msg)
        body = orjson.dumps(problem.to_dict(new_request_id()))
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: {MEDIA_TYPE}\r\n"
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
