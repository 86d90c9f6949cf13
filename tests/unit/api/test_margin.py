"""Margin with its parts, what would be, and what the operator adds to it."""

from decimal import Decimal

import pytest

from tests.support.api_world import SYMBOL, World, running

WHAT_IF = "/margin/what-if"


@pytest.fixture
async def world():
    async with running() as one:
        yield one


async def asked(world: World, body: dict[str, object], who: str = "alice") -> dict[str, object]:
    answer = await world.call(who, "POST", WHAT_IF, body)
    assert answer.status_code == 200, answer.text
    return answer.json()["what_if"]


async def test_what_an_order_would_need_is_what_it_then_needs(world: World):
    order = {"symbol": SYMBOL, "side": "buy", "price": "2.000", "quantity": "5"}
    supposed = await asked(world, {"orders": [order]})
    assert supposed["accepted"] and supposed["orders"] == [
        {"accepted": True, "missing": "0.00", "only_reduces": False}
    ]
    before = (await world.call("alice", "GET", "/margin")).json()["margin"]
    assert before == supposed["before"]  # nothing was placed
    await world.place("alice", "buy", "2.000", "5")
    after = (await world.call("alice", "GET", "/margin")).json()["margin"]
    assert after == supposed["after"]
    assert len(supposed["scenarios"]) == after["scenario_count"]


async def test_an_order_that_money_does_not_cover_says_how_much_is_missing(world: World):
    order = {"symbol": SYMBOL, "side": "buy", "price": "2.100", "quantity": "5"}
    poor = await asked(world, {"orders": [order], "alone": True, "cash": "1"})
    assert not poor["accepted"]
    missing = float(poor["orders"][0]["missing"])
    assert missing > 0 and poor["after"]["initial_margin"] == "0.00"  # refused: not in the sums
    enough = {"orders": [order], "alone": True, "cash": f"{1 + missing:.6f}"}
    assert (await asked(world, enough))["accepted"]
    short = {
        "orders": [order],
        "alone": True,
        "cash": "1",
        "collateral": f"{missing - 0.000001:.6f}",
    }
    assert (await asked(world, short))["orders"][0]["missing"] == "0.000001"


async def test_positions_and_prices_are_supposed_too(world: World):
    held = {"symbol": SYMBOL, "quantity": "-3", "price": "2.000"}
    body = {"positions": [held], "prices": [{"symbol": SYMBOL, "price": "2.100"}], "alone": True}
    found = (await asked(world, body))["after"]
    assert float(found["unsettled_pnl"]) < 0 and found["state"] == "bankrupt"
    rich = (await asked(world, {**body, "cash": "1000000000", "level_bps": 11000}))["after"]
    assert rich["state"] == "ok" and rich["level_bps"] == 11000


async def test_the_mark_at_which_nothing_is_left_is_said_for_what_is_held(world: World):
    for lots, cash, price in (
        ("10", "744", "1.900"),
        ("-10", "744", "2.100"),
        ("10", "1", "2.000"),
    ):
        held = {"symbol": SYMBOL, "quantity": lots, "price": "2.000"}
        found = (await asked(world, {"positions": [held], "alone": True, "cash": cash}))["after"]
        (part,) = found["contracts"]
        assert Decimal(part["bankruptcy_price"]) == Decimal(price) - Decimal(cash == "1") / 1000
        assert part["liquidation_price"] is not None
    safe = {"positions": [{"symbol": SYMBOL, "quantity": "1"}], "alone": True, "cash": "100000"}
    (part,) = (await asked(world, safe))["after"]["contracts"]
    assert part["bankruptcy_price"] is None, "no mark takes so much"


