"""Answers that are written while their batch commits: none leaves before, all are as they were."""

import asyncio
import json

import numpy as np
import pytest

from api import gateway
from api.limits import LimitSettings
from api.ws import waiters
from api.ws.protocol import PicowsOutlet
from exchange.io.batch import Batch
from exchange.io.errors import EpochLost, JournalUnavailable
from exchange.io.journal_memory import MemoryJournal
from matching.codes import EventKind, Kind
from matching.wire import EVENT, new_commands
from tests.support.api_world import SYMBOL, Socket, World, running
from tests.support.waiting import until

BUY = {"symbol": SYMBOL, "side": "buy", "price": "1.990", "quantity": "1"}


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gateway, "SILENCE_S", 60.0)  # nothing is sent again behind a closed gate
    async with running() as one:
        yield one


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


async def hold_back_a_tick(world: World) -> None:
    """Have a batch commit that waits for the gate: what comes now shares the next one."""
    world.journal.gate.clear()
    world.journal.begun.clear()
    row = new_commands(1)
    row["kind"] = Kind.TICK
    await world.sequencer.submit(row)
    await world.journal.begun.wait()


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


async def test_the_mirror_has_what_an_answer_says_in_the_same_turn(world: World, monkeypatch):
    seen: list[tuple[str, int]] = []
    write, publish = PicowsOutlet.write, world.bus.publish

    def noting(self, payloads: list[bytes]) -> None:
        write(self, payloads)
        seen.append(("answered", world.mirror.seq))

    async def publishing(batch: Batch, taken_count: int = 0) -> None:
        turn = publish(batch, taken_count)
        with pytest.raises(StopIteration):
            turn.send(None)  # it waits for nothing
        seen.append(("published", world.mirror.seq))

    async with world.serving() as url, world.socket(url, "alice") as alice:
        assert await first_reply_while_committing(world, alice) == 2
        monkeypatch.setattr(PicowsOutlet, "write", noting)
        monkeypatch.setattr(world.bus, "publish", publishing)
        before = world.mirror.seq
        world.journal.gate.set()
        reply = await alice.reply(1)
        assert seen[:2] == [("answered", before), ("published", reply["seq"])]


async def test_what_was_foreseen_of_a_lost_epoch_is_never_said(world: World, monkeypatch):
    """Cut off from Postgres, while another process leads and writes a batch of that number."""
    is_fenced = asyncio.Event()

    async def cut_off(batch: Batch) -> None:
        await asyncio.sleep(0)
        raise EpochLost("planted") if is_fenced.is_set() else JournalUnavailable("planted")

    async with world.serving() as url, world.socket(url, "alice") as alice:
        monkeypatch.setattr(world.journal, "append", cut_off)
        await say(alice, "order.new", 1, **BUY)
        await until(lambda: world.gateway._foreseen)
        rows, events = new_commands(1), np.zeros(1, EVENT)
        rows["kind"], events["kind"] = Kind.TICK, EventKind.TICKED
        rows["seq"] = events["seq"] = seq = world.mirror.seq + 1
        rows["ts_ns"] = world.mirror.ts_ns + 1
        await MemoryJournal.append(world.journal, Batch(seq, rows, events))
        await until(lambda: world.mirror.seq == seq)
        is_fenced.set()
        await until(lambda: world._tasks[0].done())
        await say(alice, "ping", 2)
        assert (await alice.receive())["id"] == 2
        assert world.gateway.pending_count == 1
        assert not world.mirror.orders


async def test_an_order_that_was_sent_again_meanwhile_is_answered_once_and_in_its_turn(
    world: World, monkeypatch
):
    monkeypatch.setattr(gateway, "SILENCE_S", 0.05)
    monkeypatch.setattr(gateway, "TURN_S", 0.01)
    world.gateway._silence_s = 0.05
    async with world.serving() as url, world.socket(url, "alice") as alice:
        await world.place("bob", "sell", "1.990", "3")
        await hold_back_a_tick(world)
        for request_id in (1, 2):
            await say(alice, "order.new", request_id, **BUY)
        await until(lambda: world.sequencer._pending.count >= 4)
        world.journal.gate.set()
        found = [await alice.receive() for _ in range(2)]
        assert [reply["id"] for reply in found] == [1, 2]
        assert [len(reply["result"]["trades"]) for reply in found] == [1, 1]
        await until(lambda: world.gateway.pending_count == 0)
        assert {session.in_flight for session in world.hub.sessions} == {0}


async def test_answers_of_one_batch_leave_together_and_say_what_is_left_of_the_rate_by_then():
    async with (
        running(LimitSettings(orders_per_s=10)) as world,
        world.serving() as url,
        world.socket(url, "alice") as alice,
    ):
        await hold_back_a_tick(world)
        for request_id in range(4):
            await say(alice, "order.new", request_id, **BUY)
        await until(lambda: world.sequencer._pending.count == 4)
        writes: list[int] = []
        (session,) = world.hub.sessions
        write = session._outlet.write
        session._outlet.write = lambda payloads: writes.append(len(payloads)) or write(payloads)
        world.journal.gate.set()
        left = [(await alice.receive())["limit"]["remaining"] for _ in range(4)]
        assert writes == [4]
        assert len(set(left)) == 1


async def test_an_answer_ends_the_silence_after_which_commands_are_sent_again(world: World):
    async with world.serving() as url, world.socket(url, "alice") as alice:
        world.gateway._silence_s = 2.0
        assert (await alice.ask("order.new", **BUY))["ok"]
        assert world.gateway._silence_s == gateway.SILENCE_S


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
