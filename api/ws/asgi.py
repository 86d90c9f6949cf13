"""The same sessions over any ASGI server: the way out if picows' constructor goes."""

import asyncio
from collections import deque
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from api.deps import address_of
from api.edge import new_request_id, problem_response
from api.errors import Problem
from api.ws.hub import Hub
from api.ws.ops_deals import OPS
from api.ws.protocol import check_origin
from api.ws.session import Session

GOODBYE_S: Final = 1.0


class AsgiOutlet:
    """Queues messages for a task that sends them one by one."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._closing: tuple[int, str] | None = None

    def write(self, payloads: list[bytes]) -> None:
        """Queue text messages."""
        self._queue.extend(payloads)
        self._bytes += sum(map(len, payloads))
        self._wake.set()

    def unread_bytes(self) -> int:
        """Return how much is queued."""
        return self._bytes

    def close(self, code: int, reason: str) -> None:
        """Close when the queue is empty, or soon in any case."""
        self._closing = (code, reason)
        self._wake.set()

    async def run(self) -> None:
        """Send what is queued until closed."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._closing is not None:
                async with asyncio.timeout(GOODBYE_S):
                    await self._drain()
                    await self._websocket.close(*self._closing)
                return
            await self._drain()

    async def _drain(self) -> None:
        while self._queue:
            payload = self._queue.popleft()
            await self._websocket.send_text(payload.decode())
            self._bytes -= len(payload)


async def serve(websocket: WebSocket, hub: Hub) -> None:
    """Serve one connection until it ends."""
    services = hub.services
    address = address_of(websocket.scope, services.edge)
    origin = websocket.headers.get("origin")
    try:
        check_origin(None if origin is None else origin.encode(), services.edge.ws_origins)
        services.limits.check_connections(address)
    except Problem as problem:
        await websocket.send_denial_response(problem_response(problem, new_request_id()))
        return
    await websocket.accept()
    services.limits.connect(address)
    outlet = AsgiOutlet(websocket)
    session = Session(hub, outlet, address, OPS)
    sender = asyncio.create_task(outlet.run())
    reader = asyncio.create_task(_read(websocket, session))
    try:
        await asyncio.wait({sender, reader}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        session.on_lost()
        services.limits.disconnect(address)
        for task in (sender, reader):
            task.cancel()
        await asyncio.gather(sender, reader, return_exceptions=True)


async def _read(websocket: WebSocket, session: Session) -> None:
    while True:
        try:
            message: Any = await websocket.receive()
        except WebSocketDisconnect:
            return
        if message["type"] != "websocket.receive":
            return
        text = message.get("text")
        if text is not None:
            session.on_message(text.encode("utf-8", "surrogatepass"))
        else:
            session.on_message(message.get("bytes") or b"", text=False)
