"""Orders over REST: placed, amended, cancelled, found again."""

import pytest

from tests.support.api_world import OTHER, SYMBOL, World, running


@pytest.fixture
async def world():
    async with running() as one:
        yield one


async def test_an_order_is_placed_and_rests(world: World):
    body = {"symbol": SYMBOL, "side": "buy", "price": "1.990", "quantity": "3"}
    response = await world.call("alice", "POST", "/orders", body)
    assert response.status_code == 201
    answer = response.json()
    order = answer["order"]
    assert order["status"] == "open"
    assert (order["price"], order["quantity"]) == ("1.990", "3")
    assert order["remaining_quantity"] == "3"
    assert answer["duplicate"] is False
    assert answer["trades"] == []
    assert answer["seq"] == order["seq"]
    book = (await world.call("", "GET", f"/orderbook/{SYMBOL}")).json()
    assert book["bids"] == [["1.990", "3"]]
    assert book["seq"] == answer["seq"]


async def test_an_order_trades_with_what_rests_at_the_makers_price(world: World):
    await world.place("bob", "sell", "2.000", "2")
    answer = await world.place("alice", "buy", "2.010", "5")
    assert [(t["price"], t["quantity"], t["role"]) for t in answer["trades"]] == [
        ("2.000", "2", "taker")
    ]
    order = answer["order"]
    assert (order["filled_quantity"], order["remaining_quantity"]) == ("2", "3")
    assert order["average_price"] == "2.00"
    positions = (await world.call("alice", "GET", "/positions")).json()["positions"]
    assert positions[0]["quantity"] == "2"
    assert positions[0]["average_entry_price"] == "2.00"
    trades = (await world.call("", "GET", f"/trades/{SYMBOL}")).json()["trades"]
    assert trades[0]["side"] == "buy"
    assert trades[0]["trade_id"] == answer["trades"][0]["trade_id"]


async def test_a_market_order_takes_and_never_rests(world: World):
    await world.place("bob", "sell", "2.000", "2")
    body = {"symbol": SYMBOL, "side": "buy", "type": "market", "quantity": "5"}
    order = (await world.call("alice", "POST", "/orders", body)).json()["order"]
    assert order["status"] == "cancelled"
    assert order["reason"] == "ioc_remainder"
    assert order["filled_quantity"] == "2"
    assert order["price"] is None


async def test_the_same_client_order_id_returns_the_first_order(world: World):
    first = await world.place("alice", "buy", "1.990", "3", client_order_id="a:1")
    body = {"symbol": SYMBOL, "side": "buy", "price": "1.990", "quantity": "3"}
    again = await world.call("alice", "POST", "/orders", {**body, "client_order_id": "a:1"})
    assert again.status_code == 200
    assert again.json()["duplicate"] is True
    assert again.json()["order"]["order_id"] == first["order"]["order_id"]
    other = await world.call(
        "alice", "POST", "/orders", {**body, "quantity": "4", "client_order_id": "a:1"}
    )
    assert other.status_code == 409
    assert other.json()["code"] == "client_order_id_conflict"
    assert other.json()["order_id"] == first["order"]["order_id"]


@pytest.mark.parametrize("by", ["id", "client"])
async def test_an_order_is_found_amended_and_cancelled_by_either_id(world: World, by: str):
    placed = await world.place("alice", "buy", "1.990", "5", client_order_id="mine-1")
    order_id = placed["order"]["order_id"]
    path = f"/orders/{order_id}" if by == "id" else "/orders/by-client-id/mine-1"
    found = (await world.call("alice", "GET", path)).json()["order"]
    assert found == placed["order"]
    amended = (await world.call("alice", "PATCH", path, {"quantity": "3"})).json()["order"]
    assert (amended["quantity"], amended["remaining_quantity"]) == ("3", "3")
    assert amended["order_id"] == order_id
    moved = (await world.call("alice", "PATCH", path, {"price": "1.980"})).json()["order"]
    assert moved["price"] == "1.980"
    gone = (await world.call("alice", "DELETE", path)).json()["order"]
    assert (gone["status"], gone["reason"]) == ("cancelled", "cancelled_by_user")
    again = await world.call("alice", "DELETE", path)
    assert (again.status_code, again.json()["code"]) == (404, "order_unknown")
    after = (await world.call("alice", "GET", path)).json()["order"]
    assert after == gone


async def test_amending_to_nothing_cancels(world: World):
    placed = await world.place("alice", "buy", "1.990", "5")
    path = f"/orders/{placed['order']['order_id']}"
    order = (await world.call("alice", "PATCH", path, {"quantity": "0"})).json()["order"]
    assert (order["status"], order["reason"]) == ("cancelled", "amended_below_filled")


