"""The websocket comes back by itself, and a book on it is right or says that it is not."""

import asyncio

import pytest

from tests.unit.wellhead.fakes import KEY, SECRET, FakeSocket, until
from wellhead import AsyncClient, AuthFailed, Client, ConnectionFailed, NotFound, live_book
from wellhead.signing import sign


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(live_book, "RESYNC_AGAIN_S", 0.05)


def texts(levels):
    return {str(price): str(quantity) for price, quantity in levels}


def client_of(fake, **kw):
    return AsyncClient(fake.url, KEY, SECRET, **kw)


async def test_login_signs_the_documented_text():
    async with FakeSocket() as fake, client_of(fake) as client, client.stream():
        auth = fake.requests[0]
    want = sign(
        SECRET,
        timestamp_ms=auth["timestamp"],
        key=KEY,
        recv_window_ms=auth["recv_window"],
        method="GET",
        target="/api/v1/ws",
    )
    assert auth["op"] == "auth" and auth["signature"] == want


async def test_a_refused_login_raises_and_does_not_try_for_ever():
    problem = {"status": 401, "code": "auth_failed"}
    async with FakeSocket(auth_error=[problem]) as fake, client_of(fake) as client:
        with pytest.raises(AuthFailed, match="auth_failed"):
            async with client.stream():
                pytest.fail("logged in")
        assert fake.logins == 1


async def test_a_clock_that_is_off_is_set_by_the_servers():
    problem = {"status": 401, "code": "timestamp_invalid"}
    async with FakeSocket(auth_error=[problem, None]) as fake, client_of(fake) as client:
        client.signer.offset_ms = -3_600_000
        async with client.stream():
            assert abs(client.signer.offset_ms) < 5_000


async def test_nobody_there_is_a_connection_failure():
    async with AsyncClient("http://127.0.0.1:9", KEY, SECRET) as client:
        with pytest.raises(ConnectionFailed, match="cannot connect"):
            async with client.stream():
                pytest.fail("connected")


async def test_place_and_a_refused_cancel_answer_like_rest():
    async with FakeSocket() as fake, client_of(fake) as client, client.stream() as stream:
        placed = await stream.place("X", "buy", 3, "2.150", post_only=True)
        assert placed.order.order_id == "1048577" and placed.seq == 10
        sent = fake.requests[-1]
        assert sent["quantity"] == "3" and sent["price"] == "2.150" and sent["post_only"] is True
        assert sent["client_order_id"].startswith("wh-")
        with pytest.raises(NotFound, match="order_unknown"):
            await stream.cancel("7")


async def test_a_request_under_way_when_the_line_breaks_fails_and_is_not_sent_twice():
    async with FakeSocket() as fake, client_of(fake) as client, client.stream() as stream:
        waiting = asyncio.create_task(stream.batch([{"op": "cancel", "order_id": "7"}]))
        await until(lambda: fake.requests[-1]["op"] == "order.batch")
        for socket in tuple(fake.connections):
            await socket.close(1011)
        with pytest.raises(ConnectionFailed, match="may or may not"):
            await waiting
        await stream.ping()  # the stream is back
        assert sum(r["op"] == "order.batch" for r in fake.requests) == 1
        assert fake.logins == 2


async def test_subscriptions_survive_a_lost_connection():
    async with FakeSocket() as fake, client_of(fake) as client, client.stream() as stream:
        subscription = await stream.subscribe("book.X.raw")
        assert (await anext(subscription)).is_snapshot
        for socket in tuple(fake.connections):
            await socket.close(1011)
        await until(lambda: fake.logins == 2 and fake.subscribed)
        assert (await anext(subscription)).is_snapshot
        assert subscription.reconnects == 1


async def test_who_asked_hears_of_a_lost_connection_and_of_its_return_and_not_of_the_end():
    heard: list[bool] = []
    async with FakeSocket() as fake, client_of(fake) as client:
        async with client.stream(on_connection=heard.append) as stream:
            assert heard == []
            for count in (2, 4):
                for socket in tuple(fake.connections):
                    await socket.close(1011)
                await until(lambda count=count: len(heard) == count)
                await stream.ping()
        assert heard == [False, True, False, True]


async def test_who_is_not_let_in_again_ends_with_the_reason():
    async with FakeSocket() as fake, client_of(fake) as client, client.stream() as stream:
        subscription = await stream.subscribe("orders")
        fake.auth_error = [{"status": 401, "code": "auth_failed", "detail": "the key was revoked"}]
        for socket in tuple(fake.connections):
            await socket.close(1011)
        with pytest.raises(AuthFailed, match="the key was revoked"):
            async with asyncio.timeout(60):
                async for _ in subscription:
                    continue


async def test_a_slow_reader_loses_the_oldest_and_is_told(monkeypatch):
    monkeypatch.setattr("wellhead.subscription.QUEUE_MAX", 5)
    async with FakeSocket() as fake, client_of(fake) as client, client.stream() as stream:
        subscription = await stream.subscribe("book.X.raw")
        for _ in range(20):
            await fake.change()
        await until(lambda: subscription.dropped >= 10)


@pytest.mark.parametrize(
    "line",
    [
        {"loss": 0.3},
        {"doubling": 0.5},
        {"shuffle": 5},
        {"loss": 0.2, "doubling": 0.2, "shuffle": 4},
        {"loss": 0.1, "cut": 0.02},
    ],
    ids=["loses", "doubles", "reorders", "all", "breaks"],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_live_book_on_a_hostile_line_is_right_or_stale_and_heals(line, seed):
    hostile = FakeSocket(**line, seed=seed)
    async with hostile as fake, client_of(fake) as client, client.stream() as stream:
        book = await stream.book("X")
        fresh = changes = 0
        while changes < 150 or fresh <= 10:
            changes += 1
            await fake.change()
            await asyncio.sleep(0.001)
            if not book.stale:
                fresh += 1
                assert texts(book.bids) == fake.history[book.seq]["bids"]
                assert texts(book.asks) == fake.history[book.seq]["asks"]
        fake.calm()
        for _ in range(3):
            await fake.change()
        await until(lambda: not book.stale and book.seq == fake.seq)
        assert texts(book.asks) == fake.book["asks"]
        await book.close()


async def test_changes_of_a_book_end_when_it_is_closed():
    async with FakeSocket() as fake, client_of(fake) as client, client.stream() as stream:
        book = await stream.book("X")
        seen = []

        async def watch():
            async for state in book.changes():
                seen.append(state.seq)

        task = asyncio.create_task(watch())
        await fake.change()
        await until(lambda: seen and seen[-1] == fake.seq)
        await book.close()
        await asyncio.wait_for(task, 60)


async def test_two_books_on_one_channel_both_start():
    async with FakeSocket() as fake, client_of(fake) as client, client.stream() as stream:
        first, second = await stream.book("X"), await stream.book("X")
        await fake.change()
        await until(lambda: first.seq == second.seq == fake.seq)
        await first.close()
        await fake.change()
        await until(lambda: second.seq == fake.seq)


async def test_the_stream_without_asyncio_follows_a_book_and_trades():
    async with FakeSocket() as fake:

        def work():
            with Client(fake.url, KEY, SECRET) as client, client.stream() as stream:
                book = stream.book("X")
                assert not book.now().stale
                assert stream.place("X", "sell", 1, "9").order.side == "sell"
                states = book.changes()
                first = next(states)
                states.close()
                pushes = stream.subscribe("book.X.raw")
                assert next(pushes).channel == "book.X.raw"
                with pytest.raises(NotFound):
                    stream.cancel("1")
                book.close()
                return first.seq

        assert await asyncio.to_thread(work) == 10