async def test_a_closing_order_is_accepted_whatever_is_missing(world: World):
    close = {"symbol": SYMBOL, "side": "sell", "price": "2.000", "quantity": "3"}
    held = [{"symbol": SYMBOL, "quantity": "3"}]
    found = await asked(world, {"positions": held, "orders": [close], "alone": True, "cash": "-5"})
    assert found["orders"][0]["only_reduces"] and found["accepted"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"orders": [{"symbol": "NO", "side": "buy", "price": "2", "quantity": "1"}]},
         "contract_unknown"),
        ({"orders": [{"symbol": SYMBOL, "side": "up", "price": "2", "quantity": "1"}]},
         "field_invalid"),
        ({"orders": [{"symbol": SYMBOL, "side": "buy", "price": "0", "quantity": "1"}]},
         "price_invalid"),
        ({"orders": [{"symbol": SYMBOL, "side": "buy", "price": "2", "quantity": "99999999"}]},
         "qty_too_large"),
        ({"positions": [{"symbol": SYMBOL, "quantity": "--1"}]}, "field_invalid"),
        ({"positions": [{"symbol": SYMBOL, "quantity": "0"}]}, "field_invalid"),
        ({"prices": [{"symbol": SYMBOL, "price": "999999"}]}, "price_invalid"),
        ({"cash": "--1"}, "field_invalid"),
        ({"cash": ""}, "field_invalid"),
        ({"level_bps": 9_999}, "field_invalid"),
        ({"level": 1}, "field_unknown"),
        ({"positions": [{"symbol": SYMBOL, "quantity": "1"}] * 21}, "field_invalid"),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused(world: World, body, code):
    answer = await world.call("alice", "POST", WHAT_IF, body)
    assert answer.status_code in (404, 422), answer.text
    assert answer.json()["code"] == code


async def test_a_client_is_held_at_more_than_a_member(world: World):
    await world.place("alice", "buy", "2.000", "5")
    before = (await world.call("alice", "GET", "/margin")).json()["margin"]
    path = "/admin/accounts/alice/level"
    answer = (await world.call("operator", "PUT", path, {"level_bps": 11000})).json()
    assert answer["level_bps"] == 11000
    after = (await world.call("alice", "GET", "/margin")).json()["margin"]
    assert (
        after["level_bps"] == 11000 and after["expected_shortfall"] == before["expected_shortfall"]
    )
    refused = await world.call("operator", "PUT", path, {"level_bps": 20000})
    assert refused.json()["code"] == "field_invalid"


async def test_add_ons_are_staged_and_said(world: World):
    path = f"/admin/contracts/{SYMBOL}/addons"
    body = {"half_spread": "0.005", "daily_move_bps": 400, "daily_volume": "400",
            "open_interest": "1000", "fee": "0.25"}  # fmt: skip
    addon = (await world.call("operator", "PUT", path, body)).json()["addon"]
    assert (addon["close_within"], addon["crowd_above"], addon["fee"]) == ("200", "200", "0.25")
    refused = await world.call("operator", "PUT", path, {**body, "fee": "99999999"})
    assert refused.json()["code"] == "addon_invalid"


async def test_COLL_118_COLL_119_wrong_way_rules_are_set_and_shown(world: World):
    await world.place("alice", "buy", "2.000", "5")
    before = (await world.call("alice", "GET", "/margin")).json()["margin"]
    path = "/admin/accounts/alice"
    said = await world.call("operator", "PUT", f"{path}/profile", {"profile": "neocloud"})
    assert said.json()["profile"] == "neocloud"
    after = (await world.call("alice", "GET", "/margin")).json()["margin"]
    assert (after["profile"], after["wrong_way_bps"]) == ("neocloud", 12_500)
    assert Decimal(after["initial_margin"]) == Decimal(before["initial_margin"]) * 5 / 4
    body = {"symbol": SYMBOL, "quantity": "7"}
    assert (await world.call("operator", "PUT", f"{path}/cover", body)).json()["quantity"] == "7"
    if_short = {"positions": [{"symbol": SYMBOL, "quantity": "-7"}], "orders": []}
    outcome = (await world.call("alice", "POST", "/margin/what-if", if_short)).json()["what_if"]
    assert outcome["after"]["wrong_way_bps"] == 10_000
    for wrong in ({"profile": "bank"}, {}):
        refused = await world.call("operator", "PUT", f"{path}/profile", wrong)
        assert refused.status_code == 422
    for wrong in ({**body, "quantity": "-1"}, {**body, "symbol": "X"}, {"symbol": SYMBOL}):
        refused = await world.call("operator", "PUT", f"{path}/cover", wrong)
        assert refused.status_code in (404, 422)
    refused = await world.call("alice", "PUT", f"{path}/cover", body)
    assert refused.json()["code"] == "scope_missing"
