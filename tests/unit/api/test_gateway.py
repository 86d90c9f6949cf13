"""The gateway: exactly once over a bus that loses, and honest when the exchange is not there."""

import asyncio
import struct

import numpy as np
import pytest

from api import codec, gateway
from api.barrier import Barrier
from api.errors import Problem
from exchange.io.batch import Batch
from exchange.io.errors import JournalUnavailable
from exchange.io.status import Mode
from exchange.rules.mirror import Mirror
from matching.codes import Code, Kind
from matching.wire import COMMAND
from tests.support.api_fakes import LossyBus
from tests.support.api_world import SYMBOL, World, running
from tests.support.waiting import until

BUY = {"symbol": SYMBOL, "side": "buy", "price": "1.990", "quantity": "1"}


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch):
    """Make the gateway send again soon."""
    monkeypatch.setattr(gateway, "SILENCE_S", 0.05)
    monkeypatch.setattr(gateway, "TURN_S", 0.01)
    monkeypatch.setattr(gateway, "GAP_PAUSE_S", 0.005)


def resting(world: World) -> int:
    """Return the lots in the book: each order adds one."""
    return sum(order.leaves_lots for order in world.mirror.orders.values())


async def place_many(world: World, count: int) -> list[int]:
    """Send orders of one lot, a few a turn, and return the seqs of their replies."""
    account_idx = 0
    row = codec.ROW.pack(
        Kind.PLACE, 0, 0, 0, 0, 0, 0, account_idx, 0, 0, 1990, 1, 0, 0, 0, 0, 0, 0, 0
    )
    tasks = []
    for number in range(count):
        tasks.append(asyncio.create_task(world.gateway.send(row)))
        if number % 3 == 2:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    replies = await asyncio.gather(*tasks)
    assert all(reply.code == 0 for reply in replies)
    return [reply.seq for reply in replies]


async def test_what_the_bus_loses_is_sent_again_and_carried_out_once(hasty):
    bus = LossyBus()
    async with running(bus=bus) as world:
        first = bus.sends
        bus.lose_send = {first + n for n in (1, 2, 5, 6, 7, 11, 13, 20)}
        seqs = await place_many(world, 100)
        assert bus.lost > 3
        assert world.gateway.resent_count > 0
        assert seqs == sorted(seqs)  # the order in which they were sent
        assert len(set(seqs)) == 100
        assert resting(world) == 100
        assert world.gateway.pending_count == 0


async def test_replies_that_were_lost_are_found_in_the_journal(hasty, monkeypatch):
    """Nothing published for a while: the follower reads the journal, nothing is done twice."""
    async with running() as world:
        real = world.bus.publish
        silent = True

        async def publish(batch: Batch, taken_count: int = 0) -> None:
            if not silent:
                await real(batch, taken_count)

        monkeypatch.setattr(world.bus, "publish", publish)
        seqs = await place_many(world, 10)
        silent = False
        assert len(set(seqs)) == 10
        assert resting(world) == 10


async def test_commands_sent_twice_are_carried_out_once():
    async with running() as world:
        real = world.bus.send

        async def twice(rows: object) -> None:
            await real(rows)
            await real(rows)

        world.bus.send = twice  # type: ignore[method-assign]
        await place_many(world, 30)
        assert resting(world) == 30


async def test_a_stale_origin_is_given_up_and_a_new_one_taken(hasty):
    async with running() as world:
        await place_many(world, 1)
        old = world.gateway.origin_id
        taker = np.zeros(1, COMMAND)
        taker["kind"], taker["origin_id"], taker["request_id"] = Kind.TICK, old + 1024, 1
        await world.bus.send(taker)
        row = codec.cancel_row(0, 1, codec.NO_WORDS)
        with pytest.raises(Problem) as lost:
            await world.gateway.send(row)
        assert (lost.value.code, lost.value.status) == ("gateway_replaced", 503)
        world.origins = iter(range(old + 1025, old + 2000))  # type: ignore[assignment]
        await until(lambda: world.gateway.origin_id != old)
        await place_many(world, 3)


async def test_a_repeated_request_is_answered_once_and_a_gap_never():
    async with running() as world:
        assert Code.REQUEST_REPEATED < Code.ORIGIN_INVALID
        heard: list[object] = []

        class Ear:
            replied = lost = heard.append

        world.gateway.post(codec.cancel_row(0, 1, codec.NO_WORDS), Ear())
        await until(lambda: heard)
        await place_many(world, 3)  # answered after it: what came twice would be here
        assert len(heard) == 1


