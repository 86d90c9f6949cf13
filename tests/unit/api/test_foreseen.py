"""Answers that are written while their batch commits: none leaves before, all are as they were."""

import json

import pytest

from api.ws import waiters
from exchange.io.errors import EpochLost
from tests.support.api_world import SYMBOL, Socket, World, running
from tests.support.waiting import until

BUY = {"symbol": SYMBOL, "side": "buy", "price": "1.990", "quantity": "1"}


async def say(socket: Socket, op: str, request_id: int, **fields) -> None:
    """Send a message, and wait for nothing."""
    await socket.raw.send(json.dumps({"op": op, "id": request_id, **fields}))


async def first_reply_while_committing(world: World, socket: Socket) -> int:
    """Send an order whose commit is held back, then a ping; return which is answered first."""
    world.journal.gate.clear()
    world.journal.begun.clear()
    await say(socket, "order.new", 1, **BUY)
    await world.journal.begun.wait()
    await until(lambda: world.gateway._foreseen)
    await say(socket, "ping", 2)
    return (await socket.receive())["id"]


async def test_an_answer_is_written_while_its_batch_commits_and_leaves_after_it(world: World):
    async with world.serving() as url, world.socket(url, "alice") as alice:
        assert await first_reply_while_committing(world, alice) == 2
        seq, ids = world.mirror.seq, set(world.mirror.orders)
        assert not ids
        world.journal.gate.set()
        reply = await alice.reply(1)
        assert reply["ok"]
        assert reply["seq"] == seq + 1
        order_id = reply["result"]["order"]["order_id"]
        found = await world.call("alice", "GET", f"/orders/{order_id}")
        assert found.json()["order"]["order_id"] == order_id  # it is shown to who was answered


async def test_an_answer_given_too_early_is_found(world: World, monkeypatch):
    foresee = waiters.PlaceWaiter.foresee

    def hasty(self, command, reply):
        written = foresee(self, command, reply)
        self.replied(reply)
        return written

    monkeypatch.setattr(waiters.PlaceWaiter, "foresee", hasty)
    async with world.serving() as url, world.socket(url, "alice") as alice:
        assert await first_reply_while_committing(world, alice) == 1
        world.journal.gate.set()


async def test_what_was_foreseen_of_a_lost_epoch_is_never_said(world: World, monkeypatch):
    async def lost(batch) -> None:
        await world.journal.gate.wait()
        raise EpochLost("planted")

    async with world.serving() as url, world.socket(url, "alice") as alice:
        first = world.journal.append
        monkeypatch.setattr(world.journal, "append", lost)
        world.journal.gate.clear()
        await say(alice, "order.new", 1, **BUY)
        await until(lambda: world.gateway._foreseen)
        world.journal.gate.set()
        await until(lambda: any(task.done() for task in world._tasks))
        await say(alice, "ping", 2)
        assert (await alice.receive())["id"] == 2
        assert world.gateway.pending_count == 1
        monkeypatch.setattr(world.journal, "append", first)


async def test_replies_of_one_batch_keep_their_order(world: World):
    async with world.serving() as url, world.socket(url, "alice") as alice:
        order_id = (await alice.ask("order.new", **BUY))["result"]["order"]["order_id"]
        world.journal.gate.clear()
        await say(alice, "order.new", 11, **BUY)
        await until(lambda: world.gateway._foreseen)
        for request_id in (12, 14):
            await say(alice, "order.new", request_id, **BUY)
            await say(alice, "order.cancel", request_id + 1, order_id=order_id)
        await until(lambda: world.sequencer._pending.count == 4)
        world.journal.gate.set()
        found = [await alice.receive() for _ in range(5)]
        assert [reply["id"] for reply in found] == [11, 12, 13, 14, 15]
        assert [reply["ok"] for reply in found] == [True, True, True, True, False]
        assert {batch.count for batch in world.journal.batches[-1:]} == {4}


async def test_a_session_that_ended_meanwhile_harms_nobody(world: World):
    async with world.serving() as url, world.socket(url, "bob") as bob:
        async with world.socket(url, "alice") as alice:
            assert await first_reply_while_committing(world, alice) == 2
        await until(lambda: len(world.hub.sessions) == 1)
        await say(bob, "order.new", 5, **BUY)
        await until(lambda: world.sequencer._pending.count == 1)
        world.journal.gate.set()
        assert (await bob.reply(5))["ok"]
        assert len(world.mirror.orders) == 2


@pytest.fixture
async def world():
    async with running() as one:
        yield one
