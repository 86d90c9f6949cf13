"""The storm's trader: what it writes down of a batch, answered or not."""

import asyncio
from typing import Any

import pytest

from tests.torture.record import Answer, Fate, shares
from tests.torture.trader import BATCH_OPS, IN_FLIGHT_MAX, Market, Trader
from wellhead.signing import Credentials

DONE = {"ok": True, "seq": 7, "order": {"order_id": "1"}, "trades": [], "duplicate": False}
REFUSED = {"ok": False, "seq": 8, "error": {"code": "order_unknown"}}
AT_THE_DOOR = {"ok": False, "error": {"code": "rate_limited"}}


class FakeSession:
    """Keeps what is sent; the test answers."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.future: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()

    async def send(self, op: str, fields: dict[str, Any]) -> "asyncio.Future[Answer | None]":
        self.sent.append((op, fields))
        return self.future


@pytest.fixture
def trader() -> Trader:
    made = Trader("ann", Credentials("k", "s"), [Market("H100-USE-2027M03", 2000)], 1)
    made._orders.extend((f"ann-{n}", str(n)) for n in range(900, 910))
    return made


def test_each_request_of_a_batch_gets_its_own_share_of_the_answer():
    answer = {"ok": True, "seq": 9, "result": {"results": [DONE, REFUSED, AT_THE_DOOR]}}
    done, refused, at_the_door = shares(answer, 3)
    assert (done["ok"], done["seq"], done["result"]["order"]) == (True, 7, {"order_id": "1"})
    assert refused == {"ok": False, "seq": 8, "error": {"code": "order_unknown"}}
    assert at_the_door == {"ok": False, "seq": 0, "error": {"code": "rate_limited"}}


@pytest.mark.parametrize("answer", [None, {"ok": False, "seq": 9, "error": {"code": "halted"}}])
def test_a_batch_without_results_is_the_same_answer_for_all(answer):
    assert shares(answer, 2) == [answer, answer]


def test_a_result_too_few_is_no_answer():
    with pytest.raises(AssertionError, match="1 results of 2 requests"):
        shares({"ok": True, "seq": 9, "result": {"results": [DONE]}}, 2)


async def test_a_batch_is_written_down_request_by_request_before_it_goes_out(trader):
    session: Any = FakeSession()
    await trader._send_batch(session, IN_FLIGHT_MAX)
    ((op, fields),) = session.sent
    assert op == "order.batch"
    requests = trader.record.requests
    assert [one["op"] for one in fields["requests"]] == [BATCH_OPS[r.op] for r in requests]
    assert [{k: v for k, v in one.items() if k != "op"} for one in fields["requests"]] == [
        r.fields for r in requests
    ]
    assert {r.fate for r in requests} == {Fate.UNKNOWN}
    assert trader._room.locked(), "each of them takes a place"


async def test_the_orders_of_a_lost_batch_are_sent_again(trader):
    session: Any = FakeSession()
    await trader._send_batch(session, IN_FLIGHT_MAX)
    session.future.set_result(None)
    await asyncio.wait_for(trader._all_answered(), 60)
    lost = [r for r in trader.record.requests if r.op == "order.new"]
    assert lost and trader._unanswered == lost


async def test_a_batch_never_holds_a_mass_cancellation(trader):
    ops = {op for _ in range(200) for op, _, _ in trader._several(5)}
    assert ops == set(BATCH_OPS)
