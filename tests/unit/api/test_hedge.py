"""The hedge desk over the wire: a plan in, a strip and its orders out, nothing placed."""

import sys
import threading
from collections.abc import Callable, Sequence
from datetime import date

import pytest

from api.routes import hedge as routes
from exchange.rules.hedge import Site, hedge_of
from exchange.rules.hedge_basis import Basis, Fit
from exchange.rules.hedge_page import page
from exchange.rules.hedge_plan import plan_of
from exchange.rules.hedge_strip import Cover
from exchange.rules.money import BPS
from matching.codes import Side
from tests.support.api_world import SYMBOL, World, running

PLAN = {"sku": "H100", "hub": "USE", "gpus": "4", "from": "2027-03-01", "to": "2027-03-31"}
NOW_NS = 1_796_083_200 * 10**9  # 2026-12-01


class Known:
    """Bases without a child process."""

    async def of(self, sites: Sequence[Site]) -> dict[Site, Basis]:
        fit = Fit(20, 9_000, 8_000)
        return {site: Basis(site.series, fit, fit, (), date(2026, 8, 22)) for site in sites}


@pytest.fixture
async def world():
    async with running() as one:
        one.now_ns = lambda: NOW_NS  # a plan is of days ahead
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
        ({"plan": [{**PLAN, "more": "1"}]}, "field_unknown", "plan[0].more"),
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


async def test_a_plan_of_too_many_orders_is_refused(world: World):
    much = {**PLAN, "gpus": "1000000"}
    answer = await world.call("alice", "POST", "/hedge", {"plan": [much] * 100})
    assert (answer.status_code, answer.json()["code"]) == (422, "plan_invalid"), answer.text
    assert answer.json()["field"] == "plan" and "at most 1000" in answer.json()["detail"]


async def test_the_loop_that_takes_orders_computes_no_plan(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    threads: set[threading.Thread] = set()

    def watched(work: Callable[..., object]) -> Callable[..., object]:
        def seen(*args: object) -> object:
            threads.add(threading.current_thread())
            return work(*args)

        return seen

    monkeypatch.setattr(routes, "hedge_of", watched(hedge_of))
    monkeypatch.setattr(routes, "page", watched(page))
    await asked(world, {"plan": [PLAN], "report": True})
    assert len(threads) == 1 and threading.current_thread() not in threads


def calls_of(work: Callable[[], object]) -> int:
    """Return how many functions of Python a piece of work calls: the same on every machine."""
    events: list[str] = []
    sys.setprofile(lambda _, event, __: events.append(event))
    try:
        work()
    finally:
        sys.setprofile(None)
    return events.count("call")


def test_a_plan_of_the_largest_size_does_not_count_its_days():
    """A row costs as much for a day as for five years; a call a day would be 182,500 more."""
    row = {**PLAN, "from": "2026-11-22", "to": "2031-11-20", "cost": "1", "power_price": "0.1"}
    rows = [{**row, "sku": sku, "hub": hub} for sku in ("H100", "H200") for hub in ("USE", "GLB")]
    plan = plan_of(rows * 25, Side.SELL, date(2026, 11, 22))
    assert calls_of(lambda: hedge_of(plan, [], Cover.NEAREST, {})) < 120_000
    found = hedge_of(plan, [], Cover.NEAREST, {})
    hours = 4 * 25 * 24 * (plan.rows[0].end - plan.rows[0].start).days
    assert sum(month.gpu_hours for month in found.months) == 4 * hours * BPS
    assert found.total("cost_usd_micros") == 4 * hours * 1_000_000
