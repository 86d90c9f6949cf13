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
from tests.torture.process import WELLHEAD, Process, wait_gone
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


async def keep_an_order(floor: Floor) -> str:
    symbol = floor.traders[0].markets[0].symbol
    async with floor.client(READER) as client:
        placed = await client.place(symbol, "buy", 2, "0.5", client_order_id="kept")
    return placed.order.order_id


async def see_it_kept(floor: Floor, order_id: str) -> None:
    async with floor.client(READER) as client:
        again = await client.order(client_order_id="kept")
        balance = (await client.raw(calls.balances()))["balances"][0]
    assert (again.order_id, again.status) == (order_id, "open")
    assert balance["cash"].startswith("5000000")


async def test_two_on_one_folder_are_refused_and_every_start_keeps_everything(folder):
    async with running(folder) as exchange:
        floor = Floor(exchange, seed=1)
        await floor.open()
        order_id = await keep_an_order(floor)

        status, printed = await exchange.command("serve")
        assert status == UNAVAILABLE
        assert f"process {exchange.node.pid}" in printed and str(exchange.data) in printed
        assert "Traceback" not in printed

        assert exchange.stop(signal.SIGTERM) == 0  # and no process is left
        await exchange.start()
        await see_it_kept(floor, order_id)

        exchange.node.kill()  # what it had started ends by itself
        assert wait_gone(folder) == {}
        await exchange.start()
        await see_it_kept(floor, order_id)
        assert len(exchange.pids(Victim.CLEARING)) == 1 and exchange.pids(Victim.POSTGRES)
        assert exchange.stop() == 0
        assert "Traceback" not in exchange.node.log()


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


async def test_a_signal_during_the_start_stops_all_of_it(folder):
    exchange = Exchange(folder)
    for after_s in (0.3, 0.8, 1.4, 2.0):
        exchange.node.start()
        await asyncio.sleep(after_s)
        exchange.node.send(signal.SIGINT)
        await asyncio.to_thread(exchange.node.wait)
        assert wait_gone(folder) == {}, f"after {after_s} s"
