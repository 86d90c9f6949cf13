"""The index over the API: prints and what they follow from for all, committee values by two."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from api.server import PICOWS
from exchange.rules.index.panel import digest_of
from exchange.rules.index.replay import Published
from tests.support.api_world import SYMBOL, World, running
from tests.support.waiting import until

SAID = {"day": "2026-03-04", "price": "2.5", "reason": "two brokers said so"}
COMMITTEE = "/admin/indices/H100-USE/committee"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Give a world with four days of prints."""
    async with running() as one:
        yield one


async def get(world: World, path: str) -> dict:
    answer = await world.call("", "GET", path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_anybody_reads_the_newest_print_of_every_index(world: World) -> None:
    rows = (await get(world, "/indices"))["indices"]
    assert [row["name"] for row in rows] == ["H100-GLB", "H100-USE"]
    assert {row["day"] for row in rows} == {"2026-03-04"}
    assert (rows[0]["step"], rows[0]["quorum"], rows[0]["state"]) == (1, True, "provisional")
    parts = [Decimal(value) for value in rows[0]["move"].values()]
    assert Decimal(rows[0]["previous_price"]) + sum(parts) == Decimal(rows[0]["price"])


async def test_a_history_comes_in_pages_newest_first(world: World) -> None:
    path = "/indices/H100-USE/prints"
    first = await get(world, f"{path}?limit=3")
    rest = await get(world, f"{path}?limit=3&cursor={first['next_cursor']}")
    found = [row["day"] for row in first["prints"] + rest["prints"]]
    assert found == ["2026-03-04", "2026-03-03", "2026-03-02", "2026-03-01"]
    assert rest["next_cursor"] is None
    some = await get(world, f"{path}?since=2026-03-02&until=2026-03-03")
    assert [row["day"] for row in some["prints"]] == ["2026-03-03", "2026-03-02"]


async def test_an_explanation_has_every_constituent_and_hashes_to_its_inputs(world: World) -> None:
    found = (await get(world, "/indices/H100-USE/explain?day=2026-03-02"))["explained"]
    assert digest_of(found["document"]) == found["revisions"][-1]["inputs"]
    weights = [row[found["document"]["columns"].index("weight_ppb")]
               for row in found["document"]["offers"]]  # fmt: skip
    assert len(weights) == 6
    assert sum(weights) == pytest.approx(10**9, abs=10)
    newest = (await get(world, "/indices/H100-USE/explain"))["explained"]
    assert newest["revisions"][0]["day"] == "2026-03-04"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/indices/H100/prints", 404, "index_unknown"),
        ("/indices/B200-USE/prints", 404, "index_unknown"),
        ("/indices/B200-USE/explain", 404, "index_unknown"),
        ("/indices/H100.N-USE/prints", 404, "index_unknown"),
        ("/indices/%00/prints", 404, "index_unknown"),
        ("/indices/H100-USE/explain?day=2025-01-01", 404, "index_day_unknown"),
        ("/indices/H100-USE/explain?day=1", 422, "field_invalid"),
        ("/indices/H100-USE/prints?since=2026-02-30", 422, "field_invalid"),
        ("/indices/H100-USE/prints?until=99999-01-01", 422, "field_invalid"),
        ("/indices/H100-USE/prints?until=9999-12-31", 422, "field_invalid"),
        ("/indices/H100-USE/prints?cursor=5", 422, "cursor_invalid"),
        ("/indices/H100-USE/prints?cursor=9999999999", 422, "cursor_invalid"),
        ("/indices/H100-USE/prints?limit=0", 422, "query_invalid"),
        ("/indices/errata?cursor=x", 422, "cursor_invalid"),
    ],
)
async def test_bad_questions_are_refused(world: World, path: str, status: int, code: str) -> None:
    answer = await world.call("", "GET", path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_errata_are_listed(world: World) -> None:
    (row,) = (await get(world, "/indices/errata"))["errata"]
    assert (row["published_price"], row["corrected_price"]) == ("2.10", "2.00")
    assert (await get(world, "/indices/errata?cursor=7"))["errata"] == []


async def test_one_operator_alone_decides_nothing(world: World) -> None:
    answer = await world.call("operator", "POST", COMMITTEE, SAID)
    assert answer.status_code == 202
    assert (answer.json()["said_by_count"], answer.json()["stands"]) == (1, False)
    again = await world.call("operator", "POST", COMMITTEE, SAID)
    assert again.json()["said_by_count"] == 1
    other = await world.call("operator", "POST", COMMITTEE, SAID | {"price": "2.6"})
    assert (other.status_code, other.json()["code"]) == (409, "index_already_said")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"day": "2026-03-03"}, 409, "index_day_final"),
        ({"day": "2126-03-03"}, 422, "field_invalid"),
        ({"day": "x"}, 422, "field_invalid"),
        ({"price": "0"}, 422, "field_invalid"),
        ({"price": "-1"}, 422, "field_invalid"),
        ({"price": "100.000001"}, 422, "field_invalid"),
        ({"price": "1e3"}, 422, "field_invalid"),
        ({"reason": "short"}, 422, "field_invalid"),
        ({"reason": "a reason with a \x00"}, 422, "field_invalid"),
    ],
)
async def test_bad_values_are_refused(world: World, change: dict, status: int, code: str) -> None:
    answer = await world.call("operator", "POST", COMMITTEE, SAID | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_only_operators_say_what_a_print_is(world: World) -> None:
    answer = await world.call("alice", "POST", COMMITTEE, SAID)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


async def test_a_new_print_is_told_on_its_channel(world: World) -> None:
    async with world.serving(PICOWS) as url, world.socket(url) as nobody:
        await until(lambda: world.hub.indices.of("index.H100-USE"))  # the hub's first turn
        reply = await nobody.ask("subscribe", channels=["index.H100-USE"])
        assert reply["ok"], reply
        snapshot = await nobody.push("index.H100-USE")
        last = world.index.published[-1]
        assert (snapshot["type"], snapshot["data"]["price"]) == ("snapshot", "2.125")
        row = last.row._replace(position=last.row.position + 1, state="final", revision=2)
        world.index.add(Published(row, last.document))
        world.hub.indices.changed()
        update = await nobody.push("index.H100-USE")
        assert (update["type"], update["data"]["state"]) == ("update", "final")
        assert (update["prev_seq"], update["seq"]) == (snapshot["seq"], row.position)
        assert (await nobody.ask("unsubscribe", channels=["index.H100-USE"]))["ok"]
        unknown = await nobody.ask("subscribe", channels=["index.B200-USE"])
        assert unknown["error"]["code"] == "channel_unknown"


async def test_a_contract_says_since_when_its_index_is_stale(world: World) -> None:
    path = f"/instruments/{SYMBOL}"

    async def stale() -> str | None:
        world.hub.indices.changed()
        await world.hub.indices.turn()
        shown = (await world.call(None, "GET", path)).json()["instrument"]
        return shown["index_stale_since"]

    contract = world.services.gateway.mirror.contracts[0]
    assert await stale() is None  # the engine has no price of it
    contract.index_ticks = 2_125
    newest = world.index.published[-1].row
    day_after = newest.day + timedelta(days=1)
    assert await stale() == day_after.isoformat()  # nothing was printed for long
    row = newest._replace(
        position=newest.position + 1, step=3,
        day=datetime.fromtimestamp(world.now_ns() // 10**9, UTC).date(),
        explanation={**newest.explanation, "days_without_quorum": 3},
    )  # fmt: skip
    world.index.add(Published(row, {}))
    assert await stale() == (row.day - timedelta(days=2)).isoformat()
    prints = (await world.call(None, "GET", "/indices")).json()["indices"]
    assert (row.day - timedelta(days=2)).isoformat() in {one["stale_since"] for one in prints}
