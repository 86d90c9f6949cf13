"""An operator starts it, starts it twice, stops it: what is refused says why, nothing is left."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.postgres import data_folder
from tests.torture.exchange import Exchange, Victim
from tests.torture.floor import READER, Floor
from tests.torture.process import WELLHEAD, Process, started_for, wait_gone
from wellhead import calls

UNAVAILABLE = 3  # the exit status of what the operator must change first

pytestmark = [
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc"),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    with data_folder() as path:
        yield path


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Exchange]:
    exchange = Exchange(folder)
    try:
        await exchange.start()
        yield exchange
    finally:
        exchange.bury()


async def test_a_second_start_keeps_everything(folder):
    async with running(folder) as exchange:
        floor = Floor(exchange, seed=1)
        await floor.open()
        symbol = floor.traders[0].markets[0].symbol
        async with floor.client(READER) as client:
            placed = await client.place(symbol, "buy", 2, "0.5", client_order_id="kept")
        assert exchange.stop() == 0
        await exchange.start()
        async with floor.client(READER) as client:
            again = await client.order(client_order_id="kept")
            balance = (await client.raw(calls.balances()))["balances"][0]
        assert (again.order_id, again.status) == (placed.order.order_id, "open")
        assert balance["cash"].startswith("5000000")
        assert exchange.stop() == 0


async def test_a_second_instance_on_the_same_folder_is_refused(folder):
    async with running(folder) as exchange:
        status, printed = await exchange.command("serve")
        assert status == UNAVAILABLE
        assert f"process {exchange.node.pid}" in printed and str(exchange.data) in printed
        assert "Traceback" not in printed
        await exchange.ready()  # the first one is not disturbed


async def test_a_taken_port_is_refused(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environment = {"WELLHEAD_DATA_DIR": str(folder / "data"), "WELLHEAD_PORT": str(port)}
        node = Process(folder, "node", (*WELLHEAD, "serve"), environment)
        node.start()
        assert await asyncio.to_thread(node.wait) == UNAVAILABLE
    assert f"port {port}" in node.log() and "WELLHEAD_PORT" in node.log()
    assert "Traceback" not in node.log()
    assert wait_gone(folder) == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_all_of_it(folder, number):
    async with running(folder) as exchange:
        assert len(exchange.pids(Victim.CLEARING)) == 1 and exchange.pids(Victim.POSTGRES)
        assert exchange.node.stop(number) == 0
        assert wait_gone(folder) == {}
        assert "Traceback" not in exchange.node.log()


async def test_a_signal_during_the_start_stops_all_of_it(folder):
    exchange = Exchange(folder)
    for after_s in (0.3, 0.8, 1.4, 2.0):
        exchange.node.start()
        await asyncio.sleep(after_s)
        exchange.node.send(signal.SIGINT)
        await asyncio.to_thread(exchange.node.wait)
        assert wait_gone(folder) == {}, f"after {after_s} s"


async def test_whatever_the_killed_node_had_started_ends_by_itself(folder):
    async with running(folder) as exchange:
        exchange.node.kill()
        assert wait_gone(folder, timeout_s=15) == {}
        await exchange.start()
        assert len(started_for(folder)) > 3
        assert exchange.stop() == 0
