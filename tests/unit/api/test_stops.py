"""Orders that wait for a price, pairs and brackets over REST and websocket."""

from collections.abc import Collection

import pytest

from exchange.io.views import Page, Span
from exchange.rules.clearing_rows import OrderRow
from tests.support.api_fakes import MemoryViews
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


class OrderViews(MemoryViews):
    """Views that know stored orders, the last accepted first, and remember what was left out."""

    rows: tuple[OrderRow, ...] = ()
    but: Collection[int] | None = None

    async def orders(
        self, account_idx: int, span: Span, *, but: Collection[int] = (), **_: object
    ) -> Page[OrderRow]:
        self.but = list(but)
        found = [row for row in self.rows if row.order_id not in but]
        cursor = found[span.limit - 1].order_id if len(found) > span.limit else None
        return Page(10**6, found[: span.limit], cursor)


def stored(order_id: int) -> OrderRow:
    """Return an order that has ended, or waits: the views have no lots of either that rest."""
    head = (0, order_id, 0, 0, 0, 0, 0, 0, 2000, 1, 0, 0, 0, 1, 0, None, 0, 1, 1, 1)
    return OrderRow(*head, 0, 0, 0, 0, 0, 0, 0)


async def test_pages_of_ended_orders_are_full_while_stops_wait(world: World):
    waiting = await new(world, "alice", "buy", "1", type="stop", trigger_price="2.010")
    views = OrderViews(world.mirror)
    order_id = int(waiting["order"]["order_id"])
    views.rows = (stored(order_id), stored(9), stored(8))
    world.services.views = views
    answer = (await world.call("alice", "GET", "/orders?status=closed&limit=2")).json()
    assert [one["order_id"] for one in answer["orders"]] == ["9", "8"]
    assert answer["next_cursor"] is None and views.but == [order_id]
    everything = (await world.call("alice", "GET", "/orders?status=all&limit=3")).json()
    assert everything["orders"][0]["status"] == "untriggered"
    assert len(everything["orders"]) == 3 and views.but == []


async def trade(world: World, price: str) -> None:
    """Let one lot trade at a price."""
    await new(world, "operator", "sell", "1", price=price, stp="none")
    await new(world, "operator", "buy", "1", price=price, stp="none")


async def now(world: World, who: str, order_id: str) -> dict:
    return (await world.call(who, "GET", f"/orders/{order_id}")).json()["order"]


async def open_ids(world: World, who: str, query: str = "") -> list[str]:
    listed = (await world.call(who, "GET", f"/orders{query}")).json()["orders"]
    return [one["order_id"] for one in listed]


async def test_a_stop_waits_is_listed_and_enters_when_its_price_comes(world: World):
    placed = await new(
        world, "alice", "buy", "3", type="stop_limit", price="2.020", trigger_price="2.010",
        client_order_id="s-1",
    )  # fmt: skip
    order = placed["order"]
    assert (order["type"], order["status"], order["reason"]) == ("stop_limit", "untriggered", None)
    assert (order["trigger_price"], order["trigger_by"], order["price"]) == (
        "2.010", "last", "2.020",
    )  # fmt: skip
    assert order["trail_offset"] is None and order["trail_bps"] is None
    by_client = await world.call("alice", "GET", "/orders/by-client-id/s-1")
    assert by_client.json()["order"] == order == await now(world, "alice", order["order_id"])
    assert await open_ids(world, "alice") == [order["order_id"]]
    assert await open_ids(world, "alice", "?status=closed") == []
    book = (await world.call("", "GET", f"/orderbook/{SYMBOL}")).json()
    assert book["bids"] == []
    again = {"symbol": SYMBOL, "side": "buy", "quantity": "3", "type": "stop_limit"}
    again |= {"price": "2.020", "trigger_price": "2.010", "client_order_id": "s-1"}
    repeated = await world.call("alice", "POST", "/orders", again)
    assert repeated.status_code == 200 and repeated.json()["duplicate"] is True
    conflict = await world.call("alice", "POST", "/orders", {**again, "trigger_price": "2.011"})
    assert (conflict.status_code, conflict.json()["code"]) == (409, "client_order_id_conflict")
    await trade(world, "2.010")
    order = await now(world, "alice", order["order_id"])
    assert (order["status"], order["remaining_quantity"]) == ("open", "3")
    assert order["trigger_price"] == "2.010"
    book = (await world.call("", "GET", f"/orderbook/{SYMBOL}")).json()
    assert book["bids"] == [["2.020", "3"]]


