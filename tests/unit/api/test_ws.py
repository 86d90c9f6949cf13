"""The websocket over a real port, by picows and by uvicorn's own code: the same sessions."""

import json
from dataclasses import replace

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api.server import PICOWS
from api.ws.placed import foreseen_text
from exchange.io.errors import DatabaseUnavailable
from exchange.io.registry import ApiKey, Scope
from tests.support.api_world import OTHER, SYMBOL, World, running
from tests.support.waiting import until

BUY = {"symbol": SYMBOL, "side": "buy", "price": "1.990", "quantity": "3"}
SELL = {**BUY, "side": "sell"}


@pytest.fixture
async def world():
    async with running() as one:
        yield one


@pytest.fixture(params=[PICOWS, "websockets-sansio"])
async def url(world: World, request):
    async with world.serving(request.param) as address:
        yield address


async def test_an_order_is_acknowledged_with_the_id_of_its_message(world: World, url: str):
    async with world.socket(url, "alice") as alice:
        reply = await alice.ask("order.new", **BUY, client_order_id="w1")
        assert reply["ok"], reply
        assert reply["op"] == "order.new"
        assert reply["seq"] == reply["result"]["order"]["seq"]
        assert reply["result"]["order"]["client_order_id"] == "w1"
        assert int(reply["ts_ns"]) > 0
        assert set(reply["limit"]) == {"remaining", "reset"}
        again = await alice.ask("order.new", **BUY, client_order_id="w1")
        assert again["result"]["duplicate"] is True
        amended = await alice.ask("order.amend", client_order_id="w1", quantity="2")
        assert amended["result"]["order"]["remaining_quantity"] == "2"
        gone = await alice.ask("order.cancel", client_order_id="w1")
        assert gone["result"]["order"]["status"] == "cancelled"
        assert "limit" not in gone
        unknown = await alice.ask("order.cancel", client_order_id="w1")
        assert unknown["error"]["code"] == "order_unknown"


async def test_pipelined_orders_are_carried_out_in_the_order_they_came(world: World, url: str):
    async with world.socket(url, "alice") as alice:
        ids = [await alice.send("order.new", **BUY) for _ in range(100)]
        replies = [await alice.reply(request_id) for request_id in ids]
        seqs = [reply["seq"] for reply in replies]
        assert seqs == sorted(seqs)
        assert len(set(seqs)) == 100
        done = await alice.ask("order.cancel_all", symbol=SYMBOL)
        assert done["result"]["cancelled_count"] == 100


async def test_a_refusal_carries_the_seq_of_its_own_command(world: World, url: str):
    async with world.socket(url, "alice") as alice:
        ids = [await alice.send("order.cancel", client_order_id=f"no-{n}") for n in range(20)]
        replies = [await alice.reply(request_id) for request_id in ids]
        assert {reply["error"]["code"] for reply in replies} == {"order_unknown"}
        assert len({reply["seq"] for reply in replies}) == 20


async def test_a_batch_has_a_result_for_each_request(world: World, url: str):
    async with world.socket(url, "alice") as alice:
        requests = [{"op": "new", **BUY}, {"op": "cancel", "order_id": "77"}]
        reply = await alice.ask("order.batch", requests=requests)
        assert [r["ok"] for r in reply["result"]["results"]] == [True, False]


async def test_nothing_private_is_done_before_auth(world: World, url: str):
    async with world.socket(url) as nobody:
        for op, fields in (
            ("order.new", BUY),
            ("order.cancel", {"order_id": "1"}),
            ("order.cancel_all", {}),
            ("order.batch", {"requests": [{"op": "new", **BUY}]}),
            ("subscribe", {"channels": ["orders"]}),
        ):
            reply = await nobody.ask(op, **fields)
            assert reply["error"]["code"] == "auth_missing", op


