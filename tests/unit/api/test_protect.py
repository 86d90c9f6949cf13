"""Quotes, timers, limits and the kill switch over REST and the websocket."""

import asyncio
from typing import Any

import pytest

from api.ws import hub
from matching.codes import Kind, Timer
from tests.support.api_world import OTHER, SYMBOL, World, running
from tests.support.rows import command
from tests.support.waiting import PATIENCE_S, until

BUY = {"symbol": SYMBOL, "side": "buy", "price": "1.900", "quantity": "1"}
QUOTE = {
    "symbol": SYMBOL, "bid_price": "1.990", "bid_quantity": "5",
    "ask_price": "2.010", "ask_quantity": "6",
}  # fmt: skip


@pytest.fixture
async def world():
    async with running() as one:
        yield one


@pytest.fixture
async def url(world: World):
    async with world.serving() as address:
        yield address


async def asked(world: World, who: str, method: str, path: str, body: Any = None) -> Any:
    response = await world.call(who, method, path, body)
    return response.json()


async def cancelled_by_time(world: World) -> None:
    """Let the clock tick, as the calendar does, until no order is left."""
    async with asyncio.timeout(PATIENCE_S):
        while world.mirror.orders:
            await asyncio.sleep(0.02)
            await world.command(command(Kind.TICK))


async def test_a_message_of_quotes_replaces_each_and_answers_for_each(world: World, url: str):
    async with world.socket(url, "alice") as alice:
        two = [QUOTE, {**QUOTE, "symbol": OTHER}, {**QUOTE, "symbol": "NO-SUCH-2027"}]
        reply = await alice.ask("quote.mass", quotes=two, group=1)
        first, second, third = reply["result"]["results"]
        assert (first["ok"], first["bid"]["status"], first["ask"]["open_quantity"]) == (
            True, "open", "6",
        )  # fmt: skip
        assert second["seq"] == first["seq"] + 1
        assert third["error"]["code"] == "contract_unknown"
        again = {**QUOTE, "bid_quantity": "4", "ask_price": "2.005"}
        reply = await alice.ask("quote.mass", quotes=[again], group=1)
        (result,) = reply["result"]["results"]
        assert result["bid"] == {"status": "kept", "order_id": first["bid"]["order_id"]}
        assert result["ask"]["status"] == "open"
        assert world.mirror.depth(0, 0, 5) == [(1990, 4, 1)]
        assert world.mirror.depth(0, 1, 5) == [(2005, 6, 1)]
        gone = await alice.ask("quote.mass", quotes=[{"symbol": SYMBOL}], group=1)
        assert gone["result"]["results"][0]["bid"] is None
        assert world.mirror.depth(0, 0, 5) == []


async def test_a_side_that_would_trade_is_refused_alone_unless_it_may(world: World):
    await world.place("bob", "sell", "2.000", "3")
    body = {"quotes": [{**QUOTE, "bid_price": "2.000"}]}
    (result,) = (await asked(world, "alice", "POST", "/quotes", body))["results"]
    assert (result["bid"]["code"], result["ask"]["status"]) == ("post_only_would_trade", "open")
    body = {"quotes": [{**QUOTE, "bid_price": "2.000"}], "post_only": False}
    (result,) = (await asked(world, "alice", "POST", "/quotes", body))["results"]
    assert (result["bid"]["filled_quantity"], result["bid"]["open_quantity"]) == ("3", "2")
    crossed = {"quotes": [{**QUOTE, "bid_price": "2.010"}]}
    (result,) = (await asked(world, "alice", "POST", "/quotes", crossed))["results"]
    assert result["error"]["code"] == "quote_crossed"


async def test_a_protection_that_is_hit_ends_the_group_until_it_is_reset(world: World):
    group = {"window_ms": 60_000, "quantity": "3"}
    answer = await asked(world, "alice", "PUT", "/quotes/groups/2", group)
    assert (answer["group"]["quantity"], answer["group"]["frozen"]) == ("3", False)
    body = {"quotes": [QUOTE, {**QUOTE, "symbol": OTHER}], "group": 2}
    await asked(world, "alice", "POST", "/quotes", body)
    await world.place("bob", "sell", "1.990", "3")
    assert not world.mirror.orders
    (result, _) = (await asked(world, "alice", "POST", "/quotes", body))["results"]
    assert result["error"]["code"] == "mmp_frozen"
    shown = await asked(world, "alice", "GET", "/protections")
    assert [one["frozen"] for one in shown["groups"]] == [False, False, True, False]
    await asked(world, "alice", "POST", "/quotes/groups/2/reset")
    (result, _) = (await asked(world, "alice", "POST", "/quotes", body))["results"]
    assert result["ok"]
    for text in ("4", "-1", "x"):
        answer = await asked(world, "alice", "POST", f"/quotes/groups/{text}/reset")
        assert answer["code"] == "field_invalid"
    empty = await asked(world, "alice", "PUT", "/quotes/groups/2", {"window_ms": 9})
    assert empty["code"] == "mmp_invalid"


async def test_a_timer_is_armed_put_off_and_disarmed(world: World):
    armed = await asked(world, "alice", "POST", "/orders/cancel_all_after", {"timeout_ms": 60_000})
    assert armed["due_ts"] == armed["ts"] + 60_000
    gone = await asked(world, "alice", "POST", "/orders/cancel_all_after", {"timeout_ms": 0})
    assert gone["due_ts"] is None
    long = {"timeout_ms": 86_400_001}
    refused = await asked(world, "alice", "POST", "/orders/cancel_all_after", long)
    assert refused["code"] == "field_invalid"


