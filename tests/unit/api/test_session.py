"""One session over an outlet that counts: when a peer that does not read is let go."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from api.auth import Principal
from api.errors import Problem
from api.limits import LimitSettings
from api.ws.ops_deals import OPS
from api.ws.outlet import CLOSE_TOO_SLOW
from api.ws.session import Session
from exchange.io.registry import Scope
from tests.support.api_world import SYMBOL, World, running

LIMITS = LimitSettings(lag_bytes=1_000, lag_bytes_max=5_000, lag_s=1e9)  # time closes nobody
CHANNEL = f"bbo.{SYMBOL}"


class FakeOutlet:
    """A connection of which the test says how much is unread."""

    def __init__(self) -> None:
        self.unread = 0
        self.written: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None

    def write(self, payloads: list[bytes]) -> None:
        assert self.closed is None, "written to after the goodbye"
        self.written += map(orjson.loads, payloads)

    def unread_bytes(self) -> int:
        return self.unread

    def close(self, code: int, reason: str) -> None:
        assert self.closed is None, "closed twice"
        self.closed = (code, reason)


@pytest.fixture
async def world():
    async with running(LIMITS) as one:
        yield one


@pytest.fixture
def outlet() -> FakeOutlet:
    return FakeOutlet()


@pytest.fixture
async def session(world: World, outlet: FakeOutlet) -> Session:
    made = Session(world.hub, outlet, "1.2.3.4", OPS)
    made.on_message(orjson.dumps({"op": "subscribe", "channels": [CHANNEL]}))
    world.hub.flush()
    outlet.written.clear()
    return made


async def test_a_peer_beyond_the_most_unread_bytes_is_closed_at_once(world, outlet, session):
    outlet.unread = LIMITS.lag_bytes_max + 1
    session.on_message(b'{"op":"ping","id":1}')
    world.hub.flush()
    assert outlet.closed == (CLOSE_TOO_SLOW, "too slow")
    assert session.closed
    assert session not in world.hub.sessions
    session.push(b'{"never":"written"}')
    session.on_message(b'{"op":"ping","id":2}')
    world.hub.flush()
    assert [one["id"] for one in outlet.written] == [1]


async def test_a_peer_with_as_many_unread_bytes_as_may_be_is_not_closed(world, outlet, session):
    outlet.unread = LIMITS.lag_bytes_max
    session.on_message(b'{"op":"ping","id":1}')
    world.hub.flush()
    session.look_after(1e6)
    assert outlet.closed is None
    assert session in world.hub.sessions


async def test_a_peer_that_lags_misses_public_messages_and_no_reply(world, outlet, session):
    outlet.unread = LIMITS.lag_bytes + 1
    session.on_message(b'{"op":"ping","id":1}')
    world.hub.flush()
    session.deliver(CHANNEL, b'{"channel":"left out"}')
    session.deliver_private(b'{"channel":"private"}')
    session.on_message(b'{"op":"ping","id":2}')
    world.hub.flush()
    assert [one.get("id", one.get("channel")) for one in outlet.written] == [1, "private", 2]


async def test_a_peer_that_has_read_on_gets_a_snapshot_of_what_it_missed(world, outlet, session):
    outlet.unread = LIMITS.lag_bytes + 1
    session.on_message(b'{"op":"ping","id":1}')
    world.hub.flush()
    session.deliver(CHANNEL, b'{"channel":"left out"}')
    outlet.unread = LIMITS.lag_bytes // 4
    session.look_after(0.0)
    session.deliver(CHANNEL, b'{"channel":"delta"}')
    world.hub.flush()
    _, snapshot, delta = outlet.written
    assert (snapshot["channel"], snapshot["type"]) == (CHANNEL, "snapshot")
    assert delta == {"channel": "delta"}


async def test_one_connection_never_fills_the_queue_with_cancellations(world, outlet, session):
    session.who = Principal("k", 1, "alice", frozenset({Scope.TRADE}))
    session.in_flight = 2 * LIMITS.in_flight_max - 1
    cancel = {"op": "order.cancel", "order_id": "5"}
    session.on_message(orjson.dumps({**cancel, "id": 1}))
    for number, op in enumerate(("order.cancel_all", "cancel_all_after", "mmp.reset"), 2):
        more = {"timeout_ms": 0} if op == "cancel_all_after" else {}
        session.on_message(orjson.dumps({"op": op, "id": number, **more}))
    batch = [{**cancel, "op": "cancel"}]
    session.on_message(orjson.dumps({"op": "order.batch", "id": 5, "requests": batch}))
    world.hub.flush()
    codes = {one["id"]: one["error"]["code"] for one in outlet.written if not one["ok"]}
    assert {number: codes.get(number) for number in range(2, 6)} == dict.fromkeys(
        range(2, 6), "too_many_in_flight"
    )
    assert codes.get(1) != "too_many_in_flight"


async def test_one_batch_of_cancellations_fits_when_nothing_is_in_flight(world, outlet, session):
    world.services.limits.settings = replace(LIMITS, in_flight_max=5)
    session.who = Principal("k", 1, "alice", frozenset({Scope.TRADE}))
    batch = [{"op": "cancel", "order_id": "5"}] * 50
    for number in (1, 2):
        session.on_message(orjson.dumps({"op": "order.batch", "id": number, "requests": batch}))
    world.hub.flush()
    codes = [(one["id"], one["error"]["code"]) for one in outlet.written if not one["ok"]]
    assert codes == [(2, "too_many_in_flight")]
    assert session.in_flight == 50


async def test_what_a_lost_connection_wanted_cancelled_is_tried_until_it_is_sent(world):
    gateway, sent = world.services.gateway, []
    real = gateway.post

    def full(row: bytes, waiter: Any) -> None:
        raise Problem("overloaded", "too much is waiting for the exchange")

    gateway.post = full
    world.hub.cancel_all(1)
    world.hub.cancel_owed()
    assert world.hub.owed == {1}

    def lossy(row: bytes, waiter: Any) -> None:
        sent.append(row)
        waiter.lost(Problem("gateway_replaced", "nothing was done"))

    gateway.post = lossy
    world.hub.cancel_owed()
    assert world.hub.owed == {1} and sent
    gateway.post = real
    world.hub.cancel_owed()
    assert world.hub.owed == set()