async def test_each_scope_opens_its_own_doors(world: World, url: str):
    made = world.secrets["alice"].key
    orders = (
        ("order.new", BUY),
        ("order.amend", {"order_id": "1", "quantity": "1"}),
        ("order.cancel", {"order_id": "1"}),
        ("order.cancel_all", {}),
        ("order.batch", {"requests": [{"op": "new", **BUY}]}),
    )
    reads = tuple(
        ("subscribe", {"channels": [name]}) for name in ("orders", "fills", "positions", "balances")
    )
    for scope, closed in (
        (Scope.READ, orders),
        (Scope.TRADE, reads),
        (Scope.ADMIN, orders + reads),
    ):
        world.keys.rows[made.key_id] = replace(made, scopes=frozenset({scope}))
        async with world.socket(url, "alice") as alice:
            for op, fields in closed:
                reply = await alice.ask(op, **fields)
                assert not reply["ok"], (scope, op)
                assert reply["error"]["code"] == "scope_missing", (scope, op)
    world.keys.rows[made.key_id] = made


async def test_a_login_is_accepted_once(world: World, url: str):
    fields = world.auth("alice")
    async with world.socket(url) as first, world.socket(url) as second:
        assert (await first.ask("auth", **fields))["ok"]
        replayed = await second.ask("auth", **fields)
        assert replayed["error"]["code"] == "signature_replayed"
        twice = await first.ask("auth", **world.auth("alice"))
        assert twice["error"]["code"] == "already_authenticated"


def apply(book: dict, message: dict) -> None:
    """Apply a snapshot or a delta to a book kept as {"bids": {price: size}, "asks": ...}."""
    if message["type"] == "snapshot":
        book.update(bids={}, asks={})
    else:
        assert message["prev_seq"] == book["seq"], "a gap"
    for side in ("bids", "asks"):
        for price, size in message["data"][side]:
            if size == "0":
                book[side].pop(price, None)  # it may have come and gone between two
            else:
                book[side][price] = size
    book["seq"] = message["seq"]


@pytest.mark.parametrize("speed", ["raw", "100ms"])
async def test_a_book_kept_by_deltas_equals_rest_at_the_same_seq(
    world: World, url: str, speed: str
):
    channel = f"book.{SYMBOL}.{speed}"
    book: dict = {}
    async with world.socket(url, "alice") as alice, world.socket(url, "bob") as bob:
        assert (await bob.ask("subscribe", channels=[channel]))["ok"]
        apply(book, await bob.push(channel))
        for step in range(30):
            price = f"{1980 + step % 7}"
            side = "buy" if step % 3 else "sell"
            order = {"price": f"{price[0]}.{price[1:]}", "quantity": str(step % 5 + 1)}
            await alice.ask("order.new", symbol=SYMBOL, side=side, stp="none", **order)
        rest = (await world.call("", "GET", f"/orderbook/{SYMBOL}?depth=10000")).json()
        while book["seq"] < rest["seq"]:
            message = await bob.push(channel)
            apply(book, message)
        assert book["seq"] == rest["seq"]
        assert sorted(book["bids"].items(), reverse=True) == [tuple(x) for x in rest["bids"]]
        assert sorted(book["asks"].items()) == [tuple(x) for x in rest["asks"]]
        assert message["data"]["checksum"] == rest["checksum"]
        late = await alice.ask("subscribe", channels=[channel])
        assert late["ok"]
        snapshot = await alice.push(channel)
        assert snapshot["seq"] == rest["seq"]


async def test_resync_sends_a_fresh_snapshot(world: World, url: str):
    channel = f"book.{SYMBOL}.raw"
    async with world.socket(url, "alice") as alice:
        refused = await alice.ask("resync", channel=channel)
        assert refused["error"]["code"] == "channel_not_subscribed"
        await alice.ask("subscribe", channels=[channel])
        await alice.push(channel)
        await alice.ask("order.new", **BUY)
        delta = await alice.push(channel)
        assert delta["type"] == "delta"
        assert (await alice.ask("resync", channel=channel))["ok"]
        snapshot = await alice.push(channel)
        assert snapshot["type"] == "snapshot"
        assert snapshot["seq"] == delta["seq"]
        assert snapshot["data"]["bids"] == [["1.990", "3"]]


