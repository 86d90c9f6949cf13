"""An operator's auction: what everybody sees of it, and how it ends."""

import asyncio

import pytest

from tests.support.api_world import SYMBOL, World, running
from tests.support.waiting import until
from wellhead.async_client import AsyncClient
from wellhead.cli.app import run
from wellhead.client import Client

AUCTION = f"/admin/contracts/{SYMBOL}/auction"


@pytest.fixture
async def world():
    async with running() as one:
        yield one


@pytest.fixture
async def url(world: World):
    async with world.serving() as address:
        yield address


async def instrument(world: World) -> dict[str, object]:
    found = (await world.call("", "GET", f"/instruments/{SYMBOL}")).json()
    return found["instrument"]


async def test_orders_gather_in_an_auction_and_trade_at_one_price(world: World):
    assert (await instrument(world))["auction"] is None
    begun = await world.call("operator", "POST", AUCTION, {"phase": "opening"})
    assert begun.json()["instrument"]["auction"]["phase"] == "opening"
    await world.place("alice", "buy", "2.010", "5")
    await world.place("bob", "sell", "1.990", "3")
    seen = await instrument(world)
    assert (seen["state"], seen["auction"]["ends_after"]) == ("auction", None)
    ended = (await world.call("operator", "DELETE", AUCTION)).json()["instrument"]
    assert (ended["state"], ended["auction"]) == ("continuous", None)
    trade = (await world.call("", "GET", f"/trades/{SYMBOL}")).json()["trades"][0]
    assert (trade["auction"], trade["quantity"], trade["price"]) == (True, "3", "2.010")


async def test_a_market_order_waits_only_in_an_auction(world: World):
    order = {"symbol": SYMBOL, "side": "buy", "type": "market", "quantity": "3", "tif": "GFA"}
    refused = (await world.call("alice", "POST", "/orders", order)).json()
    assert refused["code"] == "market_order_rests"
    await world.call("operator", "POST", AUCTION, {})
    taken = await world.call("alice", "POST", "/orders", order)
    assert taken.json()["order"]["status"] == "open", taken.text
    refused = (await world.call("alice", "POST", "/orders", {**order, "tif": "IOC"})).json()
    assert refused["code"] == "tif_not_allowed"


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("DELETE", AUCTION, None, "auction_not_running"),
        ("POST", AUCTION, {"window_ms": 5}, "auction_invalid"),
        ("POST", AUCTION, {"phase": "late"}, "field_invalid"),
        ("PUT", f"/admin/contracts/{SYMBOL}/guards", {"daily_bps": 5}, "guard_invalid"),
        ("PUT", f"/admin/contracts/{SYMBOL}/implied", {"implied": True}, "implied_invalid"),
        ("PUT", f"/admin/contracts/{SYMBOL}/last-trade", {"last_trade": -1}, "field_invalid"),
        ("PUT", "/admin/contracts/NOPE/last-trade", {"last_trade": 0}, "contract_unknown"),
        ("POST", f"/admin/contracts/{SYMBOL}/close-out", None, "contract_not_expired"),
    ],
)
async def test_what_makes_no_sense_is_refused(world: World, method, path, body, code):
    assert (await world.call("operator", method, path, body)).json()["code"] == code


async def test_the_auction_channel_tells_of_the_beginning_and_the_end(world: World, url: str):
    channel, book = f"auction.{SYMBOL}", f"book.{SYMBOL}.raw"
    async with world.socket(url) as nobody:
        assert (await nobody.ask("subscribe", channels=[channel, book]))["ok"]
        snapshot = await nobody.push(channel)
        none = {"symbol": SYMBOL, "state": "continuous", "auction": None, "last_auction": None}
        assert (snapshot["type"], snapshot["data"]) == ("snapshot", none)
        assert (await nobody.push(book))["data"]["phase"] is None
        times = {"phase": "opening", "ends_after_ms": 60_000, "window_ms": 30_000}
        await world.call("operator", "POST", AUCTION, times)
        begun = await nobody.push(channel)
        assert begun["prev_seq"] == snapshot["seq"]
        running = begun["data"]["auction"]
        assert running["phase"] == "opening"
        assert running["ends_before"] - running["ends_after"] in (30_000, 30_001)
        told = await nobody.push(book)
        levels = told["data"]["bids"], told["data"]["asks"]
        assert (levels, told["data"]["state"], told["data"]["phase"]) == (
            ([], []), "auction", "opening",
        )  # fmt: skip
        rest = (await world.call("", "GET", f"/orderbook/{SYMBOL}")).json()
        assert (rest["seq"], rest["phase"]) == (told["seq"], "opening")
        await world.place("alice", "buy", "2.010", "5")
        await world.place("bob", "sell", "1.990", "3")
        await world.call("operator", "DELETE", AUCTION)
        ended = await nobody.push(channel)
        assert ended["prev_seq"] == begun["seq"]
        assert (ended["data"]["state"], ended["data"]["auction"]) == ("continuous", None)
        last = ended["data"]["last_auction"]
        assert (last["phase"], last["price"], last["quantity"]) == ("opening", "2.010", "3")
        assert (last["imbalance"], last["imbalance_side"]) == ("2", "buy")


async def test_an_auction_channel_of_no_contract_is_refused(world: World, url: str):
    async with world.socket(url) as nobody:
        refused = await nobody.ask("subscribe", channels=["auction.NOPE"])
        assert not refused["ok"]


async def test_both_clients_and_the_command_line_follow_an_auction(world: World, url: str, capsys):
    async with AsyncClient(world.url) as client, client.stream() as stream:
        states = stream.auction(SYMBOL)
        first = await anext(states)
        assert (first.state, first.auction, first.last_auction) == ("continuous", None, None)
        book = await stream.book(SYMBOL)
        await world.call("operator", "POST", AUCTION, {"phase": "closing"})
        now = await anext(states)
        assert now.auction is not None and now.auction.phase == "closing"
        await until(lambda: (book.state, book.phase) == ("auction", "closing"))

    def follow() -> None:
        with Client(world.url) as client, client.stream() as stream:
            assert next(stream.auction(SYMBOL)).state == "auction"
            markets = stream.book(SYMBOL).market()
            state, auction = next((s, a) for s, a in markets if a is not None)
            assert state.phase == auction.auction.phase == "closing"
        assert run(["auction", SYMBOL, "--url", world.url]) == 0

    await asyncio.to_thread(follow)
    assert capsys.readouterr().out == f"{SYMBOL}: closing auction\n"
    await world.call("operator", "DELETE", AUCTION)
    async with AsyncClient(world.url) as client, client.stream() as stream:
        ended = await anext(stream.auction(SYMBOL))
        assert ended.last_auction is not None and ended.last_auction.price is None


async def test_an_operator_ends_a_contract_and_its_positions(world: World):
    await world.place("alice", "buy", "2.000", "3")
    await world.place("bob", "sell", "2.000", "3")
    ends, path = world.now_ns() // 1_000_000 + 60_000, f"/admin/contracts/{SYMBOL}"
    await world.call("operator", "PUT", f"{path}/last-trade", {"last_trade": ends})
    assert (await instrument(world))["last_trade"] == ends
    await world.call("operator", "PATCH", path, {"state": "expired"})
    closed = await world.call("operator", "POST", f"{path}/close-out")
    assert (closed.status_code, closed.json()["instrument"]["open_interest"]) == (200, "0")
    held = (await world.call("alice", "GET", "/positions")).json()["positions"]
    assert [one for one in held if one["quantity"] != "0"] == []
    again = await world.call("operator", "POST", f"{path}/close-out")
    assert again.status_code == 200
