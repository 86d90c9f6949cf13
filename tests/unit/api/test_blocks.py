"""Blocks and requests for quotes over REST and the websocket's channels."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from exchange.services.market_data.service import BLOCK_DELAY_NS, MarketData
from tests.support.api_world import SYMBOL, World, running

MINUTE_MS = 60_000


@pytest.fixture
async def world():
    async with running() as one:
        rule = {"min_quantity": "50", "range_bps": 200}
        path = f"/admin/contracts/{SYMBOL}/blocks"
        response = await one.call("operator", "PUT", path, rule)
        assert response.json()["instrument"]["block_min_quantity"] == "50"
        yield one


def body_of(world: World, **fields: Any) -> dict[str, Any]:
    usual = {"symbol": SYMBOL, "side": "buy", "price": "2.010", "quantity": "50"}
    usual["expires_at"] = world.now_ns() // 1_000_000 + MINUTE_MS  # type: ignore[assignment]
    return usual | fields


async def propose(world: World, who: str = "alice", **fields: Any) -> Any:
    if "rfq_id" not in fields:
        fields = {"counterparty": "bob"} | fields
    return await world.call(who, "POST", "/blocks", body_of(world, **fields))


async def test_a_block_is_proposed_seen_by_both_and_accepted(world: World):
    response = await propose(world, client_id="one")
    assert response.status_code == 201
    block = response.json()["block"]
    assert (block["role"], block["side"], block["counterparty"]) == ("initiator", "buy", "bob")
    (seen,) = (await world.call("bob", "GET", "/blocks")).json()["blocks"]
    assert (seen["role"], seen["side"], seen["counterparty"]) == ("counterparty", "sell", "alice")
    assert seen["client_id"] is None and seen["status"] == "open"
    path = f"/blocks/{block['block_id']}/accept"
    done = (await world.call("bob", "POST", path)).json()["block"]
    assert (done["status"], done["trade_id"]) == ("traded", f"{done['seq']}-0")
    (position,) = (await world.call("alice", "GET", "/positions")).json()["positions"]
    assert position["quantity"] == "50"
    assert (await world.call("alice", "GET", "/blocks")).json()["blocks"] == []
    closed = (await world.call("alice", "GET", "/blocks?status=closed")).json()["blocks"]
    assert [one["block_id"] for one in closed] == [block["block_id"]]
    again = await world.call("bob", "POST", path)
    assert (again.status_code, again.json()["code"]) == (404, "deal_unknown")


async def test_the_same_client_id_returns_the_first_block(world: World):
    expires_at = world.now_ns() // 1_000_000 + MINUTE_MS
    first = (await propose(world, client_id="a", expires_at=expires_at)).json()
    again = await propose(world, client_id="a", expires_at=expires_at)
    assert again.status_code == 200 and again.json()["duplicate"] is True
    assert again.json()["block"]["block_id"] == first["block"]["block_id"]
    other = await propose(world, client_id="a", expires_at=expires_at, quantity="60")
    assert (other.status_code, other.json()["code"]) == (409, "client_order_id_conflict")


@pytest.mark.parametrize(
    ("fields", "status", "code", "field"),
    [
        ({"quantity": "49"}, 422, "block_too_small", "quantity"),
        ({"price": "2.041"}, 422, "block_price_out_of_range", "price"),
        ({"counterparty": "nobody"}, 404, "counterparty_unknown", "counterparty"),
        ({"counterparty": "alice"}, 422, "counterparty_is_self", "counterparty"),
        ({"rfq_id": "7"}, 404, "request_unknown", "rfq_id"),
        ({"rfq_id": "7", "counterparty": "bob"}, 422, "field_invalid", "counterparty"),
        ({"expires_at": 1}, 422, "expiry_invalid", "expires_at"),
        ({"kind": "swap"}, 422, "field_invalid", "kind"),
        ({"symbol": "H100-USE-1999"}, 404, "contract_unknown", "symbol"),
    ],
)
async def test_a_refused_proposal_says_what_is_wrong(world: World, fields, status, code, field):
    response = await propose(world, **fields)
    problem = response.json()
    assert (response.status_code, problem["code"], problem["field"]) == (status, code, field)


async def test_refusals_of_blocks_and_requests_are_in_their_own_words(world: World):
    late = world.now_ns() // 1_000_000 + 25 * 60 * MINUTE_MS
    ends = world.now_ns() // 1_000_000 + MINUTE_MS
    await propose(world, client_id="a", expires_at=ends)
    rfq = {"symbol": SYMBOL, "quantity": "9999999999", "expires_at": ends}
    said = [
        (await propose(world, expires_at=1)).json(),
        (await propose(world, expires_at=late)).json(),
        (await propose(world, quantity="2097153")).json(),
        (await propose(world, quantity="9999999999")).json(),
        (await world.call("alice", "POST", "/rfqs", rfq)).json(),
        (await propose(world, client_id="a", expires_at=ends, quantity="60")).json(),
    ]
    future = "a moment in the future, at most 24 hours ahead, in ms"
    most = "at most 2097152 lots in one block or request for quotes"
    same = "another open block or request of the account has this client_id and another body"
    assert [(one["field"], one["detail"]) for one in said] == [
        ("expires_at", future), ("expires_at", future), ("quantity", most), ("quantity", most),
        ("quantity", most), ("client_id", same),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["house", "fund", "operator"])
async def test_accounts_of_the_exchange_cannot_be_asked_for_a_block(world: World, kind: str):
    rows = world.services.accounts.rows  # type: ignore[attr-defined]
    rows[:] = [replace(one, kind=kind) if one.account_id == "bob" else one for one in rows]
    problem = (await propose(world)).json()
    assert (problem["code"], problem["field"]) == ("counterparty_unknown", "counterparty")


async def test_what_is_not_known_is_refused_where_nothing_is_due(world: World):
    asked = await world.call("", "GET", "/rfqs?foo=1")
    assert (asked.status_code, asked.json()["code"]) == (422, "field_unknown")
    path = f"/blocks/{(await propose(world)).json()['block']['block_id']}/accept"
    for body, status, code in (
        ({"foo": 1}, 422, "field_unknown"), ([1], 422, "field_type"), ({}, 200, None),
    ):  # fmt: skip
        answer = await world.call("bob", "POST", path, body)
        assert (answer.status_code, answer.json().get("code")) == (status, code)


async def test_who_was_asked_declines_and_who_asked_withdraws(world: World):
    for who, status in (("bob", "declined"), ("alice", "withdrawn")):
        block_id = (await propose(world)).json()["block"]["block_id"]
        ended = (await world.call(who, "DELETE", f"/blocks/{block_id}")).json()["block"]
        assert ended["status"] == status
    other = (await propose(world)).json()["block"]["block_id"]
    response = await world.call("operator", "DELETE", f"/blocks/{other}")
    assert (response.status_code, response.json()["code"]) == (404, "deal_unknown")


async def test_a_request_for_quotes_is_answered_without_names(world: World):
    asked = await world.call(
        "bob", "POST", "/rfqs",
        {"symbol": SYMBOL, "quantity": "80", "side": "sell",
         "expires_at": world.now_ns() // 1_000_000 + MINUTE_MS},
    )  # fmt: skip
    assert asked.status_code == 201
    (rfq,) = (await world.call("", "GET", "/rfqs")).json()["rfqs"]
    assert (rfq["side"], rfq["quantity"], rfq["status"]) == ("sell", "80", "open")
    assert "bob" not in str(rfq)
    block = (await propose(world, rfq_id=rfq["rfq_id"])).json()["block"]
    assert block["counterparty"] is None and block["rfq_id"] == rfq["rfq_id"]
    (seen,) = (await world.call("bob", "GET", "/blocks")).json()["blocks"]
    assert seen["counterparty"] is None
    done = await world.call("bob", "POST", f"/blocks/{block['block_id']}/accept")
    assert done.json()["block"]["status"] == "traded"
    gone = await world.call("bob", "DELETE", f"/rfqs/{rfq['rfq_id']}")
    assert gone.json()["rfq"]["status"] == "withdrawn"
    assert (await world.call("", "GET", "/rfqs")).json()["rfqs"] == []


class Ear:
    """Takes what a channel says."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def deliver(self, channel: str, payload: bytes) -> None:
        self.heard.append(orjson.loads(payload))

    def deliver_private(self, payload: bytes) -> None:
        self.heard.append(orjson.loads(payload))