async def test_public_channels_tell_of_a_trade(world: World, url: str):
    names = [f"bbo.{SYMBOL}", f"trades.{SYMBOL}", f"ticker.{SYMBOL}", f"kline.{SYMBOL}.1m"]
    async with world.socket(url, "alice") as alice, world.socket(url, "bob") as bob:
        await bob.ask("subscribe", channels=names)
        for name in names:
            assert (await bob.push(name))["type"] == "snapshot"
        await alice.ask("order.new", **SELL)
        best = await bob.push(names[0])
        assert (best["data"]["ask_price"], best["data"]["ask_quantity"]) == ("1.990", "3")
        await bob.ask("order.new", **BUY)
        trades = await bob.push(names[1])
        assert [t["quantity"] for t in trades["data"]] == ["3"]
        assert trades["data"][0]["side"] == "buy"
        while (ticker := await bob.push(names[2]))["data"]["last_price"] is None:
            pass
        assert ticker["data"]["volume_24h"] == "3"
        kline = await bob.push(names[3])
        assert kline["data"]["kline"]["close"] == "1.990"


async def test_private_channels_tell_the_owner_and_nobody_else(world: World, url: str):
    names = ["orders", "fills", "positions", "balances"]
    async with world.socket(url, "alice") as alice, world.socket(url, "bob") as bob:
        await alice.ask("subscribe", channels=names)
        for name in names:
            assert (await alice.push(name))["type"] == "snapshot"
        await bob.ask("order.new", **SELL)
        await bob.ask("order.new", **{**SELL, "symbol": OTHER})
        reply = await alice.ask("order.new", **BUY)
        order = (await alice.push("orders"))["data"]
        assert [o["order_id"] for o in order] == [reply["result"]["order"]["order_id"]]
        assert order[0]["status"] == "filled"
        fill = (await alice.push("fills"))["data"]
        assert [(f["role"], f["side"], f["quantity"]) for f in fill] == [("taker", "buy", "3")]
        position = (await alice.push("positions"))["data"]
        assert [(p["symbol"], p["quantity"]) for p in position] == [(SYMBOL, "3")]
        assert (await alice.push("balances"))["data"][0]["asset"] == "USD"


async def test_unknown_channels_subscribe_to_nothing(world: World, url: str):
    async with world.socket(url) as nobody:
        for name in ("book.NOPE.raw", "nope", "", "book..raw", f"kline.{SYMBOL}.7m", "book." * 20):
            reply = await nobody.ask("subscribe", channels=[f"bbo.{SYMBOL}", name])
            assert reply["error"]["code"] == "channel_unknown", name
        assert (await nobody.ask("unsubscribe", channels=["nope"]))["result"]["channels"] == []


async def test_status_tells_when_the_exchange_halts(world: World, url: str):
    async with world.socket(url, "alice") as alice:
        await alice.ask("subscribe", channels=["status"])
        assert (await alice.push("status"))["data"]["mode"] == "normal"
        world.status.mode = type(world.status.mode)("halted")
        assert (await alice.push("status"))["data"]["mode"] == "halted"
        refused = await alice.ask("order.new", **BUY)
        assert (refused["error"]["code"], refused["error"]["status"]) == ("halted", 503)


async def test_cancel_on_disconnect_cancels_the_accounts_orders(world: World, url: str):
    async with world.socket(url, "alice", cancel_on_disconnect=True) as alice:
        await alice.ask("order.new", **BUY)
    await until(lambda: not world.mirror.orders)


async def test_a_revoked_key_loses_its_connections(world: World, url: str):
    async with world.socket(url, "alice") as alice:
        await world.keys.revoke(world.secrets["alice"].key.key_id)
        with pytest.raises(ConnectionClosed) as closed:
            await alice.receive()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4001


