"""A peer that stops reading: conflated, then closed with 4008, and nobody else notices."""

import asyncio
import contextlib
import dataclasses
import itertools
import json
import socket
import struct
from collections.abc import Callable

import pytest

from api.limits import LimitSettings
from tests.support.api_world import SYMBOL, World, running
from tests.support.waiting import PATIENCE_S, until

LIMITS = LimitSettings(
    reads_per_s=10**6, public_per_s=10**6, failed_auth_per_s=10**6,
    kernel_bytes=1 << 12, lag_bytes=1 << 15, lag_bytes_max=1 << 18, lag_s=0.6,
)  # fmt: skip
BOOK = f"book.{SYMBOL}.raw"
CHANNELS = [BOOK, f"book.{SYMBOL}.100ms", f"bbo.{SYMBOL}", f"trades.{SYMBOL}", f"ticker.{SYMBOL}"]


PATIENT = dataclasses.replace(LIMITS, lag_s=3600)  # who wakes up in an hour is in time


@pytest.fixture
async def world():
    async with running(LIMITS) as one, one.serving():
        yield one


@pytest.fixture
async def patient_world():
    async with running(PATIENT) as one, one.serving():
        yield one


class RawSocket:
    """A websocket on a bare socket: it reads when the test says so, and never before."""

    def __init__(self, world: World) -> None:
        port = int(world.url.rpartition(":")[2])
        self.raw = socket.socket()
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.raw.setblocking(False)
        self._port = port
        self._buffer = b""
        self.frames: list[tuple[int, bytes]] = []

    async def open(self) -> "RawSocket":
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.raw, ("127.0.0.1", self._port))
        request = (
            "GET /api/v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        await loop.sock_sendall(self.raw, request.encode())
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += await loop.sock_recv(self.raw, 4096)
        self._buffer = self._buffer.partition(b"\r\n\r\n")[2]
        return self

    async def send(self, message: dict) -> None:
        data = json.dumps(message).encode()
        head = b"\x81" + (
            bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        )
        await asyncio.get_running_loop().sock_sendall(self.raw, head + bytes(4) + data)

    async def read(self) -> None:
        """Keep (opcode, payload) of everything in `frames`, until the connection ends."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            while chunk := await loop.sock_recv(self.raw, 1 << 20):
                self._buffer += chunk
                while (frame := self._frame()) is not None:
                    self.frames.append(frame)

    def _frame(self) -> tuple[int, bytes] | None:
        data = self._buffer
        if len(data) < 2:
            return None
        size, start = data[1] & 127, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(data) < start:
                return None
            size = int.from_bytes(data[2:start], "big")
        if len(data) < start + size:
            return None
        self._buffer = data[start + size :]
        return data[0] & 15, data[start : start + size]


async def trade(world: World, url: str, enough: Callable[[], object]) -> None:
    """Trade on a connection of one's own until it is enough."""
    number = 0
    async with world.socket(url, "alice") as alice:
        while not enough():
            requests = [
                {
                    "op": "new", "symbol": SYMBOL, "side": "buy" if n % 2 else "sell",
                    "price": f"2.{(number + n) % 90 + 10:03d}", "quantity": "1", "stp": "none",
                }
                for n in range(20)
            ]  # fmt: skip
            reply = await alice.ask("order.batch", requests=requests)
            assert reply["ok"]
            number += 7


def asked(count: int) -> Callable[[], bool]:
    """Return what says that it was asked so often."""
    asked = itertools.count(1)
    return lambda: next(asked) > count


@pytest.mark.slow
async def test_a_frozen_reader_is_waited_for_by_nobody_and_closed_in_the_end(patient_world: World):
    world = patient_world
    url = world.url.replace("http", "ws") + "/api/v1/ws"
    sockets = [await RawSocket(world).open() for _ in range(5)]
    for one in sockets:
        await one.send({"op": "subscribe", "channels": CHANNELS})
    await until(lambda: len(world.hub.sessions) == 5)
    frozen = tuple(world.hub.sessions)
    async with world.socket(url) as reader:
        await reader.ask("subscribe", channels=[BOOK])
        await trade(world, url, lambda: all(one._lagging_since_s for one in frozen))
        # All are behind, and may be for an hour: had anybody waited for them, this would not end.
        await trade(world, url, asked(20))
        assert all(one._lagging_since_s and not one.closed for one in frozen)
        # The one that reads got every delta, in an unbroken chain.
        seq = (await reader.push(BOOK))["seq"]
        for _ in range(20):
            delta = await reader.push(BOOK)
            assert delta["prev_seq"] == seq
            seq = delta["seq"]
    world.limits.settings = LIMITS
    await until(lambda: world.limits.connection_count == 0 and not world.hub.sessions)
    assert all(one.raw.fileno() >= 0 for one in sockets), "it was not they who closed"


async def test_a_reader_that_wakes_up_in_time_gets_a_fresh_snapshot(patient_world: World):
    world = patient_world
    url = world.url.replace("http", "ws") + "/api/v1/ws"
    sleeper = await RawSocket(world).open()
    await sleeper.send({"op": "subscribe", "channels": [BOOK]})
    await until(lambda: world.hub.sessions)
    (session,) = world.hub.sessions
    stop = asyncio.Event()
    busy = asyncio.create_task(trade(world, url, stop.is_set))
    await until(lambda: session._lagging_since_s)
    reading = asyncio.create_task(sleeper.read())
    await until(lambda: not session._lagging_since_s)
    stop.set()
    await busy
    rest = (await world.http.get(f"/api/v1/orderbook/{SYMBOL}?depth=10000")).json()
    await until(lambda: books(sleeper) and books(sleeper)[-1]["seq"] >= rest["seq"], 0.1)
    reading.cancel()
    kinds = [message["type"] for message in books(sleeper)]
    assert kinds[0] == "snapshot"
    assert "snapshot" in kinds[1:], "deltas were left out, so a snapshot is due"
    seq = 0
    for message in books(sleeper):  # after each snapshot the chain is unbroken
        assert message["type"] == "snapshot" or message["prev_seq"] == seq
        seq = message["seq"]
    assert seq == rest["seq"]


def books(reader: RawSocket) -> list[dict]:
    """Return what it read of the book."""
    messages = [json.loads(payload) for opcode, payload in reader.frames if opcode == 1]
    return [message for message in messages if message.get("channel") == BOOK]


async def test_a_reader_too_far_behind_hears_4008(world: World):
    url = world.url.replace("http", "ws") + "/api/v1/ws"
    slow = await RawSocket(world).open()
    await slow.send({"op": "auth", **world.auth("bob")})
    await slow.send({"op": "subscribe", "channels": ["orders", *CHANNELS]})
    await until(lambda: world.hub.sessions)
    (session,) = world.hub.sessions
    busy = asyncio.create_task(trade(world, url, lambda: session.closed))
    await until(lambda: session.closed)
    await asyncio.wait_for(slow.read(), PATIENCE_S)
    await busy
    opcode, payload = slow.frames[-1]
    assert opcode == 8
    assert int.from_bytes(payload[:2], "big") == 4008
    assert payload[2:] == b"too slow"
