"""The texts of refusals hold the numbers that a person needs to do better."""

import pytest

from api import answers
from api.errors import Problem
from api.limits import Limits
from tests.support.api_world import SYMBOL, World, running

NEW = {"symbol": SYMBOL, "side": "buy", "price": "1.990", "quantity": "3"}


@pytest.fixture
async def world():
    async with running() as one:
        done = await one.call("operator", "PATCH", f"/admin/contracts/{SYMBOL}", {"band_bps": 300})
        assert done.status_code == 200
        yield one


async def refused(world: World, method: str, path: str, body: object, code: str) -> str:
    """Return the text of a refusal that must have a code."""
    answer = (await world.call("alice", method, path, body)).json()
    assert answer["code"] == code
    return str(answer["detail"])


async def test_a_price_out_of_band_says_the_band(world: World):
    text = await refused(world, "POST", "/orders", {**NEW, "price": "60"}, "price_out_of_band")
    assert text == "buys at most 2.060, sells at least 1.940 now: 3 % around the mark of 2.000"


async def test_an_amendment_out_of_band_says_the_band_too(world: World):
    placed = await world.place("alice", "buy", "1.990", "5", client_order_id="a")
    for path in (f"/orders/{placed['order']['order_id']}", "/orders/by-client-id/a"):
        text = await refused(world, "PATCH", path, {"price": "60"}, "price_out_of_band")
        assert text.startswith("buys at most 2.060")


@pytest.mark.parametrize("quantity", ["2000000", "9999999999"])
async def test_a_quantity_too_large_says_the_most(world: World, quantity: str):
    most = (await world.call("", "GET", f"/instruments/{SYMBOL}")).json()["instrument"]
    text = await refused(world, "POST", "/orders", {**NEW, "quantity": quantity}, "qty_too_large")
    assert text == f"at most {most['max_quantity']} lots in one order"


@pytest.mark.parametrize(
    ("field", "given", "said"),
    [
        ("quantity", "1.5", "'1.5' was given; allowed: whole lots"),
        ("quantity", "-3", "'-3' was given; allowed: nothing below zero"),
        ("price", "2.0001", "'2.0001' was given; allowed: at most 3 decimals"),
        ("price", "x" * 50, f"'{'x' * 40}...' was given; allowed: a plain decimal such as"),
    ],
)
async def test_a_text_that_is_no_amount_is_shown(world: World, field: str, given: str, said: str):
    text = await refused(world, "POST", "/orders", {**NEW, field: given}, "field_invalid")
    assert text.startswith(said)


async def test_an_order_that_has_ended_says_how(world: World):
    gone = (await world.place("alice", "buy", "1.990", "5"))["order"]["order_id"]
    await world.call("alice", "DELETE", f"/orders/{gone}")
    text = await refused(world, "DELETE", f"/orders/{gone}", None, "order_unknown")
    assert text.startswith("the order was cancelled already (cancelled_by_user); GET")

    filled = (await world.place("alice", "buy", "2.000", "5", client_order_id="f"))["order"]
    await world.place("bob", "sell", "2.000", "5")
    for path in (f"/orders/{filled['order_id']}", "/orders/by-client-id/f"):
        for method, body in (("DELETE", None), ("PATCH", {"quantity": "9"})):
            text = await refused(world, method, path, body, "order_unknown")
            assert text.startswith("the order is filled already, 5 lots")

    part = (await world.place("alice", "buy", "2.000", "5"))["order"]["order_id"]
    await world.place("bob", "sell", "2.000", "2")
    await world.call("alice", "DELETE", f"/orders/{part}")
    text = await refused(world, "DELETE", f"/orders/{part}", None, "order_unknown")
    assert "(cancelled_by_user, 2 of 5 lots filled)" in text


