"""Collateral over REST: deposits, what counts, withdrawals and their gates, own transfers."""

from typing import Any

import pytest

from matching.codes import AssetMove
from tests.support.api_world import World, running

DAY_NS = 24 * 3600 * 1_000_000_000
ADDRESS = "bc1-somewhere"


@pytest.fixture
async def world():
    async with running() as one:
        for symbol, price in (("UST", "1"), ("BTC", "60000")):
            response = await one.call("operator", "POST", f"/admin/assets/{symbol}/price",
                                      {"price": price})  # fmt: skip
            assert response.status_code == 200, response.text
        yield one


async def deposit(world: World, asset: str, amount: str, **more: str) -> Any:
    body = {"asset": asset, "amount": amount, **more}
    return await world.call("operator", "POST", "/admin/accounts/alice/assets", body)


async def listed(world: World, asset: str = "UST") -> None:
    """Put an address on alice's allow-list, a day ago."""
    world.now_ns, now = (lambda: now() - 2 * DAY_NS), world.now_ns
    row = {"UST": 1, "BTC": 5}[asset]
    await world.services.custody.add_address(0, row, ADDRESS, "vault")
    world.now_ns = now


async def withdraw(world: World, amount: str, who: str = "alice", **more: str) -> Any:
    body = {"asset": "UST", "amount": amount, "address": ADDRESS, **more}
    return await world.call(who, "POST", "/withdrawals", body)


async def decide(world: World, request_id: str, action: str, who: str = "operator") -> Any:
    return await world.call(who, "POST", f"/admin/withdrawals/{request_id}", {"action": action})


async def test_a_treasury_bill_counts_as_equity_and_not_as_cash(world: World):
    done = await deposit(world, "UST", "1000.5")
    assert done.status_code == 201
    assert done.json()["transfer"]["quantity"] == "1000.5"
    (line,) = (found := (await world.call("alice", "GET", "/collateral")).json())["lines"]
    assert found["counted"] == line["counted"] == "990.495"
    assert (line["value"], line["haircut_bps"], line["reason"]) == ("1000.50", 100, None)
    assert {rule["asset"] for rule in found["rules"]} >= {"UST", "USDC", "BTC", "LC-1"}
    (balance,) = (await world.call("alice", "GET", "/balances")).json()["balances"]
    assert (balance["cash"], balance["collateral"]) == ("1000000000.00", "990.495")
    assert balance["equity"] == "1000000990.495"


async def test_a_deposit_sent_twice_moves_units_once(world: World):
    for _ in range(2):
        assert (await deposit(world, "UST", "10", transfer_id="one")).status_code == 201
    (line,) = (await world.call("alice", "GET", "/collateral")).json()["lines"]
    assert line["quantity"] == "10"
    other = await deposit(world, "UST", "11", transfer_id="one")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


async def test_bitcoin_without_a_requirement_is_held_by_its_cap(world: World):
    await deposit(world, "BTC", "1")
    (line,) = (await world.call("alice", "GET", "/collateral")).json()["lines"]
    assert (line["value"], line["after_haircut"]) == ("60000.00", "33000.00")
    assert (line["counted"], line["reason"]) == ("0.00", "cap")


