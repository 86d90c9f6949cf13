"""Batches over REST and the websocket: which command each result belongs to."""

from typing import Any

import msgspec
import numpy as np
import pytest

from api.limits import Limits, LimitSettings
from api.orders import takes_tokens
from api.schemas import OrderBatch
from api.server import PICOWS
from matching.codes import Kind
from tests.support.api_world import SYMBOL, World, running

BUY = {"op": "new", "symbol": SYMBOL, "side": "buy", "price": "1.900", "quantity": "1"}
REQUESTS = [
    {"op": "cancel", "order_id": "7"},
    {**BUY, "symbol": "NO-SUCH-2027"},
    BUY,
    {"op": "cancel", "order_id": "8"},
]


@pytest.fixture
async def world():
    async with running() as one:
        yield one


def command_at(world: World, seq: int) -> tuple[Any, ...]:
    """Return kind, order and moment of a command, as the journal has them."""
    rows = np.concatenate([batch.commands for batch in world.journal.batches])
    (row,) = rows[rows["seq"] == seq]
    return int(row["kind"]), int(row["order_id"]), str(row["ts_ns"])


def seqs_are_the_commands(world: World, results: list[dict[str, Any]]) -> None:
    """Each result, refused or not, names its own command; what was none names none."""
    first, at_the_door, placed, second = results
    assert [one["ok"] for one in results] == [False, False, True, False]
    assert command_at(world, first["seq"])[:2] == (Kind.CANCEL, 7)
    assert command_at(world, placed["seq"])[0] == Kind.PLACE
    assert command_at(world, second["seq"])[:2] == (Kind.CANCEL, 8)
    assert [one["error"]["code"] for one in (first, second)] == ["order_unknown"] * 2
    assert set(at_the_door) == {"ok", "error"}
    assert at_the_door["error"]["code"] == "contract_unknown"


async def test_a_refusal_in_a_batch_names_its_own_command(world: World):
    answer = (await world.call("alice", "POST", "/orders/batch", {"requests": REQUESTS})).json()
    results = answer["results"]
    seqs_are_the_commands(world, results)
    for one in (results[0], results[2], results[3]):
        assert one["ts_ns"] == command_at(world, one["seq"])[2]


@pytest.mark.parametrize("server", [PICOWS, "websockets-sansio"])
async def test_a_refusal_in_a_batch_of_the_websocket_names_its_own_command(
    world: World, server: str
):
    async with world.serving(server) as url, world.socket(url, "alice") as alice:
        reply = await alice.ask("order.batch", requests=REQUESTS)
        seqs_are_the_commands(world, reply["result"]["results"])


# What a batch costs: its new and amended orders, and nothing for its cancellations

CANCEL = {"op": "cancel", "order_id": "7"}
AMEND = {"op": "amend", "order_id": "7", "quantity": "1"}
PER_SECOND = 5
MIXED = [BUY, CANCEL, AMEND, *[CANCEL] * 20, BUY]  # takes three


@pytest.fixture
async def limited():
    async with running() as one:
        settings = LimitSettings(orders_per_s=PER_SECOND)
        one.services.limits = Limits(settings, lambda: 0.0)  # no token ever comes back
        yield one


@pytest.mark.parametrize(("item", "takes"), [(BUY, True), (AMEND, True), (CANCEL, False)])
def test_only_a_cancellation_takes_no_token(item, takes):
    (decoded,) = msgspec.convert({"requests": [item]}, OrderBatch).requests
    assert takes_tokens(decoded) is takes


async def test_a_batch_takes_a_token_for_each_new_and_amended_order(limited: World):
    answer = await limited.call("alice", "POST", "/orders/batch", {"requests": MIXED})
    assert answer.headers["ratelimit"].startswith(f'"orders";r={PER_SECOND - 3};')
    answer = await limited.call("alice", "POST", "/orders/batch", {"requests": MIXED})
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    answer = await limited.call("alice", "POST", "/orders/batch", {"requests": [CANCEL] * 50})
    assert answer.status_code == 200
    assert "ratelimit" not in answer.headers


async def test_a_batch_of_the_websocket_takes_the_same_tokens(limited: World):
    async with limited.serving() as url, limited.socket(url, "alice") as alice:
        reply = await alice.ask("order.batch", requests=MIXED)
        assert reply["limit"]["remaining"] == PER_SECOND - 3
        reply = await alice.ask("order.batch", requests=MIXED)
        assert reply["error"]["code"] == "rate_limited"
        reply = await alice.ask("order.batch", requests=[CANCEL] * 50)
        assert reply["ok"] and "limit" not in reply
