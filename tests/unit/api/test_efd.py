"""The exchange for delivery over REST: sealed entries, what is refused, results for anybody."""

import json

from exchange.io.efd import Outcome
from exchange.rules.delivery.exchange import (
    Called,
    Entry,
    Pair,
    Session,
    body_of,
    result_fields,
)
from exchange.rules.delivery.uncross import NOTHING, Uncrossed
from matching.codes import Side
from tests.support.api_world import SYMBOL, running

BUY = {"side": "buy", "quantity": "16", "differential": "-0.050"}
NAME = f"{SYMBOL}_20270225T1630"
PATH = f"/efd/sessions/{NAME}"


async def opened(world):
    """Add a session that takes entries now."""
    now_ns = world.now_ns()
    session = Session(
        session_id=NAME, symbol=SYMBOL, contract_idx=0, opens_ns=now_ns - 1,
        call_ns=now_ns + 10**15, said_by="calendar",
    )  # fmt: skip
    return await world.services.delivering.exchanges.add(session)


async def test_an_entry_is_its_accounts_own_and_the_newest_of_an_id_stands():
    async with running() as world:
        await opened(world)
        made = await world.call("alice", "POST", f"{PATH}/entries", BUY)
        assert made.status_code == 201, made.text
        one = made.json()["entry"]
        assert (one["differential"], one["quantity"], one["entry_id"]) == ("-0.050", "16", "main")
        gone = await world.call("alice", "POST", f"{PATH}/entries", {**BUY, "quantity": "0"})
        assert gone.json()["entry"]["stands"] is False
        own = (await world.call("alice", "GET", "/efd/entries")).json()["entries"]
        assert [row["stands"] for row in own] == [False, False]
        assert (await world.call("bob", "GET", "/efd/entries")).json()["entries"] == []
        (row,) = (await world.call(None, "GET", "/efd/sessions")).json()["sessions"]
        assert (row["status"], row["differential"]) == ("open", None)
        assert set(row) == {
            "session_id", "symbol", "status", "opens_ts", "call_ts", "said_by", "differential",
            "settlement_price", "quantity",
        }  # fmt: skip


async def test_what_is_no_entry_is_refused_with_its_field():
    wrong = (
        ({"quantity": "12"}, 422, "field_invalid", "quantity"),
        ({"quantity": "8008"}, 422, "field_invalid", "quantity"),
        ({"quantity": "-8"}, 422, "field_invalid", "quantity"),
        ({"differential": "1.001"}, 422, "field_invalid", "differential"),
        ({"differential": "x"}, 422, "field_invalid", "differential"),
        ({"side": "long"}, 422, "field_invalid", "side"),
        ({"entry_id": "a b"}, 422, "field_invalid", "entry_id"),
        ({"more": 1}, 422, "field_unknown", "more"),
    )
    async with running() as world:
        session = await opened(world)
        for change, status, code, field in wrong:
            answer = await world.call("alice", "POST", f"{PATH}/entries", {**BUY, **change})
            found = answer.json()
            assert (answer.status_code, found["code"]) == (status, code), (change, answer.text)
            assert found.get("field") == field, (change, answer.text)
        for name in ("x", "H100_1", f"{SYMBOL}_20270225T1631"):
            answer = await world.call("alice", "POST", f"/efd/sessions/{name}/entries", BUY)
            assert (answer.status_code, answer.json()["code"]) == (404, "efd_session_unknown")
        late = await world.call(None, "GET", f"{PATH}/result")
        assert (late.status_code, late.json()["code"]) == (409, "efd_not_called")
        world.now_ns = lambda: session.call_ns
        shut = await world.call("alice", "POST", f"{PATH}/entries", BUY)
        assert (shut.status_code, shut.json()["code"]) == (409, "efd_not_open"), shut.text


async def test_a_result_is_published_as_it_is_hashed():
    async with running() as world:
        session = await opened(world)
        fields = result_fields(
            session, [], {}, Called(NOTHING, []), settle_ticks=2_000, hours=744, seq=1
        )
        world.services.delivering.exchanges.body = body_of(fields)
        said = (await world.call(None, "GET", f"{PATH}/result")).json()
        assert json.loads(said["body"]) == fields
        assert said["session"]["status"] == "called"
        assert said["session"]["settlement_price"] == "2.000"
        assert [leg["outcome"] for leg in said["legs"]] == ["refused", None]


