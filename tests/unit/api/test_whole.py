"""A mass cancel and a kill that take several commands are one request with one answer."""

import pytest

from api.errors import Problem
from api.replies import Reply
from api.whole import WholeWaiter
from matching.codes import EventKind, Side
from tests.oracle.state import Capacity
from tests.support.api_world import OTHER, SYMBOL, World, running

FEW = 3  # orders that one command looks at


@pytest.fixture
async def world():
    async with running(capacity=Capacity(account_cancels=FEW)) as one:
        yield one


async def rest_many(world: World, count: int) -> list[str]:
    placed = [
        await world.place("alice", ("buy", "sell")[n % 2], ("1.900", "2.100")[n % 2], "1")
        for n in range(count)
    ]
    return [answer["order"]["order_id"] for answer in placed]


async def test_cancelling_all_goes_on_until_all_are_gone(world: World):
    ids = await rest_many(world, 8)
    before = world.mirror.seq
    answer = (await world.call("alice", "DELETE", "/orders")).json()
    assert (answer["cancelled_count"], answer["order_ids"]) == (8, ids)
    assert world.mirror.seq - before == 3  # of 3, 3 and 2 orders
    assert answer["seq"] == world.mirror.seq
    assert (await world.call("alice", "GET", "/orders")).json()["orders"] == []


async def test_orders_of_the_other_side_are_passed_over_and_stay(world: World):
    ids = await rest_many(world, 8)
    await world.place("alice", "buy", "1.900", "1", symbol=OTHER)
    answer = (await world.call("alice", "DELETE", f"/orders?side=sell&symbol={SYMBOL}")).json()
    assert answer["order_ids"] == ids[1::2]
    left = (await world.call("alice", "GET", "/orders")).json()["orders"]
    assert [order["side"] for order in left] == ["buy"] * 5


async def test_over_the_websocket_too(world: World):
    await rest_many(world, 7)
    async with world.serving() as url, world.socket(url, "alice") as alice:
        done = await alice.ask("order.cancel_all")
    assert done["result"]["cancelled_count"] == 7


async def test_a_kill_says_all_that_it_cancelled(world: World):
    await rest_many(world, 7)
    body = {"account_id": "alice"}
    killed = (await world.call("operator", "POST", "/admin/kill", body)).json()
    assert killed["killed"]["accounts"] == [{"account_id": "alice", "cancelled_count": 7}]
    assert not world.mirror.orders


class Full:
    """A gateway that takes nothing more."""

    def post(self, row: bytes, waiter: object) -> None:
        raise Problem("overloaded", "too much is waiting for the exchange")


class Heard:
    """What a waiter was told."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def replied(self, reply: Reply) -> None:
        raise AssertionError("nothing was done whole")

    def lost(self, problem: Problem) -> None:
        self.problems.append(problem)


def test_what_cannot_go_on_is_said_to_be_lost():
    heard = Heard()
    part = [(1, int(EventKind.MASS_CANCELLED), Side.BUY, 0, 0, 0, 0, -1, 0, 0, 3, 4, 0)]
    WholeWaiter(Full(), bytes(112), heard).replied(Reply(1, 1, part))
    assert [problem.code for problem in heard.problems] == ["overloaded"]