async def test_the_open_quantity_is_what_rests_afterwards(world: World):
    await world.place("bob", "sell", "1.990", "2")
    placed = await world.place("alice", "buy", "1.990", "5")
    path = f"/orders/{placed['order']['order_id']}"
    order = (await world.call("alice", "PATCH", path, {"open_quantity": "1"})).json()["order"]
    assert (order["quantity"], order["filled_quantity"]) == ("3", "2")
    assert order["remaining_quantity"] == "1"


async def test_nobody_sees_or_touches_the_order_of_another(world: World):
    placed = await world.place("alice", "buy", "1.990", "5", client_order_id="mine")
    for path in (f"/orders/{placed['order']['order_id']}", "/orders/by-client-id/mine"):
        for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"quantity": "1"})):
            response = await world.call("bob", method, path, body)
            assert (response.status_code, response.json()["code"]) == (404, "order_unknown")


async def test_open_orders_come_in_pages(world: World):
    placed = [await world.place("alice", "buy", f"1.{900 + i}", "1") for i in range(5)]
    ids = [answer["order"]["order_id"] for answer in placed]
    seen, cursor = [], ""
    for _ in range(10):
        page = (await world.call("alice", "GET", f"/orders?limit=2{cursor}")).json()
        seen += [order["order_id"] for order in page["orders"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == ids
    none = (await world.call("alice", "GET", f"/orders?symbol={OTHER}")).json()
    assert none["orders"] == []


async def test_cancelling_all_takes_the_symbol_and_side_asked_for(world: World):
    await world.place("alice", "buy", "1.900", "1")
    await world.place("alice", "sell", "2.100", "1")
    await world.place("alice", "buy", "1.900", "1", symbol=OTHER)
    path = f"/orders?symbol={SYMBOL}&side=buy"
    answer = (await world.call("alice", "DELETE", path)).json()
    assert answer["cancelled_count"] == len(answer["order_ids"]) == 1
    rest = (await world.call("alice", "DELETE", "/orders")).json()
    assert rest["cancelled_count"] == 2
    assert (await world.call("alice", "GET", "/orders")).json()["orders"] == []


async def test_a_batch_answers_each_request_by_itself(world: World):
    new = {"op": "new", "symbol": SYMBOL, "side": "buy", "price": "1.900", "quantity": "1"}
    requests = [
        {**new, "client_order_id": "b1"},
        {**new, "symbol": "NO-SUCH-2027"},
        {"op": "amend", "client_order_id": "b1", "quantity": "7"},
        {"op": "cancel", "client_order_id": "b1"},
        {"op": "cancel", "order_id": "12345"},
    ]
    response = await world.call("alice", "POST", "/orders/batch", {"requests": requests})
    assert response.status_code == 200, response.text
    results = response.json()["results"]
    assert [r["ok"] for r in results] == [True, False, True, True, False]
    assert results[1]["error"]["code"] == "contract_unknown"
    assert results[4]["error"]["code"] == "order_unknown"


async def test_the_reply_shows_the_order_as_its_own_command_left_it(world: World):
    new = {"op": "new", "symbol": SYMBOL, "side": "buy", "price": "1.900", "quantity": "3"}
    requests = [{**new, "client_order_id": "b1"}, {"op": "cancel", "client_order_id": "b1"}]
    response = await world.call("alice", "POST", "/orders/batch", {"requests": requests})
    placed, cancelled = response.json()["results"]
    assert placed["order"]["status"] == "open"
    assert cancelled["order"]["status"] == "cancelled"


async def test_a_refusal_names_code_field_and_request(world: World):
    body = {"symbol": SYMBOL, "side": "buy", "price": "1.990", "quantity": "20000"}
    response = await world.call("alice", "POST", "/orders", body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["code"] == "qty_too_large"
    assert problem["field"] == "quantity"
    assert problem["request_id"] == response.headers["wh-request-id"]
    assert problem["status"] == 422


async def test_an_order_beyond_margin_is_refused(world: World):
    balance = (await world.call("alice", "GET", "/balances")).json()["balances"][0]
    assert balance["cash"] == "1000000000.00"
    body = {"symbol": SYMBOL, "side": "buy", "price": "60.000", "quantity": "10000"}
    for _ in range(400):
        response = await world.call("alice", "POST", "/orders", body)
        if response.status_code != 201:
            break
    assert response.json()["code"] == "margin_insufficient"
