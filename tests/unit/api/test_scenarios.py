"""Margin scenarios over the API: published to all, built and swapped by the operator alone."""

import csv
import io
from collections.abc import AsyncIterator

import pytest

from api.routes import scenarios as routes
from exchange.rules.scenario_set import set_of
from exchange.rules.scenarios import matrix_hash
from tests.support.api_world import World, running
from tests.support.scenario_sets import built, make_live

PUBLIC = "/margin/scenarios"
ADMIN = "/admin/margin/scenarios"


@pytest.fixture
async def known() -> AsyncIterator[World]:
    """Give a world in which one set is published."""
    async with running() as world:
        await world.services.scenarios.publish(built().document(), built())
        yield world


async def test_anybody_reads_the_sets_and_what_is_live(known: World) -> None:
    answer = (await known.call("", "GET", PUBLIC)).json()
    (row,) = answer["scenario_sets"]
    assert (row["set_id"], row["scenario_count"], row["chosen_ts"]) == ("1", 128, None)
    assert row["matrix_hash"] == built().matrix_hash()
    assert answer["live"]["set_id"] is None


async def test_a_set_as_published_gives_the_set_and_its_hashes(known: World) -> None:
    document = (await known.call("", "GET", f"{PUBLIC}/1")).json()["scenario_set"]
    assert set_of(document) == built()


async def test_the_matrix_comes_as_json_and_as_csv_with_the_same_numbers(known: World) -> None:
    matrix = (await known.call("", "GET", f"{PUBLIC}/1/matrix")).json()["matrix"]
    rows = {one["symbol"]: list(map(int, one["shocks_usd_micros"])) for one in matrix["contracts"]}
    assert matrix_hash(rows) == matrix["matrix_hash"] == built().matrix_hash()
    answer = await known.call("", "GET", f"{PUBLIC}/1/matrix?format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    lines = list(csv.reader(io.StringIO(answer.text)))
    assert {line[0]: list(map(int, line[1:])) for line in lines[1:]} == rows


async def test_the_live_matrix_is_what_orders_are_margined_with(known: World) -> None:
    await make_live(known)
    matrix = (await known.call("", "GET", f"{PUBLIC}/live/matrix")).json()["matrix"]
    assert matrix["scenario_count"] == 128
    assert (
        matrix["matrix_hash"] == (await known.call("", "GET", PUBLIC)).json()["live"]["matrix_hash"]
    )


@pytest.mark.parametrize("set_id", ["0", "2", "-1", "9" * 40, "x", "%00", "1.0"])
async def test_an_unknown_set_is_refused(known: World, set_id: str) -> None:
    for tail in ("", "/matrix"):
        answer = await known.call("", "GET", f"{PUBLIC}/{set_id}{tail}")
        assert (answer.status_code, answer.json()["code"]) == (404, "scenario_set_unknown")
    answer = await known.call("operator", "POST", f"{ADMIN}/{set_id}/swap")
    assert answer.status_code == 404


async def test_an_unknown_format_is_refused(known: World) -> None:
    answer = await known.call("", "GET", f"{PUBLIC}/1/matrix?format=xml")
    assert (answer.status_code, answer.json()["code"]) == (422, "query_invalid")


async def test_only_an_operator_builds_swaps_and_looks_who_falls_short(known: World) -> None:
    asked = (("POST", ADMIN), ("GET", f"{ADMIN}/1/dry-run"), ("POST", f"{ADMIN}/1/swap"))
    for method, path in asked:
        answer = await known.call("alice", method, path, {} if path == ADMIN else None)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


@pytest.mark.parametrize("day", ["2999-01-01", "2026-13-01", "yesterday", "", "٢٠٢٦-٠١-٠١"])
async def test_a_day_that_is_none_or_to_come_is_refused(known: World, day: str) -> None:
    answer = await known.call("operator", "POST", ADMIN, {"day": day})
    assert (answer.status_code, answer.json()["field"]) == (422, "day")


async def test_a_build_is_published_once_and_says_who_would_fall_short(
    known: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def build_in_child(day: object, prices: object) -> object:
        return built().document()

    monkeypatch.setattr(routes, "build_in_child", build_in_child)
    answer = await known.call("operator", "POST", ADMIN, {})
    assert answer.status_code == 201
    assert answer.json()["scenario_set"]["set_id"] == "1"  # it was published before
    assert answer.json()["dry_run"]["short"] == []


async def test_a_swap_is_written_down_with_its_dry_run(known: World) -> None:
    await make_live(known)
    answer = await known.call("operator", "POST", f"{ADMIN}/1/swap")
    assert (answer.status_code, answer.json()["is_live"]) == (202, True)
    ((set_id, by, effect),) = known.services.scenarios.choices
    assert (set_id, by, effect.short) == (1, "operator", ())
    assert (await known.call("", "GET", PUBLIC)).json()["live"]["set_id"] == "1"
