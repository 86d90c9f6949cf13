"""Frames as no client library would send them: a message is taken whole, or not at all."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from api.ws.protocol import FRAME_BYTES_MAX, Listener
from tests.support.api_world import SYMBOL, World, running
from tests.support.waiting import PATIENCE_S
from tests.unit.api.test_raw_http import UPGRADE

pytestmark = pytest.mark.asyncio(loop_scope="module")

MORE, TEXT, CLOSE, PING = 0, 1, 8, b'{"op":"ping","id":7}'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world():
    async with running() as one, one.serving():
        yield one


def frame(payload: bytes, op: int = TEXT, *, fin: bool = True, reserved: int = 0) -> bytes:
    """Return a frame of a client, masked with nothing."""
    size = len(payload)
    head = bytes([(fin << 7) | (reserved << 4) | op])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 1 << 16:
        head += struct.pack(">BH", 0x80 | 126, size)
    else:
        head += struct.pack(">BQ", 0x80 | 127, size)
    return head + bytes(4) + payload


class Wire:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *frames: bytes) -> None:
        self.writer.write(b"".join(frames))
        await self.writer.drain()

    async def receive(self) -> tuple[int, bytes]:
        """Return op and payload of the next frame."""
        async with asyncio.timeout(PATIENCE_S):
            first, size = await self.reader.readexactly(2)
            if size == 126:
                (size,) = struct.unpack(">H", await self.reader.readexactly(2))
            return first & 15, await self.reader.readexactly(size)

    async def answer(self) -> dict[str, Any]:
        op, payload = await self.receive()
        assert op == TEXT, payload
        return dict(json.loads(payload))

    async def closed(self) -> int:
        """Return the code that the connection is closed with."""
        op, payload = await self.receive()
        assert op == CLOSE, payload
        return int(struct.unpack(">H", payload[:2])[0])


@asynccontextmanager
async def wire(world: World) -> AsyncIterator[Wire]:
    port = int(world.url.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(UPGRADE.encode() + b"\r\n")
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


async def test_the_beginning_of_a_message_that_is_too_long_is_no_message(world: World):
    login = json.dumps({"op": "auth", "id": 1, **world.auth("alice")}).encode()
    order = json.dumps({"op": "order.new", "id": 2, "symbol": SYMBOL, "side": "buy",
                        "price": "2.000", "quantity": "1"}).encode()  # fmt: skip
    async with wire(world) as one:
        await one.send(frame(login))
        assert (await one.answer())["ok"]
        much = frame(b" " * (FRAME_BYTES_MAX - 100), MORE, fin=False)
        await one.send(frame(order, fin=False), *[much] * 20, frame(b"", MORE))
        refused = await one.answer()
        assert (refused["ok"], refused["error"]["code"]) == (False, "body_too_large")
        await one.send(frame(PING))  # the connection goes on
        assert (await one.answer())["ok"]
    listed = (await world.call("alice", "GET", "/orders?status=all")).json()
    assert listed["orders"] == []


async def test_a_message_that_never_ends_needs_little_memory(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    seen: list[Listener] = []
    began = Listener.on_ws_connected
    monkeypatch.setattr(
        Listener, "on_ws_connected", lambda self, wire: (seen.append(self), began(self, wire))[1]
    )
    async with wire(world) as one:
        await one.send(frame(PING[:5], fin=False), *[frame(b"", MORE, fin=False)] * 20_000)
        await one.send(frame(PING[5:], MORE))
        assert (await one.answer())["id"] == 7
        await one.send(frame(b" ", fin=False), *[frame(b"", MORE, fin=False)] * 20_000)
        await one.send(*[frame(b" " * 60_000, MORE, fin=False)] * 20, frame(b"", 9))
        assert (await one.receive())[0] == 10  # the pong: all before it was read
        parts = seen[0]._parts
        assert parts is not None and len(parts) < 10
        assert sum(map(len, parts)) < 2 * FRAME_BYTES_MAX


@pytest.mark.parametrize(
    "frames",
    [
        [frame(PING, MORE)],
        [frame(PING[:5], MORE, fin=False)],
        [frame(PING[:5], fin=False), frame(PING[:5], fin=False)],
        *([frame(PING, op, reserved=bit)] for op in (TEXT, 2) for bit in (1, 2, 4)),
        [frame(PING[:5], fin=False), frame(PING[5:], MORE, reserved=1)],
    ],
)
async def test_frames_out_of_order_or_with_reserved_bits_end_the_connection(
    world: World, frames: list[bytes]
):
    async with wire(world) as one:
        await one.send(*frames)
        assert await one.closed() == 1002


async def test_a_frame_above_the_limit_ends_the_connection_before_it_is_here(world: World):
    async with wire(world) as one:
        await one.send(struct.pack(">BBQ", 0x81, 0xFF, FRAME_BYTES_MAX + 1) + bytes(4))
        assert await one.closed() == 1009
    async with wire(world) as one:
        await one.send(frame(b" " * FRAME_BYTES_MAX))
        assert (await one.answer())["error"]["code"] == "body_too_large"
