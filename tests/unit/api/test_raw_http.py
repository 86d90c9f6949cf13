"""Bytes on the port that no client library would send: an answer or a clean close, never a 500."""

import asyncio
import base64
import contextlib

import pytest
import pytest_asyncio

from tests.support.api_world import World, running
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = base64.b64encode(bytes(16)).decode()
UPGRADE = (
    f"GET /api/v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"
)
POST = b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\n"
RAW: dict[str, bytes] = {
    "text": b"hello\r\n\r\n",
    "nul": b"\x00" * 64,
    "tls": bytes.fromhex("160301020001000001fc0303") + b"\x00" * 500,
    "http2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no host": b"GET /api/v1/time HTTP/1.1\r\n\r\n",
    "http/1.0": b"GET /api/v1/time HTTP/1.0\r\n\r\n",
    "high bytes in the path": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "high bytes below the api": b"GET /api/v1/orders/\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
    "nul in the path": b"GET /a\x00b HTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute": b"GET http://other/api/v1/time HTTP/1.1\r\nHost: x\r\n\r\n",
    "star": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "no path": b"GET  HTTP/1.1\r\nHost: x\r\n\r\n",
    "connect": b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "high bytes in a header": b"GET /api/v1/time HTTP/1.1\r\nHost: x\r\nX: \xff\xfe\r\n\r\n",
    "high bytes in the key": b"GET /api/v1/orders HTTP/1.1\r\nHost: x\r\nWH-KEY: \xff\r\n\r\n",
    "long header": b"GET /api/v1/time HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    "many headers": b"GET /api/v1/time HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "bad length": POST + b"Content-Length: abc\r\n\r\n",
    "negative length": POST + b"Content-Length: -1\r\n\r\n",
    "huge length": POST + b"Content-Length: 99999999999999\r\n\r\n",
    "bad chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "upgrade elsewhere": UPGRADE.replace("/api/v1/ws", "/api/v1/time").encode() + b"\r\n",
    "upgrade by post": UPGRADE.replace("GET", "POST").encode() + b"\r\n",
    "upgrade without key": UPGRADE.replace(KEY, "").encode() + b"\r\n",
    "upgrade with a short key": UPGRADE.replace(KEY, "YWJj").encode() + b"\r\n",
    "upgrade of another version": UPGRADE.replace("13", "7").encode() + b"\r\n",
    "upgrade with high bytes": UPGRADE.encode() + b"X: \xff\r\n\r\n",
    "upgrade with high bytes in the path": UPGRADE.encode().replace(b"/ws", b"/\xff") + b"\r\n",
    "upgrade to h2c": UPGRADE.replace("websocket", "h2c").encode() + b"\r\n",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world():
    async with running() as one, one.serving():
        yield one


async def exchange(world: World, raw: bytes, patience_s: float = PATIENCE_S) -> bytes:
    """Return what comes up to the end of the head, or of the connection; or silence."""
    port = int(world.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(raw)
        if writer.can_write_eof():
            await asyncio.sleep(0)
        answer = b""
        try:
            async with asyncio.timeout(patience_s):
                while chunk := await reader.read(65536):
                    answer += chunk
                    if b"\r\n\r\n" in answer:
                        break
        except ConnectionError:
            return answer
        except TimeoutError:
            assert patience_s < PATIENCE_S, "nothing came, nor did it end"
        return answer
    finally:
        writer.close()


@pytest.mark.parametrize("name", RAW)
async def test_bytes_no_library_sends_are_answered_or_the_connection_ends(world: World, name: str):
    # A server that waits for the rest says nothing: that is seen after a while, however short.
    answer = await exchange(world, RAW[name], 0.3)
    status = answer.partition(b"\r\n")[0]
    assert b" 500" not in status, (name, answer)
    if answer and b" 200 " not in status:
        assert b" 4" in status, (name, answer)
        assert b"application/problem+json" in answer, (name, answer)
    after = await exchange(world, b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b" 200 " in after.partition(b"\r\n")[0], name


async def test_an_upgrade_with_too_many_headers_is_answered(world: World):
    for size in (15_000, 17_000, 30_000):
        answer = await exchange(world, UPGRADE.encode() + b"X: " + b"a" * size + b"\r\n\r\n")
        status = answer.partition(b"\r\n")[0]
        assert (b" 101 " if size < 16_000 else b" 400 ") in status, (size, answer)


async def upgraded(world: World, frame: bytes) -> None:
    """Send a frame on a websocket, and see the connection end."""
    port = int(world.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(UPGRADE.encode() + b"\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    writer.write(frame)
    with contextlib.suppress(ConnectionError):
        while await reader.read(65536):
            pass
    writer.close()


async def test_frames_that_break_the_protocol_end_that_connection_only(world: World):
    for frame in (
        b"\x81\x05hello",  # not masked
        b"\x83\x80\x00\x00\x00\x00",  # unknown opcode
        b"\x09\x80\x00\x00\x00\x00",  # control frame in pieces
        b"\x81\xff" + (1 << 40).to_bytes(8, "big") + bytes(4),  # a terabyte
        b"\x88\x81\x00\x00\x00\x00a",  # close with half a code
        b"\xf1\x80\x00\x00\x00\x00\x88\x80\x00\x00\x00\x00",  # reserved bits, then a close
    ):
        async with asyncio.timeout(PATIENCE_S):
            await upgraded(world, frame)
    after = await exchange(world, b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b" 200 " in after.partition(b"\r\n")[0]
    assert world.limits.connection_count <= 12