async def test_a_stop_whose_price_has_come_answers_with_its_trades(world: World):
    await trade(world, "2.000")
    await new(world, "bob", "sell", "2", price="2.003")
    placed = await new(world, "alice", "buy", "3", type="stop", trigger_price="1.999")
    order = placed["order"]
    assert (order["status"], order["filled_quantity"], order["price"]) == ("cancelled", "2", None)
    assert [(one["quantity"], one["price"]) for one in placed["trades"]] == [("2", "2.003")]
    assert order == await now(world, "alice", order["order_id"])


async def test_an_answer_has_no_trades_of_the_stops_it_triggered(world: World):
    await new(world, "bob", "sell", "1", price="2.000")
    await new(world, "bob", "sell", "1", price="2.005")
    await new(world, "operator", "buy", "1", type="stop", trigger_price="2.000")
    async with world.serving() as url, world.socket(url, "alice") as socket:
        order = {"symbol": SYMBOL, "side": "buy", "quantity": "1", "price": "2.000"}
        reply = await socket.ask("order.new", **order)
    trades = reply["result"]["trades"]
    assert [(one["price"], one["quantity"]) for one in trades] == [("2.000", "1")]
    assert reply["result"]["order"]["status"] == "filled"
    fills = (await world.call("", "GET", f"/trades/{SYMBOL}")).json()["trades"]
    assert [one["price"] for one in fills] == ["2.005", "2.000"]


@pytest.mark.parametrize("trail", [{"trail_offset": "0.010"}, {"trail_bps": 50}])
async def test_a_trailing_stop_follows_and_is_cancelled_by_either_id(world: World, trail):
    refused = {"symbol": SYMBOL, "side": "sell", "quantity": "2", "type": "trailing_stop"}
    response = await world.call("alice", "POST", "/orders", {**refused, **trail})
    assert (response.status_code, response.json()["field"]) == (409, "trigger_by")
    await trade(world, "2.000")
    placed = await new(
        world, "alice", "sell", "2", type="trailing_stop", client_order_id="t", **trail
    )
    order = placed["order"]
    assert (order["type"], order["trigger_price"]) == ("trailing_stop", "1.990")
    assert {name: order[name] for name in trail} == trail
    await trade(world, "2.010")
    moved = await now(world, "alice", order["order_id"])
    assert moved["trigger_price"] == ("2.000" if "trail_offset" in trail else "1.999")
    amended = await world.call("alice", "PATCH", "/orders/by-client-id/t", {"quantity": "1"})
    assert (amended.status_code, amended.json()["order"]["quantity"]) == (200, "1")
    closer = {"trail_bps": 100} if "trail_bps" in trail else {"trail_offset": "0.020"}
    amended = await world.call("alice", "PATCH", "/orders/by-client-id/t", closer)
    farther = {"trail_bps": "1.989", "trail_offset": "1.990"}[next(iter(trail))]
    assert amended.json()["order"]["trigger_price"] == farther
    assert (await now(world, "alice", order["order_id"])) == amended.json()["order"]
    cancelled = await world.call("alice", "DELETE", "/orders/by-client-id/t")
    assert cancelled.status_code == 200, cancelled.text
    order = cancelled.json()["order"]
    assert (order["status"], order["reason"]) == ("cancelled", "cancelled_by_user")
    assert await open_ids(world, "alice") == []


