"""The roles as processes over one Postgres and one Valkey: nothing a test breaks loses an order."""

import asyncio
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from exchange.services.node.watching import SILENT_S
from matching.codes import Code, EventKind
from tests.torture.cluster import Cluster, running_cluster
from tests.torture.floor import ACCOUNTS, READER, Floor
from tests.torture.record import Fate
from tests.torture.storm import is_sound
from wellhead import AsyncClient, calls

pytestmark = [
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc"),
]

A, B = "gateway-a", "gateway-b"
TAKE_OVER_S = 120.0
SETTLED_S = 0.7


async def start_all(cluster: Cluster) -> None:
    """Start one process of each role, and a second gateway."""
    cluster.start("engine")
    cluster.start("clearing")
    cluster.start("market-data")
    await asyncio.gather(cluster.start_gateway(A), cluster.start_gateway(B))
    await cluster.operator_known()
    cluster.gates = dict(zip(ACCOUNTS, (A, B, A, B), strict=True))


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    with running_cluster() as cluster:
        await start_all(cluster)
        yield cluster


async def trade(floor: Floor, seconds: float = SETTLED_S) -> None:
    floor.begin()
    await asyncio.sleep(seconds)
    await floor.end()


async def settled(floor: Floor) -> None:
    """See that all have their answers and that these are true."""
    await floor.settle()
    assert await floor.reckon() == []


async def epoch(cluster: Cluster) -> int:
    connection = await cluster.database()
    try:
        return int(await connection.fetchval("SELECT epoch FROM leader"))
    finally:
        await connection.close()


async def read_across(floor: Floor, maker: AsyncClient, taker: AsyncClient, number: int) -> None:
    """Write on one gateway and read on the other, at once, both ways."""
    symbol = floor.traders[0].markets[0].symbol
    placed = await maker.place(symbol, "buy", 1, "0.5", client_order_id=f"across-{number}")
    order_id = placed.order.order_id
    for read in (calls.order(order_id, None), calls.order(None, f"across-{number}")):
        shown = await taker.raw(read)
        assert shown["order"]["status"] == "open" and int(shown["seq"]) >= placed.seq
    await taker.cancel(order_id)
    assert (await maker.order(order_id)).status == "cancelled"
    listed = await maker.raw(calls.orders(status="open", limit=1000))
    assert order_id not in {order["order_id"] for order in listed["orders"]}


async def test_an_exchange_in_many_processes_loses_nothing(cluster):
    floor = Floor(cluster, seed=5)
    await floor.open()
    await trade(floor)
    await settled(floor)

    # What one gateway has acknowledged the other shows, at once.
    one, other = (floor.client(READER, cluster.urls[name]) for name in (A, B))
    async with one, other:
        for number in range(20):
            await read_across(floor, one, other, number)

    # Valkey forgets everything, three times, under load.
    floor.begin()
    for _ in range(3):
        await asyncio.sleep(0.3)
        cluster.wipe()
    await asyncio.sleep(0.3)
    await floor.end()
    await settled(floor)

    # Valkey dies and comes back empty.
    floor.begin()
    await asyncio.sleep(0.3)
    gone_s = time.monotonic()
    cluster.valkey.kill()
    await asyncio.sleep(0.7)
    cluster.start_valkey()
    gone_s = time.monotonic() - gone_s
    await asyncio.sleep(0.5)
    await floor.end()
    await settled(floor)

    # Valkey's troubles are none of the clients', unless a slow machine made them so long that the
    # leader was silent for SILENT_S.
    requests = (one for trader in floor.traders for one in trader.record.requests)
    away = Counter(one.code for one in requests if one.fate == Fate.NOT_DONE)
    assert not away or (gone_s > SILENT_S - 1 and set(away) == {"halted"}), (away, gone_s)

    # A gateway dies; its clients go to the other.
    floor.begin()
    await asyncio.sleep(0.3)
    cluster.parts[B].kill()
    cluster.gates = dict.fromkeys(ACCOUNTS, A)
    await asyncio.sleep(0.5)
    await floor.end()
    await settled(floor)

    # The engine dies, and clearing with it; both are started again.
    floor.begin()
    await asyncio.sleep(0.3)
    cluster.parts["engine"].kill()
    cluster.parts["clearing"].kill()
    cluster.start("engine", "engine-2")
    cluster.start("clearing", "clearing-2")
    await cluster.parts[A].api_url()
    await floor.end()
    await settled(floor)

    await trade(floor)
    await settled(floor)
    assert await floor.reckon_with_everything() == []
    codes = {said[0].code for said in floor.truth.events if said[0].kind == EventKind.REFUSED}
    assert Code.REQUEST_REPEATED in codes, "no gateway had to send anything again"
    status, printed = await cluster.command("verify", "--json")
    assert status == 0 and is_sound(printed, floor.truth.last_seq), printed
    for name in (A, "engine-2", "clearing-2", "market-data"):
        assert cluster.parts[name].stop(signal.SIGINT) == 0, cluster.parts[name].log()[-2000:]


async def test_a_paused_leader_is_fenced_when_a_standby_has_taken_over(cluster):
    floor = Floor(cluster, seed=6)
    await floor.open()
    standby = cluster.start("engine", "engine-standby")
    await trade(floor)
    await settled(floor)
    await asyncio.sleep(5)  # the standby is warm and follows
    before, leader = await epoch(cluster), cluster.parts["engine"]

    floor.begin()
    await asyncio.sleep(0.3)
    leader.send(signal.SIGSTOP)  # with commands under way
    async with asyncio.timeout(TAKE_OVER_S):
        while await epoch(cluster) == before:
            await asyncio.sleep(0.05)
    await asyncio.sleep(1)
    leader.send(signal.SIGCONT)
    assert leader.wait() != 0, "the old leader goes on"
    assert standby.status is None
    await floor.end()
    await settled(floor)

    await trade(floor)
    await settled(floor)
    assert await floor.reckon_with_everything() == []
    assert floor.truth.epochs == sorted(floor.truth.epochs), "an old epoch wrote after a new one"
    assert set(floor.truth.epochs[-3:]) == {before + 1}
