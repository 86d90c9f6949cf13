"""The bus: one contract, kept by the one in memory and the one on Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest

from exchange.io.bus import WAITING_COMMANDS_MAX, Bus
from exchange.io.bus_memory import MemoryBus
from exchange.io.bus_redis import BATCHES, COMMANDS, RedisBus
from exchange.io.errors import BusUnavailable
from exchange.io.follow import follow
from exchange.io.journal_memory import MemoryJournal
from exchange.io.status import Mode, Status
from matching.codes import Kind
from matching.wire import COMMAND, new_commands
from tests.support.batches import batch, same
from tests.support.valkey import Valkey
from tests.support.waiting import until

Make = Callable[[], Bus]


@pytest.fixture(params=["memory", "redis"])
async def make(request) -> AsyncIterator[Make]:
    """Give a maker of ends of one bus; in memory all are the same end."""
    opened: list[Bus] = []
    one = MemoryBus() if request.param == "memory" else None
    url = "" if one else request.getfixturevalue("valkey").url

    def end() -> Bus:
        opened.append(one or RedisBus(url))
        return opened[-1]

    yield end
    for bus in opened:
        await bus.close()


@pytest.fixture
async def pair(valkey: Valkey) -> AsyncIterator[tuple[RedisBus, RedisBus]]:
    """Give the ends of a gateway and of a leader on Redis."""
    gateway, leader = RedisBus(valkey.url), RedisBus(valkey.url)
    yield gateway, leader
    await gateway.close()
    await leader.close()


def rows(*request_ids: int, origin_id: int = 1) -> np.ndarray:
    commands = new_commands(len(request_ids))
    commands["kind"] = Kind.PLACE
    commands["origin_id"] = origin_id
    commands["request_id"] = request_ids
    return commands


async def received(bus: Bus, count: int) -> list[int]:
    got: list[int] = []
    async with asyncio.timeout(60):
        while len(got) < count:
            got += (await bus.receive(1000))["request_id"].tolist()
    return got


async def listens(bus: Bus) -> None:
    """Wait until what is published from now on is heard."""
    await until(lambda: not isinstance(bus, RedisBus) or bus._batches._last_id is not None)


# What both keep


async def test_commands_arrive_in_order_and_can_be_stamped(make):
    gateway, leader = make(), make()
    await gateway.send(rows(1, 2))
    await gateway.send(rows(3).tobytes())
    got = [await leader.receive(10)]
    while sum(map(len, got)) < 3:
        got.append(await leader.receive(10))
    together = np.concatenate(got)
    assert together.dtype == COMMAND
    assert together["request_id"].tolist() == [1, 2, 3]
    got[0]["seq"] = 7  # the sequencer writes into what it takes


async def test_no_more_than_asked_for_is_taken_and_the_rest_stays(make):
    gateway, leader = make(), make()
    await gateway.send(rows(*range(1, 11)))
    assert (await leader.receive(4))["request_id"].tolist() == [1, 2, 3, 4]
    assert leader.take(100)["request_id"].tolist() == [5, 6, 7, 8, 9, 10]
    assert len(leader.take(100)) == 0


async def test_each_senders_order_is_kept_under_a_crowd(make):
    senders, leader = [make() for _ in range(4)], make()

    async def send(origin_id: int) -> None:
        for number in range(1, 201):
            await senders[origin_id].send(rows(number, origin_id=origin_id))

    async def send_at_once(origin_id: int) -> None:
        many = [senders[origin_id].send(rows(n, origin_id=origin_id)) for n in range(1, 201)]
        await asyncio.gather(*many)

    sending = asyncio.gather(send(0), send(1), send_at_once(2), send_at_once(3))
    got: dict[int, list[int]] = {0: [], 1: [], 2: [], 3: []}
    async with asyncio.timeout(60):
        while sum(map(len, got.values())) < 800:
            for row in await leader.receive(100):
                got[int(row["origin_id"])].append(int(row["request_id"]))
    await sending
    assert all(numbers == list(range(1, 201)) for numbers in got.values())


async def test_the_sequencer_is_woken(make):
    gateway, leader = make(), make()
    woken = asyncio.Event()
    leader.on_arrival(woken.set)
    await gateway.send(rows(1))
    await asyncio.wait_for(woken.wait(), 60)
    assert len(leader.take(10)) == 1


async def test_every_subscriber_gets_every_batch_in_order(make):
    leader, readers = make(), [make() for _ in range(3)]
    outlets = [reader.subscribe() for reader in readers]
    for reader in readers:
        await listens(reader)
    sent = [batch(1), batch(2, 3), batch(5, 100), batch(105)]
    for one in sent:
        await leader.publish(one)
    for outlet in outlets:  # in this order, and none twice: the next would come instead
        got = [await outlet.get(60) for _ in sent]
        assert all(same(a, b) for a, b in zip(got, sent, strict=True) if a is not None)
        assert None not in got and not outlet._batches


async def test_an_ended_subscription_gives_nothing_more(make):
    bus = make()
    outlet = bus.subscribe()
    bus.unsubscribe(outlet)
    await bus.publish(batch(1))
    assert await outlet.get(0.01) is None
    assert [b async for b in outlet] == []


async def test_a_reader_that_sleeps_loses_the_oldest_batches_not_the_order(make, monkeypatch):
    monkeypatch.setattr("exchange.io.bus.UNREAD_BATCHES_MAX", 8)
    leader, reader = make(), make()
    outlet = reader.subscribe()
    await listens(reader)
    for seq in range(1, 101):
        await leader.publish(batch(seq))
    await until(lambda: outlet._batches and outlet._batches[-1].first_seq == 100)
    assert [b.first_seq for b in outlet._batches] == list(range(93, 101))


async def test_the_leaders_status_is_known(make):
    leader, gateway = make(), make()
    assert await gateway.get_status() is None
    await leader.put_status(Status(mode=Mode.CANCEL_ONLY, reason="why", seq=9))
    said = await gateway.get_status()
    assert said is not None and (said.mode, said.reason, said.seq) == ("cancel_only", "why", 9)


async def test_closing_ends_every_subscription(make):
    bus = make()
    outlet = bus.subscribe()
    await bus.close()
    assert [b async for b in outlet] == []


async def test_followers_miss_nothing_that_the_bus_loses(make):
    leader, reader = make(), make()
    journal = MemoryJournal()
    got: list[int] = []

    async def read() -> None:
        async for one in follow(journal, 0, reader):
            got.extend(one.commands["seq"].tolist())

    reading = asyncio.create_task(read())
    seq = 1
    for number in range(200):
        one = batch(seq, 1 + number % 3)
        await journal.append(one)
        if number % 7:  # the others are lost
            await leader.publish(one)
        seq += one.count
        if number % 50 == 0:
            await asyncio.sleep(0.05)
    await until(lambda: len(got) == seq - 1)
    assert got == list(range(1, seq))
    reading.cancel()


async def test_followers_go_on_without_any_bus():
    journal = MemoryJournal()
    got: list[int] = []

    async def read() -> None:
        async for one in follow(journal, 1):
            got.append(one.first_seq)

    reading = asyncio.create_task(read())
    for seq in range(1, 4):
        await journal.append(batch(seq))
    await until(lambda: got == [2, 3])
    reading.cancel()


# The memory's own


async def test_a_sender_is_refused_when_too_many_wait():
    bus = MemoryBus()
    await bus.send(new_commands(WAITING_COMMANDS_MAX))
    with pytest.raises(BusUnavailable):
        await bus.send(rows(1))
    assert len(bus.take(WAITING_COMMANDS_MAX)) == WAITING_COMMANDS_MAX
    await bus.send(rows(1))


# Redis' own: it may be wiped, killed, full of strange things


async def test_a_wipe_in_the_middle_loses_messages_only(pair, valkey):
    gateway, leader = pair
    await gateway.send(rows(1))
    assert await received(leader, 1) == [1]
    outlet = gateway.subscribe()
    await listens(gateway)
    valkey.wipe()
    await gateway.send(rows(2))
    assert await received(leader, 1) == [2]
    await leader.publish(batch(5))
    got = await outlet.get(60)
    assert got is not None and got.first_seq == 5


async def test_a_killed_server_is_found_again(pair, valkey):
    gateway, leader = pair
    await gateway.send(rows(1))
    assert await received(leader, 1) == [1]
    outlet = gateway.subscribe()
    await listens(gateway)
    valkey.kill()
    with pytest.raises(BusUnavailable):
        await gateway.send(rows(2))
    with pytest.raises(BusUnavailable):
        await gateway.get_status()
    await leader.publish(batch(1))  # never fails: the journal has it
    valkey.start()
    await gateway.send(rows(2))
    assert await received(leader, 1) == [2]
    await leader.publish(batch(2))
    while (got := await outlet.get(60)) is not None and got.first_seq < 2:
        pass  # the first was lost, unless it was sent only now
    assert got is not None and got.first_seq == 2


async def test_a_server_whose_numbers_start_again_is_noticed(pair, valkey):
    """As when it lost everything and its clock was set back."""
    gateway, leader = pair
    await gateway.send(rows(1))
    assert await received(leader, 1) == [1]
    valkey.wipe()
    with valkey.client() as client:
        client.xadd(COMMANDS, {"c": rows(2).tobytes()}, id="5-0")
    assert await received(leader, 1) == [2]


async def test_a_new_leader_finds_what_was_not_committed(pair, valkey):
    gateway, leader = pair
    for number in range(1, 302):
        await gateway.send(rows(number))
    assert await received(leader, 301) == list(range(1, 302))
    await leader.publish(batch(1, 300), 300)
    with valkey.client() as client:
        await until(lambda: client.xlen(COMMANDS) <= 101)  # whole nodes of the stream go
    heir = RedisBus(valkey.url)
    got = await received(heir, 1)
    assert got == list(range(got[0], 302))
    await heir.close()


async def test_streams_do_not_grow_without_end(pair, valkey, monkeypatch):
    monkeypatch.setattr("exchange.io.bus_redis.BATCHES_BYTES_MAX", 1 << 20)
    gateway, leader = pair
    for number in range(1, 400):
        await gateway.send(rows(number))
        await received(leader, 1)
        await leader.publish(batch(number, 100), 1)
        if number % 20 == 0:
            await asyncio.sleep(0.01)
    with valkey.client() as client:  # trimmed by whole nodes of the stream
        await until(lambda: client.xlen(COMMANDS) < 200 and client.xlen(BATCHES) < 300)
        assert client.memory_usage(BATCHES) < 8 << 20


async def test_what_a_new_leader_did_not_publish_is_gone(pair, valkey):
    _, leader = pair
    await leader.publish(batch(1))
    heir = RedisBus(valkey.url)
    with valkey.client() as client:
        await until(lambda: client.xlen(BATCHES) == 1)
        before = client.xrange(BATCHES)[0][0]
        await heir.publish(batch(2))
        await until(lambda: client.xlen(BATCHES) == 1 and client.xrange(BATCHES)[0][0] != before)
    await heir.close()


async def test_strange_entries_are_skipped(pair, valkey):
    gateway, leader = pair
    with valkey.client() as client:
        for fields in ({"c": b"short"}, {"x": b""}, {"c": b""}):
            client.xadd(COMMANDS, fields)
    await gateway.send(rows(1))
    assert await received(leader, 1) == [1]
    outlet = gateway.subscribe()
    await listens(gateway)
    with valkey.client() as client:
        client.xadd(BATCHES, {"b": b"nonsense"})
    await leader.publish(batch(1))
    got = await outlet.get(60)
    assert got is not None and got.first_seq == 1


async def test_a_large_batch_is_left_to_the_journal(pair, monkeypatch):
    monkeypatch.setattr("exchange.io.bus_redis.BATCH_BYTES_MAX", 1000)
    gateway, leader = pair
    outlet = gateway.subscribe()
    await listens(gateway)
    await leader.publish(batch(1, 100))
    await leader.publish(batch(101))
    got = await outlet.get(60)
    assert got is not None and got.first_seq == 101


async def test_a_leader_that_cannot_keep_up_reads_no_more_than_it_may_hold(pair):
    gateway, leader = pair
    leader.on_arrival(lambda: None)
    for _ in range(12):
        await gateway.send(new_commands(4096))
    await until(lambda: leader._inbox.count > WAITING_COMMANDS_MAX // 2)
    assert leader._inbox.count <= WAITING_COMMANDS_MAX
    taken = 0
    async with asyncio.timeout(60):
        while taken < 12 * 4096:
            taken += len(await leader.receive(4096))
