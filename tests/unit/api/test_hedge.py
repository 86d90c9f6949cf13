"""The hedge desk over the wire: a plan in, a strip and its orders out, nothing placed."""

from collections.abc import Sequence

import pytest

from exchange.rules.hedge import Site
from exchange.rules.hedge_basis import Basis, Fit
from tests.support.api_world import SYMBOL, World, running

PLAN = {"sku": "H100", "hub": "USE", "gpus": "4", "from": "2027-03-01", "to": "2027-03-31"}


class Known:
    """Bases without a child process."""

    async def of(self, sites: Sequence[Site]) -> dict[Site, Basis]:
        from datetime import date

        fit = Fit(20, 9_000, 8_000)
        return {site: Basis(site.series, fit, fit, (), date(2026, 8, 22)) for site in sites}


@pytest.fixture
async def world():
    async with running() as one:
        one.services.bases = Known()  # type: ignore[assignment]
        yield one


async def asked(world: World, body: dict[str, object]) -> dict[str, object]:
    answer = await world.call("alice", "POST", "/hedge", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_plan_gets_its_strip_and_orders_that_the_exchange_takes(world: World):
    found = (await asked(world, {"plan": [PLAN]}))["hedge"]
    (leg,) = found["strip"]
    assert (leg["symbol"], leg["quantity"], leg["gpu_hours"]) == (SYMBOL, "4", "2976")
    assert found["totals"]["hedged_share"] == "1.00"
    held = {"positions": [{"symbol": SYMBOL, "quantity": "-4"}], "alone": True}
    supposed = (await world.call("alice", "POST", "/margin/what-if", held)).json()["what_if"]
    assert found["totals"]["initial_margin_alone"] == supposed["after"]["initial_margin"]
    assert found["basis"][0]["site_to_hub"] == {
        "windows": 20, "beta": "0.90", "r_squared": "0.80",
    }  # fmt: skip
    assert (await world.call("alice", "GET", "/orders")).json()["orders"] == []  # nothing placed
    placed = await world.call("alice", "POST", "/orders", found["orders"][0])
    assert placed.status_code in (200, 201), placed.text


async def test_a_report_is_there_when_it_is_asked_for(world: World):
    assert (await asked(world, {"plan": [PLAN]}))["report"] is None
    report = (await asked(world, {"plan": [PLAN], "report": True, "side": "buy"}))["report"]
    assert report.startswith("<!doctype html>") and "to buy" in report


async def test_what_nobody_hedges_is_named(world: World):
    found = (await asked(world, {"plan": [{**PLAN, "sku": "MI300X"}]}))["hedge"]
    assert found["unhedged"] == ["MI300X-USE"] and found["orders"] == []


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"plan": []}, "plan_invalid", "plan[0].sku"),
        ({"plan": [{**PLAN, "gpus": "many"}]}, "plan_invalid", "plan[0].gpus"),
        ({"plan": [PLAN, {**PLAN, "hub": "X"}]}, "plan_invalid", "plan[1].hub"),
        ({"plan": [{**PLAN, "gpus": 4}]}, "field_type", None),
        ({"plan": [{**PLAN, "more": "1"}]}, "field_unknown", None),
        ({"plan": [PLAN], "side": "both"}, "field_invalid", "side"),
        ({"plan": [PLAN], "cover": "all"}, "field_invalid", "cover"),
        ({"plan": [PLAN] * 101}, "field_invalid", None),
    ],
)
async def test_a_wrong_plan_gets_a_code_and_its_place(
    world: World, body: dict[str, object], code: str, field: str | None
):
    answer = await world.call("alice", "POST", "/hedge", body)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    if field:
        assert answer.json()["field"] == field
