"""An operator's auction: what everybody sees of it, and how it ends."""

import pytest

from tests.support.api_world import SYMBOL, World, running

AUCTION = f"/admin/contracts/{SYMBOL}/auction"


@pytest.fixture
async def world():
    async with running() as one:
        yield one


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
    ],
)
async def test_what_makes_no_sense_is_refused(world: World, method, path, body, code):
    assert (await world.call("operator", method, path, body)).json()["code"] == code