async def test_another_session_is_of_a_month_before_its_trading_ends():
    hour = 3_600_000
    async with running() as world:
        now, symbol = world.now_ns() // 10**6, await world.list_month_ahead()
        good = {"symbol": symbol, "opens_ts": now, "call_ts": now + hour}
        made = await world.call("operator", "POST", "/admin/efd/sessions", good)
        assert made.status_code == 201, made.text
        again = await world.call("operator", "POST", "/admin/efd/sessions", good)
        assert again.json()["session"]["session_id"] == made.json()["session"]["session_id"]
        for change, code in (
            ({"symbol": "NOPE"}, "contract_unknown"),
            ({"call_ts": now - hour}, "field_invalid"),
            ({"call_ts": now}, "field_invalid"),
            ({"call_ts": now + 10 * 365 * 24 * hour}, "field_invalid"),
            ({"opens_ts": now + 2 * hour}, "field_invalid"),
        ):
            answer = await world.call("operator", "POST", "/admin/efd/sessions", {**good, **change})
            assert answer.json()["code"] == code, (change, answer.text)
        denied = await world.call("alice", "POST", "/admin/efd/sessions", good)
        assert denied.status_code == 403


ENTRIES = [
    Entry(1, 0, "main", Side.SELL, 16, -50, 5),
    Entry(2, 1, "main", Side.BUY, 24, 30, 6),
    Entry(3, 1, "late", Side.BUY, 8, 10, 7),
    Entry(4, 1, "late", Side.BUY, 0, 10, 8),
]


def result_of(session):
    """Return what a call came to in which account 1 buys 16 of account 0."""
    outcome = Called(Uncrossed(0, 16, 8), [Pair(2, 1, 16)])
    fields = result_fields(
        session, ENTRIES, {1: 16, 2: 24}, outcome, settle_ticks=2_000, hours=744, seq=1
    )
    fields["legs"] = [
        {"place": 0, "buyer_idx": 1, "seller_idx": 0, "receipt_id": "cdr_a", "lots": 16,
         "amount_usd_micros": 23_808_000_000}
    ]  # fmt: skip
    return fields


async def test_sessions_are_told_to_all_and_what_a_call_came_to_to_who_entered():
    async with running() as world:
        session = await opened(world)
        rows, channel = world.services.delivering.exchanges, world.hub.efd
        own, seen = [], []
        channel._private.tell = lambda name, idx, data: own.append((name, idx, data[0]))
        channel.subscribers[type("Ear", (), {"deliver": lambda _, *said: seen.append(said)})()] = (
            None
        )
        await channel.turn()  # what there is at the start is in the snapshot
        told = json.loads(channel.snapshot())
        assert [row["status"] for row in told["data"]] == ["open"] and not own and not seen

        async def turned():
            channel.changed()
            await channel.turn()
            return [row["status"] for _, text in seen for row in json.loads(text)["data"]]

        assert await turned() == []
        world.now_ns = world.services.now_ns = lambda: session.call_ns
        assert await turned() == ["calling"]
        rows.body, rows.ends = body_of(result_of(session)), [Outcome(0, "cdr_a", None, None, None)]
        assert await turned() == ["calling", "called"]
        assert [(name, idx) for name, idx, _ in own] == [("efd_own", 0), ("efd_own", 1)]
        rows.ends = [Outcome(0, "cdr_a", "exchanged", None, 9)]
        for _ in range(3):
            assert await turned() == ["calling", "called"]
        (_, _, before), (_, _, after) = own[1], own[3]
        assert len(own) == 4
        (entry,) = after["entries"]  # what it took back is left out
        assert (entry["counted"], entry["filled"], entry["differential"]) == ("24", "16", "0.030")
        assert [one["legs"][0]["outcome"] for one in (before, after)] == [None, "exchanged"]
        assert (after["legs"][0]["side"], after["legs"][0]["paid"]) == ("buy", "23808.00")
        first, second = (json.loads(text) for _, text in seen)
        assert second["prev_seq"] == first["seq"] < second["seq"]
