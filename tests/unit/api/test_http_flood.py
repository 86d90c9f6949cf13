"""Connections that take room and give nothing back: a bound for each, and room for others."""

import asyncio
import contextlib
import dataclasses
import socket
import sys
from typing import Any

import pytest

from api import http
from api.limits import LimitSettings
from tests.support.api_world import World, running
from tests.support.waiting import PATIENCE_S, until

LIMITS = LimitSettings(reads_per_s=10**6, public_per_s=10**6, failed_auth_per_s=10**6,
                       connections_per_address_max=3)  # fmt: skip
TIME = b"GET /api/v1/time HTTP/1.1\r\nHost: x\r\n\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def port_of(world: World) -> int:
    return int(world.url.rpartition(":")[2])


async def status(streams: Streams, ask: bytes = TIME) -> int:
    """Return the status of an answer."""
    async with asyncio.timeout(PATIENCE_S):
        streams[1].write(ask)
        return int((await streams[0].readuntil(b"\r\n\r\n")).split()[1])


async def test_an_address_has_as_many_connections_as_it_may_have_and_no_more():
    async with running(LIMITS) as world, world.serving():
        held = [await asyncio.open_connection("127.0.0.1", port_of(world)) for _ in range(3)]
        assert [await status(one) for one in held] == [200] * 3
        beyond = await asyncio.open_connection("127.0.0.1", port_of(world))
        answer = await asyncio.wait_for(beyond[0].read(), PATIENCE_S)  # said unasked, then closed
        assert answer.startswith(b"HTTP/1.1 429 ") and b"too_many_connections" in answer
        held[0][1].close()
        while True:  # until the server has seen that one is gone
            again = await asyncio.open_connection("127.0.0.1", port_of(world))
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                if await status(again) == 200:
                    break
        held[1][1].write(b"hello\r\n\r\n")  # ends by our answer
        assert await asyncio.wait_for(held[1][0].read(), PATIENCE_S)
        async with world.socket(world.url.replace("http", "ws") + "/api/v1/ws") as one:
            # Upgraded, it is a websocket and counts with these.
            assert (await one.ask("ping"))["ok"]
            assert world.limits.connection_count == 1
            assert await status(held[2]) == 200
        for _, writer in (*held, again):
            writer.close()


@pytest.mark.parametrize(
    ("soft", "clients"),
    [(65_536, 65_436), (300, 225), (64, 48), (http.resource.RLIM_INFINITY, sys.maxsize)],
)
def test_some_files_are_kept_for_the_exchange_itself(monkeypatch, soft: int, clients: int):
    monkeypatch.setattr(http.resource, "getrlimit", lambda _: (soft, soft))
    assert http.files_for_clients() == clients


async def test_when_hardly_a_file_may_be_opened_connections_are_turned_away(monkeypatch):
    async with running(LIMITS) as world, world.serving():
        monkeypatch.setattr(http.resource, "getrlimit", lambda _: (8, 8))
        beyond = await asyncio.open_connection("127.0.0.1", port_of(world))
        answer = await asyncio.wait_for(beyond[0].read(), PATIENCE_S)
        assert answer.startswith(b"HTTP/1.1 429 ") and b"all that may be open" in answer
        monkeypatch.undo()
        again = await asyncio.open_connection("127.0.0.1", port_of(world))
        assert await status(again) == 200
        again[1].close()


async def test_behind_a_proxy_connections_are_not_counted_by_its_address():
    async with running(LIMITS) as world:
        world.services.edge = dataclasses.replace(world.services.edge, trust_proxy_headers=True)
        async with world.serving():
            held = [await asyncio.open_connection("127.0.0.1", port_of(world)) for _ in range(5)]
            assert [await status(one) for one in held] == [200] * 5
            for _, writer in held:
                writer.close()


async def test_who_asks_and_never_reads_is_cut_off_and_not_answered_any_more(
    monkeypatch: pytest.MonkeyPatch,
):
    begun: list[Any] = []
    begin = http.HttpProtocol._start_asgi_task

    def note(self: http.HttpProtocol, cycle: Any, app: Any) -> None:
        begun.append(cycle)
        begin(self, cycle, app)

    monkeypatch.setattr(http.HttpProtocol, "_start_asgi_task", note)
    monkeypatch.setattr(http, "READ_S", 0.05)
    async with running() as world, world.serving():
        loop, raw = asyncio.get_running_loop(), socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await loop.sock_connect(raw, ("127.0.0.1", port_of(world)))
        cut: list[bool] = []

        async def ask() -> None:
            """Ask for the reference again and again, until the connection is gone."""
            with contextlib.suppress(ConnectionError):
                while True:
                    await loop.sock_sendall(raw, b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
            cut.append(True)

        asking = asyncio.create_task(ask())
        await until(lambda: bool(cut))
        await asking
        raw.close()
        other = await asyncio.open_connection("127.0.0.1", port_of(world))
        assert await status(other) == 200
        other[1].close()
    assert begun[-2].disconnected  # the last is of the other connection