@pytest.mark.parametrize("mode", [Mode.HALTED, Mode.RECOVERING, Mode.CANCEL_ONLY])
async def test_orders_are_refused_in_every_mode_but_normal(mode: Mode):
    async with running() as world:
        placed = await world.place("alice", **{k: v for k, v in BUY.items() if k != "symbol"})
        world.status.mode = mode
        before = world.journal.batches[-1].last_seq
        refused = await world.call("alice", "POST", "/orders", BUY)
        assert (refused.status_code, refused.json()["code"]) == (503, mode.value)
        assert refused.headers["retry-after"] == "1"
        path = f"/orders/{placed['order']['order_id']}"
        cancelled = await world.call("alice", "DELETE", path)
        assert cancelled.status_code == (200 if mode == Mode.CANCEL_ONLY else 503)
        if mode != Mode.CANCEL_ONLY:
            assert world.journal.batches[-1].last_seq == before
        ready = await world.http.get("/health/ready")
        assert ready.status_code == (200 if mode == Mode.CANCEL_ONLY else 503)
        assert ready.json()["mode"] == mode.value
        assert (await world.http.get("/health/live")).status_code == 200


async def test_no_answer_in_time_is_an_unknown_outcome(monkeypatch):
    async with running() as world:

        async def nothing(rows: object) -> None:
            return

        monkeypatch.setattr(world.bus, "send", nothing)
        monkeypatch.setattr(world.bus, "try_send", lambda row: False)
        with pytest.raises(Problem) as refused:
            await world.gateway.send(codec.cancel_row(0, 1, codec.NO_WORDS), timeout_s=0.05)
        assert (refused.value.code, refused.value.status) == ("outcome_unknown", 503)


async def test_too_much_pending_is_refused(monkeypatch):
    monkeypatch.setattr(gateway, "PENDING_MAX", 0)
    async with running() as world:
        refused = await world.call("alice", "POST", "/orders", BUY)
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")


async def test_a_mirror_that_began_inside_a_batch_takes_the_rest_of_it():
    async with running() as world:
        await place_many(world, 5)
        whole = Batch(
            1,
            np.concatenate([b.commands for b in world.journal.batches]),
            np.concatenate([b.events for b in world.journal.batches]),
        )
        other = Mirror()
        for batch in world.journal.batches[:3]:
            other.apply(batch.commands, batch.events)
        late = gateway.Gateway(
            bus=world.bus, mirror=other, next_origin_id=world._next_origin_id,
            status=lambda: world.status,
        )  # fmt: skip
        late.apply(whole)
        assert other.seq == whole.last_seq
        assert len(other.orders) == 5
        late.apply(whole)
        assert other.seq == whole.last_seq


def test_a_row_has_the_bytes_of_its_record():
    raw = codec.ROW.pack(*range(1, 20)) + struct.pack("<2q", 20, 21)
    row = np.frombuffer(raw, COMMAND)[0]
    assert row.tolist() == (0, 0, *range(1, 22))


# The read barrier


async def test_a_read_waits_for_what_was_committed_before_it():
    mirror, asked, heads = Mirror(), 0, [7]

    async def head() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)
        return heads[0]

    barrier = Barrier(mirror, head)
    reads = [asyncio.create_task(barrier.passed()) for _ in range(50)]
    await until(lambda: asked)
    await asyncio.sleep(0.05)
    assert not any(read.done() for read in reads)
    assert asked <= 2  # together
    mirror.seq = 7
    barrier.release()
    await asyncio.gather(*reads)


async def test_a_read_never_trusts_a_question_asked_before_it():
    mirror, heads, slow = Mirror(), [1], asyncio.Event()

    async def head() -> int:
        found = heads[0]
        if found == 1:
            await slow.wait()
        return found

    barrier = Barrier(mirror, head)
    mirror.seq = 1
    first = asyncio.create_task(barrier.passed())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    heads[0] = 2  # somebody's order was acknowledged
    second = asyncio.create_task(barrier.passed())
    await asyncio.sleep(0.01)
    slow.set()
    await first
    await asyncio.sleep(0.01)
    assert not second.done()
    mirror.seq = 2
    barrier.release()
    await second


async def test_a_barrier_that_cannot_be_passed_is_a_503():
    async def broken() -> int:
        raise JournalUnavailable("gone")

    with pytest.raises(Problem) as refused:
        await Barrier(Mirror(), broken).passed()
    assert refused.value.code == "database_unavailable"
    with pytest.raises(Problem) as behind:
        await Barrier(Mirror()).reached(5, timeout_s=0.01)
    assert behind.value.code == "views_behind"
