"""The exchange for delivery over REST: sealed entries, what is refused, results for anybody."""

import json

from exchange.rules.delivery.exchange import Called, Session, body_of, result_fields
from exchange.rules.delivery.uncross import NOTHING
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
        now = world.now_ns() // 10**6
        good = {"symbol": SYMBOL, "opens_ts": now, "call_ts": now + hour}
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