async def test_nothing_is_said_of_the_order_of_another(world: World):
    theirs = (await world.place("bob", "buy", "1.990", "5"))["order"]["order_id"]
    await world.call("bob", "DELETE", f"/orders/{theirs}")
    none = await refused(world, "DELETE", "/orders/999999", None, "order_unknown")
    assert await refused(world, "DELETE", f"/orders/{theirs}", None, "order_unknown") == none


async def test_a_batch_and_a_websocket_say_the_same(world: World):
    gone = (await world.place("alice", "buy", "1.990", "5"))["order"]["order_id"]
    await world.call("alice", "DELETE", f"/orders/{gone}")
    text = await refused(world, "DELETE", f"/orders/{gone}", None, "order_unknown")
    body = {"requests": [{"op": "cancel", "order_id": gone}]}
    batch = (await world.call("alice", "POST", "/orders/batch", body)).json()
    assert batch["results"][0]["error"]["detail"] == text
    async with world.serving() as url, world.socket(url, "alice") as alice:
        answer = await alice.ask("order.cancel", order_id=gone)
        assert answer["error"]["detail"] == text


async def test_an_average_without_its_first_fills_is_not_told(world: World):
    placed = await world.place("alice", "buy", "2.000", "9")
    await world.place("bob", "sell", "2.000", "2")
    order = world.mirror.orders[int(placed["order"]["order_id"])]
    contract = world.mirror.contracts[order.contract_idx]
    assert answers.order(contract, order)["average_price"] == "2.00"
    order.fills_known = False  # as after a start from a saved state
    assert answers.order(contract, order)["average_price"] is None


async def test_an_order_without_margin_says_what_it_needs_and_what_is_free(world: World):
    free = (await world.call("alice", "GET", "/balances")).json()["balances"][0]["free"]
    rest = {"amount": str(int(float(free)) - 1)}
    done = await world.call("operator", "POST", "/admin/accounts/alice/withdrawals", rest)
    assert done.status_code == 201
    free = (await world.call("alice", "GET", "/balances")).json()["balances"][0]["free"]
    order = {**NEW, "price": "2.060", "quantity": "1000"}
    text = await refused(world, "POST", "/orders", order, "margin_insufficient")
    assert text.startswith("the order needs ")
    assert text.endswith(f" USD more, {free} USD are free now: see /api/v1/margin")
    assert float(text.split()[3]) > float(free)


async def test_a_withdrawal_above_what_is_free_says_the_most(world: World):
    balance = (await world.call("alice", "GET", "/balances")).json()["balances"][0]
    more = {"amount": str(float(balance["free"]) + 1)}
    answer = await world.call("operator", "POST", "/admin/accounts/alice/withdrawals", more)
    problem = answer.json()
    assert problem["code"] == "withdrawal_exceeds_free"
    assert problem["detail"].startswith(f"at most {balance['free']} USD now")


async def test_a_time_in_force_that_cannot_be_says_which_can(world: World):
    order = (await world.place("alice", "buy", "1.990", "5"))["order"]
    path = f"/orders/{order['order_id']}"
    text = await refused(world, "PATCH", path, {"tif": "IOC"}, "tif_invalid")
    assert text == "an order that rests, or enters as a market order, is GTC, GTD or DAY"
    text = await refused(world, "POST", "/orders", {**NEW, "tif": "GFA"}, "tif_not_allowed")
    assert "a market order is GFA" in text and "outside of one no GFA" in text


@pytest.mark.parametrize("order_id", ["9223372036854775808", "0", "x", "99999999999999999999"])
async def test_an_id_that_is_none_says_how_large_one_is(world: World, order_id: str):
    text = await refused(world, "GET", f"/orders/{order_id}", None, "field_invalid")
    assert text == "an id is a whole number from 1 to 9223372036854775807"


def test_the_limit_of_reads_says_that_it_is_of_all_but_orders():
    with pytest.raises(Problem, match="at most 200 requests other than orders a second"):
        Limits(clock_s=lambda: 0.0).reads.take(1, 201)
