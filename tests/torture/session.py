"""One websocket, spoken without the product's own client: nothing of it repairs anything."""

import asyncio
import itertools
from typing import Any, Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from wellhead.signing import Signer

PATH: Final = "/api/v1/ws"
OPEN_TIMEOUT_S: Final = 30.0

_DECODE: Final = msgspec.json.Decoder()
_ENCODE: Final = msgspec.json.Encoder()


class NoSession(Exception):
    """Nobody answers there, or not to us, now."""


class Session:
    """Requests out, answers in, many under way; once lost it stays lost."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any] | None]] = {}
        self._reader = asyncio.create_task(self._read())
        self.lost = asyncio.Event()

    @staticmethod
    async def open(url: str, signer: Signer) -> "Session":
        """Connect and log in.

        Errors:
            NoSession: it did not work; try again later.
        """
        try:
            socket = await connect(
                url.replace("http", "ws", 1) + PATH,
                open_timeout=OPEN_TIMEOUT_S,
                ping_interval=None,
                max_size=None,
                compression=None,
                proxy=None,
            )
        except (OSError, TimeoutError, EOFError, InvalidHandshake, InvalidMessage) as error:
            raise NoSession(repr(error)) from error
        session = Session(socket)
        headers = signer.headers("GET", PATH)
        fields = {
            "key": headers["WH-KEY"],
            "timestamp": int(headers["WH-TIMESTAMP"]),
            "recv_window": int(headers["WH-RECV-WINDOW"]),
            "signature": headers["WH-SIGN"],
        }
        answer = await (await session.send("auth", fields))
        if answer is None or not answer["ok"]:
            await session.close()
            raise NoSession(f"not logged in: {answer}")
        return session

    async def send(
        self, op: str, fields: dict[str, Any]
    ) -> "asyncio.Future[dict[str, Any] | None]":
        """Send a request; the future gets the answer, or None when the connection ends first."""
        number = next(self._ids)
        future: asyncio.Future[dict[str, Any] | None] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            await self._socket.send(_ENCODE.encode({"op": op, "id": number, **fields}), text=True)
        except (ConnectionClosed, OSError):
            self._end()
        if self.lost.is_set() and not future.done():
            future.set_result(None)
        return future

    async def close(self) -> None:
        """Close the connection; what was under way stays unanswered."""
        await self._socket.close()
        await self._reader

    async def _read(self) -> None:
        try:
            async for raw in self._socket:
                message = _DECODE.decode(raw)
                future = self._waiting.pop(message.get("id", 0), None)
                if future is not None and not future.done():
                    future.set_result(message)
        except (ConnectionClosed, OSError):
            self._end()
        finally:
            self._end()

    def _end(self) -> None:
        self.lost.set()
        for future in self._waiting.values():
            if not future.done():
                future.set_result(None)
        self._waiting.clear()