async def test_a_database_that_does_not_answer_ends_no_connection(world: World, url: str):
    asked, find = 0, world.keys.find

    async def away(key_id: str) -> ApiKey | None:
        nonlocal asked
        asked += 1
        raise DatabaseUnavailable("planted")

    async with world.socket(url, "alice") as alice:
        world.keys.find = away  # type: ignore[method-assign]
        await until(lambda: asked >= 2)
        assert (await alice.ask("ping"))["ok"]
        world.keys.find = find  # type: ignore[method-assign]
        await world.keys.revoke(world.secrets["alice"].key.key_id)
        with pytest.raises(ConnectionClosed):
            await alice.receive()


async def test_messages_in_pieces_and_binary_messages_are_answered(world: World, url: str):
    async with connect(url) as raw:
        await raw.send(['{"op":"pi', 'ng","id"', ":5}"])
        assert json.loads(await raw.recv())["id"] == 5
        await raw.send(b'{"op":"ping","id":6}')
        assert json.loads(await raw.recv())["error"]["code"] == "frame_not_text"
        await raw.send('{"op":"ping","id":7}')
        assert json.loads(await raw.recv())["ok"]


async def test_another_path_is_not_found(world: World, url: str):
    with pytest.raises(InvalidStatus) as refused:
        await connect(url.replace("/ws", "/nothing"))
    assert refused.value.response.status_code in (403, 404)


async def test_the_quick_replies_say_what_the_slow_one_says(world: World, monkeypatch):
    """Three worlds take the same orders: one foresees the text, one writes it later, one never."""

    async def replies(one: World) -> list[dict]:
        found = []
        async with (
            one.serving() as url,
            one.socket(url, "alice") as alice,
            one.socket(url, "bob") as bob,
        ):
            for fields in (
                BUY,
                {**BUY, "client_order_id": "x.1:y_-", "stp": "cancel_both", "post_only": True},
                {**SELL, "quantity": "1"},
                {**SELL, "quantity": "9", "tif": "IOC"},
                {**SELL, "price": "2.010", "tif": "GTD", "expires_at": 32_503_680_000_000},
                {**SELL, "tif": "FOK", "quantity": "900"},
                {"symbol": SYMBOL, "side": "buy", "type": "market", "quantity": "50"},
                {**BUY, "reduce_only": True},
                {**BUY, "price": "0.001", "quantity": "10000"},
            ):
                for socket in (alice, bob):
                    found.append(await socket.ask("order.new", **fields))
            await alice.raw.send(json.dumps({"op": "order.new", "id": 'a"\\b', **BUY}))
            found.append(await alice.reply('a"\\b'))
            await alice.raw.send(json.dumps({"op": "order.new", **BUY}))
            found.append(await alice.reply(None))
        return found

    written = []

    def foreseen(*args):
        text = foreseen_text(*args)
        written.append(text is not None)
        return text

    monkeypatch.setattr("api.ws.waiters.foreseen_text", foreseen)
    early = await replies(world)
    assert sum(written) > 10
    monkeypatch.setattr("api.ws.waiters.foreseen_text", lambda *_: None)
    async with running() as other:
        quick = await replies(other)
    monkeypatch.setattr("api.ws.waiters.placed_text", lambda *_: None)
    async with running() as other:
        slow = await replies(other)
    assert len(early) == 20
    assert sum(reply["ok"] for reply in early) > 10
    for one, two, three in zip(early, quick, slow, strict=True):
        assert without_times(one) == without_times(two) == without_times(three)


def without_times(value):
    """Return JSON without what differs from run to run."""
    if isinstance(value, dict):
        names = {"ts", "ts_ns", "created_ts", "updated_ts", "request_id", "limit"}
        return {k: without_times(v) if k not in names else type(v) for k, v in value.items()}
    return [without_times(v) for v in value] if isinstance(value, list) else value