async def test_mark_and_index_trigger_what_waits_for_them(world: World):
    for by in ("mark", "index"):
        await new(world, "bob", "buy", "1", price="1.990")
        placed = await new(
            world, "alice", "sell", "1", type="take_profit", trigger_price="2.050", trigger_by=by
        )
        assert placed["order"]["trigger_by"] == by
        if by == "index":
            path = f"/admin/contracts/{SYMBOL}/index"
            answer = await world.call("operator", "PUT", path, {"price": "2.050"})
            assert answer.json()["instrument"]["index_price"] == "2.050"
            refused = await world.call("alice", "PUT", path, {"price": "2.050"})
            assert refused.status_code == 403
            for bad in ("0", "-1", "2.0505", "x"):
                refused = await world.call("operator", "PUT", path, {"price": bad})
                assert 400 <= refused.status_code < 500
            order = await now(world, "alice", placed["order"]["order_id"])
            assert order["status"] == "filled"
        else:
            path = f"/orders/{placed['order']['order_id']}"
            cancelled = await world.call("alice", "DELETE", path)
            assert cancelled.json()["order"]["status"] == "cancelled"
            await world.call("bob", "DELETE", "/orders")


async def test_of_a_pair_one_cancels_the_other(world: World):
    first = (await new(world, "alice", "sell", "5", price="2.100"))["order"]
    second = await new(
        world, "alice", "sell", "5", type="stop", trigger_price="1.900", oco_with=first["order_id"]
    )
    await new(world, "bob", "buy", "2", price="2.100")
    other = await now(world, "alice", second["order"]["order_id"])
    assert (other["status"], other["reason"]) == ("cancelled", "other_leg_done")
    for wrong in ("999999999", "x", second["order"]["order_id"]):
        body = {"symbol": SYMBOL, "side": "sell", "quantity": "5", "price": "2.2"}
        refused = await world.call("alice", "POST", "/orders", {**body, "oco_with": wrong})
        assert (refused.status_code, refused.json()["field"]) == (422, "oco_with")


async def test_an_amendment_that_ties_forbid_names_the_price(world: World):
    body = {"symbol": SYMBOL, "side": "sell", "quantity": "5", "price": "2.2"}
    high = (await world.call("alice", "POST", "/orders", body)).json()["order"]["order_id"]
    low = {**body, "side": "buy", "price": "2.1", "oco_with": high}
    assert (await world.call("alice", "POST", "/orders", low)).status_code == 201
    bracket = {**body, "side": "buy", "price": "2.1", "stop_loss": "2.05"}
    parent = (await world.call("alice", "POST", "/orders", bracket)).json()["order"]["order_id"]
    for order_id, price, code in (
        (high, "2.1", "link_invalid"),
        (parent, "2.05", "bracket_invalid"),
    ):
        refused = await world.call("alice", "PATCH", f"/orders/{order_id}", {"price": price})
        problem = refused.json()
        assert (refused.status_code, problem["code"], problem["field"]) == (422, code, "price")


async def test_a_bracket_closes_what_its_order_opens_and_the_channel_tells(world: World):
    async with world.serving() as url, world.socket(url, "alice") as socket:
        await socket.ask("subscribe", channels=["orders"])
        assert (await socket.push("orders"))["data"] == []
        order = {"symbol": SYMBOL, "side": "buy", "quantity": "3", "price": "2.000"}
        reply = await socket.ask("order.new", **order, take_profit="2.050", stop_loss="1.950")
        assert reply["ok"], reply
        parent_id = reply["result"]["order"]["order_id"]
        told = (await socket.push("orders"))["data"]
        assert [(one["type"], one["status"], one["remaining_quantity"]) for one in told] == [
            ("limit", "open", "3"),
            ("take_profit", "untriggered", "0"),
            ("stop", "untriggered", "0"),
        ]
        assert await open_ids(world, "alice") == [one["order_id"] for one in told]
        assert await open_ids(world, "alice", "?status=closed") == []
        await new(world, "bob", "sell", "2", price="2.000")
        grown = (await socket.push("orders"))["data"]
        sizes = {one["type"]: one["remaining_quantity"] for one in grown}
        assert sizes == {"limit": "1", "take_profit": "2", "stop": "2"}
        await new(world, "bob", "buy", "3", price="2.050")
        await trade(world, "2.050")
    assert (await now(world, "alice", parent_id))["status"] == "cancelled"
    assert await open_ids(world, "alice") == []
    ends = [(one["type"], await now(world, "alice", one["order_id"])) for one in told[1:]]
    assert [(kind, one["status"]) for kind, one in ends] == [
        ("take_profit", "filled"), ("stop", "cancelled"),
    ]  # fmt: skip