async def test_a_withdrawal_is_reserved_approved_and_paid(world: World):
    await deposit(world, "UST", "500")
    await listed(world)
    done = await withdraw(world, "200", withdrawal_id="w1")
    assert done.status_code == 201, done.text
    one = done.json()["withdrawal"]
    assert (one["status"], one["approvals_needed"], one["approvals"]) == ("reserved", 1, 0)
    (line,) = (await world.call("alice", "GET", "/collateral")).json()["lines"]
    assert (line["quantity"], line["leaving"]) == ("300", "200")
    (waiting,) = (await world.call("operator", "GET", "/admin/withdrawals")).json()["withdrawals"]
    assert waiting["account_id"] == "alice"
    early = await decide(world, one["request_id"], "pay")
    assert (early.status_code, early.json()["code"]) == (409, "approvals_missing")
    approved = (await decide(world, one["request_id"], "approve")).json()["withdrawal"]
    assert approved["approvals"] == 1
    for _ in range(2):  # paying again changes nothing
        paid = (await decide(world, one["request_id"], "pay")).json()["withdrawal"]
        assert paid["status"] == "paid"
    back = await decide(world, one["request_id"], "return")
    assert (back.status_code, back.json()["code"]) == (409, "idempotency_conflict")
    (line,) = (await world.call("alice", "GET", "/collateral")).json()["lines"]
    assert (line["quantity"], line["leaving"]) == ("300", "0")
    (own,) = (await world.call("alice", "GET", "/withdrawals")).json()["withdrawals"]
    assert own["status"] == "paid"


async def test_no_name_of_a_member_is_in_the_way_of_a_deposit_or_a_decision(world: World):
    await deposit(world, "UST", "500", transfer_id="one")
    await listed(world)
    one = (await withdraw(world, "1", withdrawal_id="one")).json()["withdrawal"]
    number = int(one["request_id"]) + 1
    two = (await withdraw(world, "1", withdrawal_id=f"decision-{number}")).json()["withdrawal"]
    assert int(two["request_id"]) == number
    for request_id in (one["request_id"], two["request_id"]):
        back = (await decide(world, request_id, "return")).json()["withdrawal"]
        assert back["status"] == "returned"


async def test_a_returned_withdrawal_counts_again(world: World):
    await deposit(world, "UST", "500")
    await listed(world)
    one = (await withdraw(world, "200")).json()["withdrawal"]
    back = (await decide(world, one["request_id"], "return")).json()["withdrawal"]
    assert back["status"] == "returned"
    assert (await world.call("alice", "GET", "/collateral")).json()["counted"] == "495.00"


async def test_a_large_withdrawal_needs_two_admins(world: World):
    await deposit(world, "UST", "300000")
    await listed(world)
    one = (await withdraw(world, "200000")).json()["withdrawal"]
    assert one["approvals_needed"] == 2
    for _ in range(2):  # the same admin twice is one
        await decide(world, one["request_id"], "approve")
    refused = await decide(world, one["request_id"], "pay")
    assert refused.json()["code"] == "approvals_missing"
    await world.services.custody.approve(int(one["request_id"]), "second-admin")
    assert (await decide(world, one["request_id"], "pay")).json()["withdrawal"]["status"] == "paid"