async def test_both_sides_hear_of_their_blocks_and_the_public_of_requests(world: World):
    bob, everybody = Ear(), Ear()
    snapshot = orjson.loads(world.hub.private.subscribe("blocks", 1, bob))
    assert snapshot["data"] == []
    assert world.hub.subscribe("rfq", everybody) is not None  # type: ignore[arg-type]
    block_id = (await propose(world)).json()["block"]["block_id"]
    await world.call("bob", "POST", f"/blocks/{block_id}/accept")
    assert [one["status"] for m in bob.heard for one in m["data"]] == ["open", "traded"]
    assert everybody.heard == []
    fields = {"symbol": SYMBOL, "quantity": "1"}
    fields["expires_at"] = world.now_ns() // 1_000_000 + MINUTE_MS
    await world.call("alice", "POST", "/rfqs", fields)
    (told,) = everybody.heard
    assert [one["side"] for one in told["data"]] == ["either"]


async def test_a_block_stands_on_the_tape_after_its_delay_and_in_the_fills_at_once(world: World):
    await world.place("bob", "sell", "2.000", "2")
    await world.place("alice", "buy", "2.000", "2")
    block_id = (await propose(world)).json()["block"]["block_id"]
    await world.call("bob", "POST", f"/blocks/{block_id}/accept")
    fills = (await world.call("alice", "GET", "/fills")).json()["fills"]
    assert {fill["block"] for fill in fills} == {None, "block"}
    trades = (await world.call("", "GET", f"/trades/{SYMBOL}")).json()["trades"]
    assert [trade["block"] for trade in trades] == [None]
    world.feed._block_delay_ns = 0
    trades = (await world.call("", "GET", f"/trades/{SYMBOL}")).json()["trades"]
    assert [trade["block"] for trade in trades] == ["block", None]
    ticker = (await world.call("", "GET", "/tickers")).json()["tickers"]
    assert ticker and "2.010" not in str(ticker)


