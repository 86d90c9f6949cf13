"""The default fund by REST: who pays in, what is given back, and what anybody sees."""

import asyncio
from dataclasses import replace

import pytest

from exchange.io.funds import SizingSeen
from exchange.io.registry import TransferStatus
from tests.support.api_world import World, running

SHARE = "/fund/share"


@pytest.fixture
async def world():
    async with running() as one:
        rows = one.services.accounts.rows
        rows[:] = [
            replace(row, kind="member") if row.account_id == "operator" else row for row in rows
        ]
        yield one


async def money(world: World, method: str, path: str, who: str = "operator", **body: str):
    return await world.call(who, method, path, body)


async def test_a_member_pays_in_once_and_gets_back_what_is_not_needed(world: World):
    for _ in range(2):
        paid = await money(world, "POST", "/fund/deposits", amount="5", transfer_id="a")
        assert paid.status_code == 201, paid.text
    share = (await world.call("operator", "GET", SHARE)).json()["share"]
    assert share == {"account_id": "operator", "held": "5.00", "required": "0.00",
                     "due": "0.00", "due_by": None}  # fmt: skip
    members = {"operator": {"held_usd_micros": 0, "required_usd_micros": 3_000_000}}
    body = {"covers": [], "alarms": [], "members": members, "worst": None, "scenarios": 2,
            "matrix": "ab"}  # fmt: skip
    world.defaults.sized = [SizingSeen(1, 1, 1, 3_000_000, 0, body)]
    back = {"account_id": "operator", "transfer_id": "b"}
    refused = await money(world, "POST", "/admin/risk/fund/returns", amount="2.01", **back)
    assert (refused.status_code, refused.json()["code"]) == (422, "fund_needed")
    for _ in range(2):  # the second one is answered as the first, though the fund needs all by now
        given = await money(world, "POST", "/admin/risk/fund/returns", amount="2", **back)
        assert given.status_code == 201, given.text
    whole = (await world.call("operator", "GET", "/admin/risk/fund")).json()
    assert whole["members"] == [{"account_id": "operator", "held": "3.00",
                                 "required": "3.00", "due": "0.00", "due_by": None}]  # fmt: skip
    assert (await world.call("operator", "GET", "/fund")).json()["fund"]["size"] == "3.00"


async def test_two_returns_at_once_do_not_take_the_same_room_twice(world: World):
    await money(world, "POST", "/fund/deposits", amount="5")
    members = {"operator": {"held_usd_micros": 0, "required_usd_micros": 3_000_000}}
    body = {"covers": [], "alarms": [], "members": members, "worst": None, "scenarios": 2,
            "matrix": "ab"}  # fmt: skip
    world.defaults.sized = [SizingSeen(1, 1, 1, 3_000_000, 0, body)]
    back = {"account_id": "operator", "amount": "2"}
    path = "/admin/risk/fund/returns"
    answers = await asyncio.gather(
        *(money(world, "POST", path, transfer_id=f"r{n}", **back) for n in range(3))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422]
    share = (await world.call("operator", "GET", SHARE)).json()["share"]
    assert share["held"] == "3.00"
    await money(world, "POST", "/fund/deposits", amount="2")
    rows = world.services.transfers.rows
    done = next(
        one for one in rows if one.status == TransferStatus.DONE and one.client_key[0] == "r"
    )
    rows.append(replace(done, client_key="going", status=TransferStatus.SENT))
    late = await money(world, "POST", path, transfer_id="late", **back)
    assert (late.status_code, late.json()["code"]) == (422, "fund_needed")


async def test_nothing_is_given_back_while_an_account_is_liquidated(world: World):
    await money(world, "POST", "/fund/deposits", amount="5")
    world.services.gateway.mirror.liquidations[0] = object()
    body = {"account_id": "operator", "amount": "1"}
    refused = await money(world, "POST", "/admin/risk/fund/returns", **body)
    assert (refused.status_code, refused.json()["code"]) == (409, "fund_in_use")


@pytest.mark.parametrize(
    ("who", "path", "body", "code"),
    [
        ("alice", "/fund/deposits", {"amount": "5"}, "member_only"),
        ("operator", "/fund/deposits", {"amount": "0"}, "amount_not_positive"),
        ("operator", "/fund/deposits", {"amount": "1e3"}, "field_invalid"),
        ("operator", "/fund/deposits", {"amount": "900000000000"}, "amount_too_large"),
        ("operator", "/fund/deposits", {"amount": "5", "to": "alice"}, "field_unknown"),
        ("operator", "/fund/deposits", {"amount": "5", "transfer_id": "ü"}, "field_invalid"),
        ("operator", "/admin/risk/fund/deposits", {"amount": "5"}, "field_missing"),
        ("operator", "/admin/risk/fund/returns", {"account_id": "nobody", "amount": "5"},
         "account_unknown"),
        ("alice", "/admin/risk/fund/returns", {"account_id": "alice", "amount": "5"},
         "scope_missing"),
    ],
)  # fmt: skip
async def test_bad_wishes_are_refused_by_name(world: World, who, path, body, code):
    refused = await world.call(who, "POST", path, body)
    assert refused.json()["code"] == code, refused.text


async def test_the_operator_sees_what_the_fund_would_have_to_be_now(world: World):
    now = (await world.call("operator", "GET", "/admin/risk/fund?now=true")).json()
    assert now["fund"]["seq"] > 0 and now["fund"]["held"] == "0.00"
    assert [one["account_id"] for one in now["members"]] == ["operator"]
    odd = await world.call("operator", "GET", "/admin/risk/fund?now=1")
    assert odd.status_code == 422


async def test_who_bore_what_is_asked_by_a_number(world: World):
    answer = await world.call("operator", "GET", "/liquidations/x/losses")
    assert answer.status_code == 422
    found = (await world.call("operator", "GET", "/liquidations/7/losses")).json()
    assert (found["proofs"], found["uses"]) == ([], [])
    assert (await world.call("operator", "GET", "/fund")).json()["fund"] is None
    assert (await world.call("operator", "GET", "/losses")).json()["losses"] == []