async def test_a_new_address_waits_a_day_and_an_unknown_one_for_ever(world: World):
    await deposit(world, "UST", "500")
    refused = await withdraw(world, "1")
    assert (refused.status_code, refused.json()["code"]) == (422, "address_unknown")
    body = {"asset": "UST", "address": ADDRESS, "label": "vault"}
    done = await world.call("alice", "POST", "/withdrawal-addresses", body)
    (added,) = done.json()["addresses"]
    assert added["usable_ts"] > world.now_ns() // 1_000_000 + 23 * 3_600_000
    held = await withdraw(world, "1")
    assert (held.status_code, held.json()["code"]) == (409, "address_on_hold")
    gone = {"asset": "UST", "address": ADDRESS}
    assert (await world.call("alice", "DELETE", "/withdrawal-addresses", gone)).json() \
        ["addresses"] == []  # fmt: skip
    again = await world.call("alice", "DELETE", "/withdrawal-addresses", gone)
    assert again.json()["code"] == "address_unknown"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"amount": "501"}, 422, "asset_insufficient"),
        ({"amount": "0"}, 422, "amount_not_positive"),
        ({"amount": "-1"}, 400, "field_invalid"),
        ({"amount": "0.0000001"}, 400, "field_invalid"),
        ({"amount": "99999999999"}, 422, "amount_too_large"),
        ({"amount": 5}, 422, "field_type"),
        ({"asset": "DOGE"}, 404, "asset_unknown"),
        ({"address": "not an address"}, 400, "field_invalid"),
        ({"withdrawal_id": ""}, 400, "field_invalid"),
    ],
)
async def test_bad_withdrawals_are_refused_by_name(world: World, fields, status, code):
    await deposit(world, "UST", "500")
    await listed(world)
    refused = await withdraw(world, **({"amount": "1"} | fields))
    assert (refused.json()["code"], refused.status_code // 100) == (code, 4)


async def test_collateral_that_margin_needs_is_not_released(world: World):
    await deposit(world, "UST", "500")
    await listed(world)
    taken = await world.call("operator", "POST", "/admin/accounts/alice/withdrawals",
                             {"amount": "1000000000"})  # fmt: skip
    assert taken.status_code == 201, taken.text
    # a resting buy above the mark loses ten ticks a lot at once: 409.2 USD
    order = {"symbol": "H100-USE-2027M03", "side": "buy", "price": "2.010", "quantity": "55"}
    assert (await world.call("alice", "POST", "/orders", order)).status_code == 201
    refused = await withdraw(world, "200")
    assert (refused.status_code, refused.json()["code"]) == (422, "collateral_needed")
    assert (await withdraw(world, "80")).status_code == 201
    cash = await world.call("operator", "POST", "/admin/accounts/alice/withdrawals",
                            {"amount": "0.01"})  # fmt: skip
    assert cash.json()["code"] == "withdrawal_exceeds_free"


async def test_cash_goes_between_accounts_of_one_member_only(world: World):
    created = await world.call("operator", "POST", "/admin/accounts",
                               {"account_id": "alice-2", "name": "Alice"})  # fmt: skip
    assert created.status_code == 201
    body = {"to": "alice-2", "amount": "250.5", "transfer_id": "t1"}
    for _ in range(2):
        done = await world.call("alice", "POST", "/transfers", body)
        assert done.status_code == 201, done.text
    assert done.json()["transfer"]["amount"] == "-250.50"
    found = await world.call("operator", "GET", "/admin/accounts/alice-2")
    assert found.json()["account"]["cash"] == "250.50"
    for fields, code in (
        ({"to": "bob"}, "account_unknown"),
        ({"to": "nobody"}, "account_unknown"),
        ({"to": "alice"}, "receiver_is_self"),
        ({"amount": "0", "transfer_id": "t2"}, "amount_not_positive"),
        ({"amount": "2000000000", "transfer_id": "t2"}, "withdrawal_exceeds_free"),
        ({"amount": "251", "transfer_id": "t1"}, "idempotency_conflict"),
    ):
        refused = await world.call("alice", "POST", "/transfers", body | fields)
        assert refused.json()["code"] == code, fields


async def test_prices_and_decisions_are_for_admins_with_good_words(world: World):
    for path, body, code in (
        ("/admin/assets/UST/price", {"price": "0"}, "asset_price_invalid"),
        ("/admin/assets/UST/price", {"price": "1", "source": "rumour"}, "field_invalid"),
        ("/admin/assets/GOLD/price", {"price": "1"}, "asset_unknown"),
        ("/admin/withdrawals/7", {"action": "approve"}, "not_found"),
        ("/admin/withdrawals/x", {"action": "pay"}, "not_found"),
        ("/admin/withdrawals/7", {"action": "burn"}, "field_invalid"),
    ):
        refused = await world.call("operator", "POST", path, body)
        assert refused.json()["code"] == code, path
    refused = await world.call("alice", "POST", "/admin/assets/UST/price", {"price": "1"})
    assert refused.json()["code"] == "scope_missing"


async def test_only_a_reserved_withdrawal_is_decided(world: World):
    await deposit(world, "UST", "500")
    one = next(one for one in world.services.custody.rows if one.move == AssetMove.DEPOSIT)
    refused = await decide(world, str(one.request_id), "pay")
    assert refused.json()["code"] == "not_found"
