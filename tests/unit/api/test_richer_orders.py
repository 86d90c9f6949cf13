"""Icebergs, pegs and the rest over REST and websocket: what the owner sees, and nobody else."""

import pytest

from tests.support.api_world import SYMBOL, World, running


@pytest.fixture
async def world():
    async with running() as one:
        yield one


async def new(world: World, who: str, side: str, quantity: str, **fields: object) -> dict:
    """Place an order and return the answer."""
    body = {"symbol": SYMBOL, "side": side, "quantity": quantity, **fields}
    response = await world.call(who, "POST", "/orders", body)
    assert response.status_code == 201, response.text
    return response.json()


async def test_the_book_shows_what_an_iceberg_shows_and_its_owner_sees_all(world: World):
    placed = await new(world, "bob", "sell", "9", price="2.000", display_quantity="2")
    assert placed["order"]["display_quantity"] == "2"
    assert placed["order"]["remaining_quantity"] == "9"
    book = (await world.call("", "GET", f"/orderbook/{SYMBOL}")).json()
    assert book["asks"] == [["2.000", "2"]]
    await new(world, "alice", "buy", "3", price="2.000")
    book = (await world.call("", "GET", f"/orderbook/{SYMBOL}")).json()
    assert book["asks"] == [["2.000", "1"]]
    trades = (await world.call("", "GET", f"/trades/{SYMBOL}")).json()["trades"]
    assert trades[0]["quantity"] == "3" and not {"display_quantity", "leaves"} & set(trades[0])
    path = f"/orders/{placed['order']['order_id']}"
    assert (await world.call("bob", "GET", path)).json()["order"]["remaining_quantity"] == "6"


async def test_a_minimum_that_is_not_there_drops_the_order(world: World):
    await new(world, "bob", "sell", "2", price="2.000")
    dropped = await new(world, "alice", "buy", "5", price="2.000", min_quantity="3")
    assert dropped["order"]["reason"] == "min_quantity_not_fillable"
    assert dropped["trades"] == []


async def test_market_to_limit_rests_at_the_price_it_took(world: World):
    await new(world, "bob", "sell", "2", price="2.000")
    placed = await new(world, "alice", "buy", "5", type="market_to_limit")
    order = placed["order"]
    assert (order["type"], order["price"], order["remaining_quantity"]) == ("limit", "2.000", "3")
    body = {"symbol": SYMBOL, "side": "buy", "quantity": "1", "type": "market_to_limit"}
    refused = await world.call("bob", "POST", "/orders", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "no_opposite_price")


async def test_a_pegged_order_follows_and_may_be_amended(world: World):
    await new(world, "bob", "buy", "2", price="1.990")
    placed = await new(
        world, "alice", "buy", "5", type="pegged", peg="bid", peg_offset="-0.002", tif="DAY"
    )
    order = placed["order"]
    assert (order["type"], order["peg"], order["peg_offset"]) == ("pegged", "bid", "-0.002")
    assert (order["price"], order["tif"]) == ("1.988", "DAY")
    await new(world, "bob", "buy", "2", price="1.995")
    path = f"/orders/{order['order_id']}"
    assert (await world.call("alice", "GET", path)).json()["order"]["price"] == "1.993"
    amended = await world.call("alice", "PATCH", path, {"peg_offset": "0", "post_only": True})
    assert amended.status_code == 200, amended.text
    now = amended.json()["order"]
    assert (now["price"], now["peg_offset"], now["post_only"]) == ("1.995", "0.000", True)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"price": "1.990", "peg": "bid"}, "peg"),
        ({"price": "1.990", "peg_offset": "0.001"}, "peg_offset"),
        ({"type": "pegged"}, "peg"),
        ({"type": "pegged", "peg": "last"}, "peg"),
        ({"type": "pegged", "peg": "bid", "price": "1.990"}, "price"),
        ({"type": "pegged", "peg": "bid", "peg_offset": "0.0001"}, "peg_offset"),
        ({"type": "pegged", "peg": "bid", "tif": "IOC"}, "tif"),
        ({"type": "market_to_limit", "price": "1.990"}, "price"),
        ({"price": "1.990", "display_quantity": "0"}, "display_quantity"),
        ({"price": "1.990", "display_quantity": "9"}, "display_quantity"),
        ({"price": "1.990", "min_quantity": "9"}, "min_quantity"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_says_where(world: World, fields, field):
    await new(world, "bob", "buy", "2", price="1.980")
    body = {"symbol": SYMBOL, "side": "buy", "quantity": "5", **fields}
    response = await world.call("alice", "POST", "/orders", body)
    assert 400 <= response.status_code < 500
    assert response.json()["field"] == field


async def test_every_field_that_may_change_is_amended(world: World):
    order = (await new(world, "alice", "buy", "9", price="1.990"))["order"]
    path = f"/orders/{order['order_id']}"
    for change, wanted in (
        ({"display_quantity": "2"}, {"display_quantity": "2"}),
        ({"display_quantity": "0"}, {"display_quantity": None}),
        ({"tif": "DAY"}, {"tif": "DAY"}),
        ({"post_only": True}, {"post_only": True, "reduce_only": False}),
        ({"price": "1.991", "quantity": "8"}, {"price": "1.991", "quantity": "8"}),
        ({"expires_at": 4_000_000_000_000}, {"tif": "GTD", "expires_at": 4_000_000_000_000}),
    ):
        response = await world.call("alice", "PATCH", path, change)
        assert response.status_code == 200, (change, response.text)
        now = (await world.call("alice", "GET", path)).json()["order"]
        assert {name: now[name] for name in wanted} == wanted
    refused = await world.call("alice", "PATCH", path, {"tif": "IOC"})
    assert (refused.status_code, refused.json()["code"]) == (422, "tif_invalid")


async def test_the_operator_sets_the_protection_of_market_orders(world: World):
    path = f"/admin/contracts/{SYMBOL}"
    changed = await world.call("operator", "PATCH", path, {"protection_bps": 50})
    assert changed.json()["instrument"]["market_protection_bps"] == 50
    await new(world, "bob", "sell", "1", price="2.000")
    await new(world, "bob", "sell", "1", price="2.020")
    taken = await new(world, "alice", "buy", "2", type="market")
    assert taken["order"]["filled_quantity"] == "1"
