"""A peer that stops reading: conflated, then closed with 4008, and nobody else notices."""

import asyncio
import dataclasses
import json
import socket
import struct
import time
from collections.abc import Callable

import pytest

from api.limits import LimitSettings
from tests.support.api_world import SYMBOL, World, running

LIMITS = LimitSettings(
    reads_per_s=10**6, public_per_s=10**6, failed_auth_per_s=10**6,
    kernel_bytes=1 << 12, lag_bytes=1 << 15, lag_bytes_max=1 << 18, lag_s=0.6,
)  # fmt: skip
BOOK = f"book.{SYMBOL}.raw"
CHANNELS = [BOOK, f"book.{SYMBOL}.100ms", f"bbo.{SYMBOL}", f"trades.{SYMBOL}", f"ticker.{SYMBOL}"]


PATIENT = dataclasses.replace(LIMITS, lag_s=60)  # who wakes up in a minute is in time
PATIENCE_S = 30


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

    async def frames(self, timeout_s: float) -> list[tuple[int, bytes]]:
        """Read (opcode, payload) of everything until the end, or until nothing comes."""
        loop, found = asyncio.get_running_loop(), []
        while True:
            while (frame := self._frame()) is not None:
                found.append(frame)
            try:
                async with asyncio.timeout(timeout_s):
                    chunk = await loop.sock_recv(self.raw, 1 << 20)
            except (TimeoutError, ConnectionError):
                return found
            if not chunk:
                return found
            self._buffer += chunk

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


async def trade(world: World, url: str, enough: Callable[[], bool]) -> list[float]:
    """Trade on a connection of one's own until it is enough; return the latencies."""
    latencies = []
    number = 0
    async with world.socket(url, "alice") as alice:
        while not enough():
            begun = time.perf_counter()
            requests = [
                {
                    "op": "new", "symbol": SYMBOL, "side": "buy" if n % 2 else "sell",
                    "price": f"2.{(number + n) % 90 + 10:03d}", "quantity": "1", "stp": "none",
                }
                for n in range(20)
            ]  # fmt: skip
            reply = await alice.ask("order.batch", requests=requests)
            latencies.append(time.perf_counter() - begun)
            assert reply["ok"]
            number += 7
    return sorted(latencies)


def after(seconds: float) -> Callable[[], bool]:
    """Return what says that this time has passed."""
    until_s = time.monotonic() + seconds
    return lambda: time.monotonic() >= until_s


async def comes_true(said: Callable[[], object]) -> None:
    """Wait for something that happens sooner or later, however slow the machine."""
    async with asyncio.timeout(PATIENCE_S):
        while not said():
            await asyncio.sleep(0.01)


@pytest.mark.slow
async def test_a_frozen_reader_is_closed_and_harms_nobody(world: World):
    url = world.url.replace("http", "ws") + "/api/v1/ws"
    alone = await trade(world, url, after(1.0))
    frozen = [await RawSocket(world).open() for _ in range(5)]
    for one in frozen:
        await one.send({"op": "subscribe", "channels": CHANNELS})
    async with world.socket(url) as reader:
        await reader.ask("subscribe", channels=[BOOK])
        together = await trade(world, url, after(2.5))
        # The one that reads got every delta, in an unbroken chain.
        seq = (await reader.push(BOOK))["seq"]
        for _ in range(20):
            delta = await reader.push(BOOK)
            assert delta["prev_seq"] == seq
            seq = delta["seq"]
    assert len(together) > 20
    # Generous: this machine may be busy. A waiting server would need seconds.
    assert together[len(together) // 2] < 10 * alone[len(alone) // 2] + 0.25
    await comes_true(lambda: world.limits.connection_count == 0 and not world.hub.sessions)


async def test_a_reader_that_wakes_up_in_time_gets_a_fresh_snapshot(patient_world: World):
    world = patient_world
    url = world.url.replace("http", "ws") + "/api/v1/ws"
    sleeper = await RawSocket(world).open()
    await sleeper.send({"op": "subscribe", "channels": [BOOK]})
    await asyncio.sleep(0.05)
    (session,) = world.hub.sessions
    stop = asyncio.Event()
    busy = asyncio.create_task(trade(world, url, stop.is_set))
    await comes_true(lambda: session._lagging_since_s)
    reading = asyncio.create_task(sleeper.frames(1.0))
    await comes_true(lambda: not session._lagging_since_s)
    stop.set()
    await busy
    messages = [json.loads(payload) for opcode, payload in await reading if opcode == 1]
    books = [m for m in messages if m.get("channel") == BOOK]
    kinds = [m["type"] for m in books]
    assert kinds[0] == "snapshot"
    assert "snapshot" in kinds[1:], "deltas were left out, so a snapshot is due"
    seq = 0
    for message in books:  # after each snapshot the chain is unbroken
        assert message["type"] == "snapshot" or message["prev_seq"] == seq
        seq = message["seq"]
    rest = (await world.http.get(f"/api/v1/orderbook/{SYMBOL}?depth=10000")).json()
    assert seq == rest["seq"]


async def test_a_reader_too_far_behind_hears_4008(world: World):
    url = world.url.replace("http", "ws") + "/api/v1/ws"
    slow = await RawSocket(world).open()
    await slow.send({"op": "auth", **world.auth("bob")})
    await slow.send({"op": "subscribe", "channels": ["orders", *CHANNELS]})
    await asyncio.sleep(0.1)
    session = next(iter(world.hub.sessions))
    reading: list[tuple[int, bytes]] = []
    busy = asyncio.create_task(trade(world, url, lambda: session.closed))
    await comes_true(lambda: session.closed)
    reading = await slow.frames(2.0)
    await busy
    opcode, payload = reading[-1]
    assert opcode == 8
    assert int.from_bytes(payload[:2], "big") == 4008
    assert payload[2:] == b"too slow"