async def test_a_batch_takes_stops_and_the_page_of_orders_keeps_their_order(world: World):
    stop = {"op": "new", "symbol": SYMBOL, "side": "buy", "quantity": "1", "type": "stop"}
    rest = {"op": "new", "symbol": SYMBOL, "side": "buy", "quantity": "1", "price": "1.990"}
    requests = [{**stop, "trigger_price": "2.100"}, rest, {**stop, "trigger_price": "2.101"}]
    answer = await world.call("alice", "POST", "/orders/batch", {"requests": requests})
    ids = [one["order"]["order_id"] for one in answer.json()["results"]]
    assert await open_ids(world, "alice") == ids
    assert await open_ids(world, "alice", f"?limit=2&cursor={ids[0]}") == ids[1:]
    gone = (await world.call("alice", "DELETE", "/orders")).json()
    assert sorted(gone["order_ids"]) == sorted(ids)


async def test_an_amended_stop_waits_elsewhere_or_enters_at_once(world: World):
    await trade(world, "2.000")
    placed = await new(
        world, "alice", "sell", "4", type="stop_limit", price="1.900", trigger_price="1.950"
    )
    path = f"/orders/{placed['order']['order_id']}"
    change = {"trigger_price": "1.960", "price": "1.910", "quantity": "3", "tif": "DAY"}
    order = (await world.call("alice", "PATCH", path, change)).json()["order"]
    assert {name: order[name] for name in change} == change
    assert (order["status"], order["remaining_quantity"]) == ("untriggered", "3")
    for wrong, field in (
        ({"display_quantity": "1"}, "display_quantity"),
        ({"reduce_only": True}, "reduce_only"),
        ({"peg_offset": "0.001"}, "peg_offset"),
        ({"trail_bps": 5}, "trail_offset"),
        ({"trail_bps": 5, "trigger_price": "1.9"}, "trail_bps"),
        ({"trigger_price": "0"}, "trigger_price"),
        ({"trigger_price": "99999"}, "trigger_price"),
        ({"tif": "GFA"}, "tif"),
        ({"quantity": "99999999"}, "quantity"),
    ):
        refused = await world.call("alice", "PATCH", path, wrong)
        assert (refused.status_code // 100, refused.json()["field"]) == (4, field), refused.text
    entered = await world.call("alice", "PATCH", path, {"trigger_price": "2.000"})
    assert entered.json()["order"]["status"] == "open", entered.text
    again = await world.call("alice", "PATCH", path, {"trigger_price": "1.950"})
    assert (again.status_code, again.json()["code"]) == (409, "not_waiting")
    assert (await now(world, "alice", placed["order"]["order_id"]))["trigger_price"] == "2.000"


async def test_answers_name_what_an_order_is_tied_to(world: World):
    rest = (await new(world, "alice", "sell", "2", price="2.100"))["order"]
    assert (rest["oco_with"], rest["bracket_of"]) == (None, None)
    stop = await new(
        world, "alice", "sell", "2", type="stop", trigger_price="1.900", oco_with=rest["order_id"]
    )
    assert stop["order"]["oco_with"] == rest["order_id"]
    partner = await now(world, "alice", rest["order_id"])
    assert partner["oco_with"] == stop["order"]["order_id"]
    parent = await new(
        world, "alice", "buy", "2", price="1.990", take_profit="2.050", stop_loss="1.950"
    )
    parent_id = parent["order"]["order_id"]
    legs = [await now(world, "alice", one) for one in (await open_ids(world, "alice"))[-2:]]
    assert [one["bracket_of"] for one in legs] == [parent_id, parent_id]
    assert [one["oco_with"] for one in legs] == [one["order_id"] for one in legs[::-1]]


STOP = {"type": "stop", "trigger_price": "2.100"}
TRAIL = {"type": "trailing_stop", "trail_offset": "0.010"}
LIMIT = {"price": "1.990"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type": "stop"}, "trigger_price"),
        ({"type": "take_profit"}, "trigger_price"),
        ({**STOP, "trigger_price": "0"}, "trigger_price"),
        ({**STOP, "trigger_price": "-1"}, "trigger_price"),
        ({**STOP, "trigger_price": "2.1001"}, "trigger_price"),
        ({**STOP, "trigger_price": "2000000"}, "trigger_price"),
        ({**STOP, "trigger_price": "9" * 120}, "trigger_price"),
        ({**STOP, "trigger_price": 2.1}, "trigger_price"),
        ({**STOP, "trigger_by": "best"}, "trigger_by"),
        ({**STOP, "price": "2.100"}, "price"),
        ({**STOP, "post_only": True}, "post_only"),
        ({**STOP, "display_quantity": "1"}, "display_quantity"),
        ({**STOP, "min_quantity": "1"}, "min_quantity"),
        ({**STOP, "peg": "bid"}, "peg"),
        ({**STOP, "tif": "IOC"}, "tif"),
        ({**STOP, "trail_bps": 5}, "trail_bps"),
        ({**STOP, "trail_offset": "0.010"}, "trail_offset"),
        ({**STOP, "take_profit": "2.200"}, "take_profit"),
        ({**STOP, "stop_loss": "1.900"}, "stop_loss"),
        ({**STOP, "type": "stop_limit"}, "price"),
        ({**STOP, "type": "take_profit_limit", "price": "0"}, "price"),
        ({**TRAIL, "trigger_price": "2.000"}, "trigger_price"),
        ({**TRAIL, "trail_bps": 5}, "trail_bps"),
        ({**TRAIL, "price": "2.000"}, "price"),
        ({**TRAIL, "trail_offset": "0"}, "trail_offset"),
        ({**TRAIL, "trail_offset": "-0.001"}, "trail_offset"),
        ({**TRAIL, "trail_offset": "2000000"}, "trail_offset"),
        ({"type": "trailing_stop"}, "trail_offset"),
        ({"type": "trailing_stop", "trail_bps": 0}, "trail_bps"),
        ({"type": "trailing_stop", "trail_bps": 10_000}, "trail_bps"),
        ({"type": "trailing_stop", "trail_bps": "5"}, "trail_bps"),
        ({**LIMIT, "trigger_price": "2.000"}, "trigger_price"),
        ({**LIMIT, "trigger_by": "mark"}, "trigger_by"),
        ({**LIMIT, "trail_bps": 5}, "trail_bps"),
        ({**LIMIT, "oco_with": ""}, "oco_with"),
        ({**LIMIT, "oco_with": "-1"}, "oco_with"),
        ({**LIMIT, "oco_with": str(1 << 63)}, "oco_with"),
        ({**LIMIT, "oco_with": 7}, "oco_with"),
        ({**LIMIT, "oco_with": "7", "stop_loss": "1.900"}, "oco_with"),
        ({**LIMIT, "take_profit": "0"}, "take_profit"),
        ({**LIMIT, "stop_loss": "1.9001"}, "stop_loss"),
        ({**LIMIT, "stop_loss": "2.000"}, "stop_loss"),
        ({**LIMIT, "stop_loss": "1.900", "trigger_by": "best"}, "trigger_by"),
        ({**LIMIT, "stop_loss": "1.900", "reduce_only": True}, "stop_loss"),
        ({"type": "pegged", "peg": "bid", "take_profit": "2.100"}, "take_profit"),
        ({"type": "market", "oco_with": "7"}, "oco_with"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_says_where(world: World, fields, field):
    await trade(world, "2.000")
    body = {"symbol": SYMBOL, "side": "buy", "quantity": "5", **fields}
    response = await world.call("alice", "POST", "/orders", body)
    assert 400 <= response.status_code < 500, response.text
    assert response.json()["field"] == field, response.text
    assert await open_ids(world, "alice") == []