async def test_a_timer_that_is_not_put_off_cancels_everything(world: World):
    await world.place("alice", "buy", "1.900", "1")
    await asked(world, "alice", "POST", "/orders/cancel_all_after", {"timeout_ms": 50})
    await cancelled_by_time(world)
    assert world.mirror.accounts[0].protections.timers_ns == [0, 0]


async def test_a_connection_that_cancels_when_it_ends_has_a_timer_should_its_gateway_die(
    world: World, url: str, monkeypatch: pytest.MonkeyPatch
):
    timers = world.mirror.accounts[0].protections
    async with world.socket(url, "alice", cancel_on_disconnect=True) as alice:
        await alice.ask("order.new", **BUY)
        assert timers.timers_ns[Timer.GATEWAY] > world.mirror.ts_ns
        # The gateway dies: nobody puts its timer off any more, and nobody cancels.
        monkeypatch.setattr(world.hub, "cancel_all", lambda account_idx: None)
        monkeypatch.setattr(world.hub, "guarded", set)
        monkeypatch.setattr(hub, "GUARD_MS", 50)
        world.hub.guard(0)
    await cancelled_by_time(world)


async def test_a_connection_that_ends_in_order_lets_its_timer_go(world: World, url: str):
    async with world.socket(url, "alice", cancel_on_disconnect=True) as alice:
        await alice.ask("order.new", **BUY)
    timers = world.mirror.accounts[0].protections
    await until(lambda: timers.timers_ns == [0, 0] and not world.mirror.orders)


async def test_limits_of_an_account_are_refused_with_their_numbers(world: World):
    path = "/admin/accounts/alice/limits"
    body = {"order_quantity": "4", "order_notional": "5000", "position": "5", "open_orders": 1}
    answer = await asked(world, "operator", "PUT", path, body)
    assert answer["limits"]["order_notional"] == "5000.00"
    refused = await world.place("alice", "buy", "1.900", "5")
    assert (refused["code"], refused["status"]) == ("order_size_limit", 422)
    assert "4 lots" in refused["detail"]
    refused = await world.place("alice", "buy", "1.900", "4")  # 4 x 744 h x 1.9
    assert refused["code"] == "notional_limit" and "5000.00" in refused["detail"]
    await world.place("alice", "buy", "1.500", "4")
    refused = await world.place("alice", "buy", "1.500", "1")
    assert (refused["code"], "1 open orders" in refused["detail"]) == ("open_orders_limit", True)
    assert (await asked(world, "operator", "PUT", path, {}))["limits"]["position"] is None
    assert "order" in await world.place("alice", "buy", "1.900", "5")
    assert (await asked(world, "alice", "PUT", path, {}))["code"] == "scope_missing"


async def test_a_killed_account_is_frozen_and_empty(world: World):
    for price in ("1.900", "1.901"):
        await world.place("alice", "buy", price, "1")
    killed = await asked(world, "operator", "POST", "/admin/kill", {"account_id": "alice"})
    assert killed["killed"]["accounts"] == [{"account_id": "alice", "cancelled_count": 2}]
    assert not world.mirror.orders
    assert (await world.place("alice", "buy", "1.900", "1"))["code"] == "account_frozen"
    await asked(world, "operator", "PATCH", "/admin/accounts/alice", {"state": "active"})
    assert "order" in await world.place("alice", "buy", "1.900", "1")


async def test_a_member_is_every_account_of_one_name(world: World):
    body = {"name": "Alice", "account_id": "alice-2"}
    await asked(world, "operator", "POST", "/admin/accounts", body)
    await world.place("bob", "buy", "1.900", "1")
    killed = await asked(world, "operator", "POST", "/admin/kill", {"member": "Alice"})
    names = [one["account_id"] for one in killed["killed"]["accounts"]]
    assert names == ["alice", "alice-2"]
    assert [one.account_idx for one in world.mirror.orders.values()] == [1]
    unknown = await asked(world, "operator", "POST", "/admin/kill", {"member": "Nobody"})
    assert unknown["code"] == "account_unknown"


async def test_a_killed_key_is_gone_with_its_connections_and_orders(world: World, url: str):
    async with world.socket(url, "alice") as alice:
        await alice.ask("order.new", **BUY)
        key = world.secrets["alice"].key.key_id
        killed = await asked(world, "operator", "POST", "/admin/kill", {"key": key})
        assert (killed["killed"]["key"]["revoked"], killed["killed"]["cancelled_count"]) == (
            True,
            1,
        )
        assert not world.mirror.orders
        assert (await world.place("alice", "buy", "1.900", "1"))["code"] == "auth_failed"
        await alice.raw.wait_closed()
    assert (await asked(world, "operator", "POST", "/admin/kill", {"key": "x"}))["status"] == 404


async def test_a_killed_exchange_is_halted_and_empty_until_it_goes_on(world: World):
    for who in ("alice", "bob"):
        await world.place(who, "buy", "1.900", "1")
    killed = await asked(world, "operator", "POST", "/admin/kill", {"exchange": True})
    assert killed["killed"] == {"halted": True, "cancelled_count": 2, "commands": 1}
    refused = await world.place("alice", "buy", "1.900", "1")
    assert (refused["code"], refused["status"]) == ("exchange_halted", 409)
    assert (await asked(world, "alice", "GET", "/status"))["trading_halted"]
    assert (await world.call("alice", "DELETE", "/orders")).status_code == 200
    await asked(world, "operator", "POST", "/admin/resume")
    assert "order" in await world.place("alice", "buy", "1.900", "1")
    for body in ({}, {"exchange": False}, {"exchange": True, "member": "Alice"}):
        wrong = await asked(world, "operator", "POST", "/admin/kill", body)
        assert wrong["code"] == "field_invalid"
    kinds = [int(k) for batch in world.journal.batches for k in batch.commands["kind"]]
    assert kinds.count(Kind.SWEEP) == 1