async def test_the_trades_channel_publishes_a_block_when_its_time_has_come(world: World):
    now = [world.now_ns()]
    feed, ear = MarketData(world.mirror, now_ns=lambda: now[0]), Ear()
    world.gateway.listen(feed.apply)
    assert feed.subscribe(f"trades.{SYMBOL}", ear) is not None
    block_id = (await propose(world)).json()["block"]["block_id"]
    await world.call("bob", "POST", f"/blocks/{block_id}/accept")
    feed.turn()
    assert ear.heard == []
    now[0] += BLOCK_DELAY_NS + MINUTE_MS * 1_000_000
    feed.turn()
    (message,) = ear.heard
    assert [(one["block"], one["quantity"]) for one in message["data"]] == [("block", "50")]


async def test_the_websocket_proposes_accepts_declines_and_asks(world: World):
    async with (
        world.serving() as url,
        world.socket(url, "alice") as alice,
        world.socket(url, "bob") as bob,
    ):
        body = body_of(world, counterparty="bob", client_id="w")
        reply = await alice.ask("block.propose", **body)
        block = reply["result"]["block"]
        assert (block["status"], block["counterparty"]) == ("open", "bob") and reply["seq"] > 0
        again = await alice.ask("block.propose", **body)
        assert again["result"]["duplicate"] is True and "limit" in again
        refused = await alice.ask("block.accept", block_id=block["block_id"])
        assert refused["error"]["code"] == "deal_unknown"
        done = await bob.ask("block.accept", block_id=block["block_id"])
        assert done["result"]["block"]["status"] == "traded"
        second = await alice.ask("block.propose", **body_of(world, counterparty="bob"))
        block_id = second["result"]["block"]["block_id"]
        ended = await bob.ask("block.decline", block_id=block_id)
        assert ended["result"]["block"]["status"] == "declined"
        asked = await bob.ask(
            "rfq.new", symbol=SYMBOL, quantity="60", expires_at=body["expires_at"], side="buy"
        )
        rfq_id = asked["result"]["rfq"]["rfq_id"]
        answer = body_of(world, rfq_id=rfq_id, side="sell")
        assert (await alice.ask("block.propose", **answer))["ok"]
        assert (await bob.ask("rfq.cancel", rfq_id=rfq_id))["result"]["rfq"]["status"] != "open"
        for wrong in (
            {"counterparty": "bo\x00b"}, {"counterparty": "é" * 40}, {"counterparty": "nobody"},
            {"counterparty": "bob", "rfq_id": "1"}, {}, {"rfq_id": "-1"}, {"rfq_id": "9" * 60},
            {"counterparty": "bob", "quantity": "9" * 90}, {"counterparty": "bob", "price": "-1"},
            {"counterparty": "bob", "kind": "swap"}, {"counterparty": "bob", "expires_at": 0},
            {"counterparty": "bob", "side": "either"},
        ):  # fmt: skip
            hostile = await alice.ask("block.propose", **(body_of(world) | wrong))
            assert not hostile["ok"] and hostile["error"]["status"] < 500, (wrong, hostile)
        for op in ("block.accept", "block.decline"):
            for block_id in ("", "0", "-5", "1e3", "9" * 80, "٣", block["block_id"]):
                hostile = await alice.ask(op, block_id=block_id)
                assert not hostile["ok"] and hostile["error"]["status"] < 500, (op, block_id)
    async with world.serving() as url, world.socket(url) as nobody:
        for op, fields in (("block.accept", {"block_id": "1"}), ("rfq.cancel", {"rfq_id": "1"})):
            assert (await nobody.ask(op, **fields))["error"]["code"] == "auth_missing"
