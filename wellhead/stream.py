"""One websocket for public data, private data and trading, which comes back by itself.

After a lost connection the stream logs in and subscribes again; every subscription
hears of it (`on_lost`), because messages may be missing. A request that was under way
fails with ConnectionFailed: whether it was done is not known, so nothing is sent twice.
"""

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Callable
from typing import Any, Self

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from wellhead.errors import ApiError, AuthFailed, ConnectionFailed, ProtocolError, WellheadError
from wellhead.signing import Signer
from wellhead.subscription import Sink, Subscription
from wellhead.wire import PATH, Push, Reply, decode

BACKOFF_FIRST_S = 0.1
BACKOFF_MAX_S = 5.0
REQUEST_TIMEOUT_S = 10.0


class AsyncStream:
    """The websocket of one client. Use `async with`, then `subscribe`, `request`."""

    def __init__(
        self,
        url: str,
        signer: Signer | None = None,
        *,
        cancel_on_disconnect: bool = False,
        timeout_s: float = REQUEST_TIMEOUT_S,
        on_connection: Callable[[bool], None] = lambda is_back: None,
    ) -> None:
        """Follow the exchange at an address.

        Args:
            on_connection: told False when the connection is lost, True when it is back; called in
                the stream's own loop, so it must not wait.
        """
        self.url = url.rstrip("/").replace("http", "ws", 1) + PATH
        self.timeout_s = timeout_s
        self.reconnects = 0
        self.closed = False
        self._signer = signer
        self._cancel_on_disconnect = cancel_on_disconnect
        self._on_connection = on_connection
        self._told_lost = False
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._sinks: dict[str, list[Sink]] = {}
        self._socket: ClientConnection | None = None
        self._ready = asyncio.Event()
        self._failure: WellheadError | None = None  # why it will not come back
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Connect and log in.

        Errors:
            ConnectionFailed: nobody answers at this address.
            AuthFailed: the key was not accepted.
        """
        socket = await self._connect()
        self._task = asyncio.create_task(self._run(socket), name="wellhead-stream")
        await self._wait_ready()

    async def close(self) -> None:
        """Close the connection and end every subscription."""
        self.closed = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._end_subscriptions(None)
        self._sinks.clear()

    async def request(self, op: str, **fields: Any) -> Any:
        """Send one request and return its result; fields that are None are left out.

        Errors:
            ApiError: refused; the class and `code` say why.
            ConnectionFailed: no answer came; it may or may not have been done.
        """
        return (await self.reply(op, **fields)).value()

    async def reply(self, op: str, **fields: Any) -> Reply:
        """Send one request and return the whole reply, refused or not."""
        await self._wait_ready()
        return await self._exchange(op, fields)

    async def subscribe(self, *channels: str) -> Subscription:
        """Subscribe to channels; iterate over what comes back."""
        subscription = Subscription(self, channels)
        await self.add_sink(subscription, channels)
        return subscription

    async def add_sink(self, sink: Sink, channels: tuple[str, ...]) -> None:
        """Send the messages of these channels to `sink` too."""
        new = [c for c in channels if c not in self._sinks]
        for channel in channels:
            self._sinks.setdefault(channel, []).append(sink)
        try:
            if new:
                await self.request("subscribe", channels=new)
        except ApiError:
            self._forget(sink, channels)
            raise
        for channel in set(channels) - set(new):  # a late reader needs a start of its own
            with contextlib.suppress(ApiError):  # not every channel has a snapshot
                await self.request("resync", channel=channel)

    async def remove_sink(self, sink: Sink, channels: tuple[str, ...]) -> None:
        """Stop sending these channels to `sink`; unsubscribe from those nobody reads."""
        gone = self._forget(sink, channels)
        if gone and self._ready.is_set():
            with contextlib.suppress(ConnectionFailed):
                await self.request("unsubscribe", channels=gone)

    def _forget(self, sink: Sink, channels: tuple[str, ...]) -> list[str]:
        gone = []
        for channel in channels:
            sinks = self._sinks.get(channel, [])
            if sink in sinks:
                sinks.remove(sink)
            if not sinks and self._sinks.pop(channel, None) is not None:
                gone.append(channel)
        return gone

    async def _wait_ready(self) -> None:
        if self._task is None:
            raise ConnectionFailed("the stream is not started: use `async with`")
        try:
            async with asyncio.timeout(self.timeout_s):
                await self._ready.wait()
        except TimeoutError as error:
            raise ConnectionFailed(f"no connection to {self.url}") from error
        if self._failure is not None:
            raise self._failure

    async def _exchange(self, op: str, fields: dict[str, Any]) -> Reply:
        socket, request_id = self._socket, next(self._ids)
        if socket is None:
            raise ConnectionFailed("the connection was lost")
        message = {"op": op, "id": request_id}
        message.update((k, v) for k, v in fields.items() if v is not None)
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = future
        try:
            await socket.send(msgspec.json.encode(message), text=True)
            async with asyncio.timeout(self.timeout_s):
                return await future
        except (ConnectionClosed, TimeoutError) as error:
            raise ConnectionFailed(f"no answer to {op}: it may or may not be done") from error
        finally:
            self._waiting.pop(request_id, None)

    async def _connect(self) -> ClientConnection:
        try:
            return await connect(
                self.url, open_timeout=self.timeout_s, max_size=None, compression=None
            )
        except (OSError, TimeoutError, InvalidHandshake) as error:
            raise ConnectionFailed(f"cannot connect to {self.url}: {error}") from error

    async def _run(self, socket: ClientConnection | None) -> None:
        """Serve one connection after the other until closed or turned away."""
        backoff_s = BACKOFF_FIRST_S
        try:
            while self._failure is None:
                began_s = time.monotonic()
                try:
                    socket = socket or await self._connect()
                    await self._serve(socket)
                except AuthFailed as error:
                    self._failure = error
                    self._end_subscriptions(error)
                except (ConnectionFailed, ApiError):
                    backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)
                if time.monotonic() - began_s > BACKOFF_MAX_S:
                    backoff_s = BACKOFF_FIRST_S
                socket = None
                if self._failure is None:
                    self.reconnects += 1
                    await asyncio.sleep(backoff_s * random.uniform(0.5, 1.0))
        finally:
            self._lost()
            self._failure = self._failure or ConnectionFailed("the stream is closed")
            self._ready.set()

    async def _serve(self, socket: ClientConnection) -> None:
        """Log in, subscribe, and read until the connection ends."""
        self._socket = socket
        reader = asyncio.create_task(self._read(socket))
        try:
            await self._log_in()
            await self._subscribe_again()
            self._ready.set()
            self._tell(True)
            await reader
        finally:
            was_ready = self._ready.is_set()
            self._ready.clear()
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            self._lost()
            with contextlib.suppress(ConnectionClosed, OSError):
                await socket.close()
            if was_ready and not self.closed:
                self._tell(False)

    async def _read(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed, ProtocolError):
            async for raw in socket:
                message = decode(raw)
                if isinstance(message, Push):
                    for sink in tuple(self._sinks.get(message.channel, ())):
                        sink.on_push(message)
                elif (future := self._waiting.get(message.id or 0)) and not future.done():
                    future.set_result(message)
        self._fail_waiting()

    async def _log_in(self) -> None:
        if self._signer is None:
            return
        reply = await self._exchange("auth", self._auth_fields(self._signer))
        code = (reply.error or {}).get("code")
        if code == "timestamp_invalid" and reply.ts_ns:  # our clock is off: take the server's
            self._signer.set_server_time(reply.ts_ns // 1_000_000)
            reply = await self._exchange("auth", self._auth_fields(self._signer))
        reply.value()

    def _auth_fields(self, signer: Signer) -> dict[str, Any]:
        headers = signer.headers("GET", PATH)
        return {
            "key": headers["WH-KEY"],
            "timestamp": int(headers["WH-TIMESTAMP"]),
            "recv_window": int(headers["WH-RECV-WINDOW"]),
            "signature": headers["WH-SIGN"],
            "cancel_on_disconnect": self._cancel_on_disconnect or None,
        }

    async def _subscribe_again(self) -> None:
        channels = list(self._sinks)
        for start in range(0, len(channels), 100):
            reply = await self._exchange("subscribe", {"channels": channels[start : start + 100]})
            if not reply.ok:  # a contract may be gone by now
                for channel in channels[start : start + 100]:
                    await self._exchange("subscribe", {"channels": [channel]})

    def _fail_waiting(self) -> None:
        for future in self._waiting.values():
            if not future.done():
                lost = ConnectionFailed("the connection was lost: it may or may not be done")
                future.set_exception(lost)
                future.exception()  # whoever asked may have given up: no complaint about that

    def _lost(self) -> None:
        self._socket = None
        self._fail_waiting()
        for sink in self._every_sink():
            sink.on_lost()

    def _tell(self, is_back: bool) -> None:
        if is_back == self._told_lost:  # it comes back only from where it was lost
            self._told_lost = not is_back
            self._on_connection(is_back)

    def _every_sink(self) -> list[Sink]:
        return list({id(s): s for sinks in self._sinks.values() for s in sinks}.values())

    def _end_subscriptions(self, failure: WellheadError | None) -> None:
        for sink in self._every_sink():
            if isinstance(sink, Subscription):
                sink.end(failure)
