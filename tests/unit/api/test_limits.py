"""Limits: what is too much is refused with a number, and a cancellation never is."""

import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from api.deps import EdgeSettings, address_of, weight_of
from api.limits import LimitSettings
from tests.support.api_world import OTHER, SYMBOL, World, running

BUY = {"symbol": SYMBOL, "side": "buy", "price": "1.990", "quantity": "1"}
LOW = LimitSettings(
    orders_per_s=3, reads_per_s=3, public_per_s=3, failed_auth_per_s=2, in_flight_max=5,
    connections_per_address_max=2, channels_max=3,
)  # fmt: skip


@pytest.fixture
async def world():
    async with running(LOW) as one:
        yield one


async def test_orders_above_the_rate_are_refused_and_cancels_are_not(world: World):
    answers = [await world.call("alice", "POST", "/orders", BUY) for _ in range(6)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    problem = refused[0].json()
    assert problem["code"] == "rate_limited"
    assert set(problem["limit"]) == {"remaining", "reset"}
    assert refused[0].headers["retry-after"] == "1"
    accepted = [answer for answer in answers if answer.status_code == 201]
    assert accepted[0].headers["ratelimit-policy"] == '"orders";q=3;w=1'
    assert accepted[0].headers["ratelimit"].startswith('"orders";r=')
    for answer in accepted:
        path = f"/orders/{answer.json()['order']['order_id']}"
        assert (await world.call("alice", "DELETE", path)).status_code == 200
    for _ in range(10):
        assert (await world.call("alice", "DELETE", "/orders")).status_code == 200


async def test_over_the_websocket_too(world: World):
    async with world.serving() as url, world.socket(url, "alice") as alice:
        replies = [await alice.ask("order.new", **BUY) for _ in range(6)]
        refused = [reply for reply in replies if not reply["ok"]]
        assert refused
        assert refused[0]["error"]["code"] == "rate_limited"
        assert refused[0]["limit"]["remaining"] == 0
        for _ in range(10):
            assert (await alice.ask("order.cancel_all"))["ok"]
        batch = [{"op": "new", **BUY}] * 4
        assert (await alice.ask("order.batch", requests=batch))["error"]["code"] == "rate_limited"
        cancels = [{"op": "cancel", "order_id": "1"}] * 50
        assert (await alice.ask("order.batch", requests=cancels))["ok"]


async def test_rest_and_websocket_share_an_accounts_rate(world: World):
    async with world.serving() as url, world.socket(url, "alice") as alice:
        for _ in range(3):
            await alice.ask("order.new", **BUY)
        answers = [await world.call("alice", "POST", "/orders", BUY) for _ in range(2)]
        assert 429 in {answer.status_code for answer in answers}
        assert (await world.call("bob", "POST", "/orders", BUY)).status_code == 201


@pytest.mark.parametrize(
    ("limit", "weight"),
    [
        (None, 1),
        ("1", 1),
        ("24", 1),
        ("25", 2),
        ("1000", 41),
        ("9" * 19, 41),
        ("-1", 1),
        ("x", 1),
        ("\u0663", 1),
    ],
)
def test_a_public_request_for_many_rows_counts_as_several(limit: str | None, weight: int):
    assert weight_of(limit) == weight


async def test_long_pages_are_refused_before_short_ones():
    async with running(LimitSettings(public_per_s=50)) as world:
        path = "/api/v1/instruments?limit=1000"
        long = [(await world.http.get(path)).status_code for _ in range(20)]
        assert long[0] == 200 and 429 in long
    async with running(LimitSettings(public_per_s=50)) as world:
        short = [(await world.http.get("/api/v1/time")).status_code for _ in range(20)]
        assert set(short) == {200}


async def test_reads_and_public_requests_have_rates_of_their_own(world: World):
    reads = [(await world.call("alice", "GET", "/balances")).status_code for _ in range(6)]
    assert set(reads) == {200, 429}
    public = [(await world.http.get("/api/v1/time")).status_code for _ in range(6)]
    assert set(public) == {200, 429}
    assert (await world.http.get("/health/live")).status_code == 200


async def test_failed_logins_are_counted_and_good_ones_go_on(world: World):
    codes = []
    for _ in range(4):
        headers = world.headers("alice", "GET", "/api/v1/balances") | {"WH-SIGN": "0" * 64}
        codes.append((await world.http.get("/api/v1/balances", headers=headers)).status_code)
    assert codes[0] == 401
    assert codes[-1] == 429
    assert (await world.call("alice", "GET", "/balances")).status_code == 200


async def test_more_in_flight_than_allowed_is_refused():
    settings = LimitSettings(in_flight_max=5)
    async with (
        running(settings) as world,
        world.serving() as url,
        world.socket(url, "alice") as alice,
    ):
        real = world.bus.send

        async def nothing(rows: object) -> None:
            return

        world.bus.send = nothing  # type: ignore[method-assign]
        world.bus.try_send = lambda row: False  # type: ignore[method-assign]
        ids = [await alice.send("order.new", **BUY) for _ in range(7)]
        refused = await alice.reply(ids[5])
        assert refused["error"]["code"] == "too_many_in_flight"
        await alice.send("order.cancel", order_id="1")
        assert (await alice.ask("ping"))["ok"]
        world.bus.send = real  # type: ignore[method-assign]
        replies = [await alice.reply(i) for i in (ids[0], ids[4])]
        assert all(reply["ok"] for reply in replies)


async def test_channels_and_connections_have_caps(world: World):
    async with world.serving() as url, world.socket(url) as one, world.socket(url):
        names = [f"bbo.{SYMBOL}", f"bbo.{OTHER}", f"trades.{SYMBOL}", f"trades.{OTHER}"]
        refused = await one.ask("subscribe", channels=names)
        assert refused["error"]["code"] == "too_many_channels"
        assert (await one.ask("subscribe", channels=names[:3]))["ok"]
        assert (await one.ask("subscribe", channels=names[:3]))["ok"]
        with pytest.raises(InvalidStatus) as closed:
            await connect(url)
        assert closed.value.response.status_code == 429
        problem = json.loads(closed.value.response.body or b"{}")
        assert problem["code"] == "too_many_connections"


async def test_a_page_from_elsewhere_is_refused_when_origins_are_named(world: World):
    world.services.edge = EdgeSettings(ws_origins=frozenset({"https://trade.example"}))
    async with world.serving() as url:
        async with connect(url, origin="https://trade.example"):  # type: ignore[arg-type]
            pass
        async with connect(url):  # no browser
            pass
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, origin="https://evil.example")  # type: ignore[arg-type]
        assert refused.value.response.status_code == 403


def test_a_proxys_word_counts_only_when_configured():
    scope = {"headers": [(b"x-forwarded-for", b"6.6.6.6, 10.0.0.9")], "client": ("1.2.3.4", 5)}
    assert address_of(scope, EdgeSettings()) == "1.2.3.4"
    assert address_of(scope, EdgeSettings(trust_proxy_headers=True)) == "10.0.0.9"
    assert address_of({"headers": [], "client": None}, EdgeSettings()) == ""
