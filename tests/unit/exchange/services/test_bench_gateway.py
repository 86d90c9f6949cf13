"""The load of `bench gateway`: what was refused, or lost on the way, is never a figure."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from exchange.services.bench_gateway.stage import load

SERVER = """
import asyncio, sys, uvloop
from picows import WSListener, ws_create_server, WSMsgType
how = sys.argv[1]
class Exchange(WSListener):
    def on_ws_frame(self, transport, frame):
        message, ok = frame.get_payload_as_bytes(), True
        if b"order.new" in message:
            ok = how != "refuses"
            if how == "hangs up":
                return transport.disconnect()
        elif b"order.cancel_all" in message:
            ok = how != "keeps orders"
        transport.send(WSMsgType.TEXT, b'{"ok":true}' if ok else b'{"ok":false,"code":"planted"}')
async def main():
    server = await ws_create_server(lambda request: Exchange(), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main())
"""


@contextmanager
def plan(how: str) -> Iterator[dict[str, Any]]:
    """Start an exchange that does so; yield what a load is told to measure it."""
    command = [sys.executable, "-c", SERVER, how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        try:
            yield {
                "url": url, "keys": [["key", "secret"]], "symbol": "H100-USE-2027M03",
                "mid_ticks": 2_000, "connections": 2, "in_flight": 4, "seconds": 0.1,
                "count_max": 1_000, "seed": 1, "how": "ws",
            }  # fmt: skip
        finally:
            server.kill()


def test_orders_that_are_taken_are_counted():
    with plan("takes all") as told:
        found = load(told)
    assert found["acks"] >= 8 and found["refused"] == 0 and found["seconds"] > 0


@pytest.mark.parametrize(
    ("how", "said"),
    [("refuses", "were refused, the first: .*planted"), ("hangs up", "ended with 1"),
     ("keeps orders", "ended with 1")],
)  # fmt: skip
def test_a_refusal_a_lost_connection_or_what_is_left_ends_the_bench(how: str, said: str):
    with plan(how) as told, pytest.raises(RuntimeError, match=said):
        load(told)
