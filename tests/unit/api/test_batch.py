"""Batches over REST and the websocket: which command each result belongs to."""

from typing import Any

import numpy as np
import pytest

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
