"""Plans, the strips that hedge them, regressions, and what it comes to."""

from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser

import pytest

from exchange.io.price_data import load_price_data
from exchange.rules.contracts import parse_series, parse_symbol
from exchange.rules.hedge import Site, hedge_of, sites_of
from exchange.rules.hedge_basis import Basis, Fit, basis_of, ratio_bps, regression
from exchange.rules.hedge_page import page
from exchange.rules.hedge_plan import PlanError, plan_of
from exchange.rules.hedge_strip import Cover, Offered, needed_days, strip_of
from exchange.rules.money import BPS
from exchange.rules.tenors import DAY
from matching.codes import Side

TODAY = date(2026, 11, 22)
USE, GLB = parse_series("H100-USE"), parse_series("H100-GLB")
YEAR = {"sku": "H100", "hub": "USE", "gpus": "10", "from": "2027-01-01", "to": "2027-12-31"}


def offered(*symbols: str, price_ticks: int = 2_000) -> list[Offered]:
    return [
        Offered(parse_symbol(symbol), n, price_ticks, 10_000) for n, symbol in enumerate(symbols)
    ]


def strip(rows: list[dict[str, str]], symbols: list[str], cover: Cover = Cover.NEVER_MORE):
    plan = plan_of(rows, Side.SELL, TODAY)
    return strip_of(needed_days(plan), offered(*symbols), cover, {})


def lots(found) -> dict[str, int]:
    return {leg.offered.contract.symbol: leg.lots for leg in found.legs}


MONTHS = [f"H100-USE-2027M{month:02d}" for month in range(1, 13)]
ALL = ["H100-USE-2027", *(f"H100-USE-2027Q{q}" for q in range(1, 5)), *MONTHS]


def test_the_longest_contract_that_fits_is_taken_first():
    assert lots(strip([YEAR], ALL)) == {"H100-USE-2027": 10}
    more = {**YEAR, "gpus": "4", "from": "2027-04-01", "to": "2027-07-31"}
    assert lots(strip([YEAR, more], ALL)) == {
        "H100-USE-2027": 10, "H100-USE-2027Q2": 4, "H100-USE-2027M07": 4,
    }  # fmt: skip


def test_what_is_left_is_less_than_a_lot_or_on_days_nobody_covers():
    half = {**YEAR, "load_factor": "0.85", "from": "2027-01-20", "to": "2027-03-31"}
    found = strip([half], MONTHS)
    assert lots(found) == {"H100-USE-2027M02": 8, "H100-USE-2027M03": 8}
    assert found.left[USE][date(2027, 2, 1)] == 5_000  # half a GPU
    assert found.left[USE][date(2027, 1, 20)] == 85_000  # January is not covered whole


def test_the_nearest_lot_may_be_more_than_there_is():
    half = {**YEAR, "load_factor": "0.86", "from": "2027-01-20", "to": "2027-02-28"}
    found = strip([half], MONTHS, Cover.NEAREST)
    assert lots(found) == {"H100-USE-2027M01": 3, "H100-USE-2027M02": 9}
    assert found.left[USE][date(2027, 1, 1)] == -3 * BPS


def test_never_more_is_never_more(random_plans: Iterator[list[dict[str, str]]]):
    for rows in random_plans:
        found = strip(rows, ALL)
        assert all(gpus >= 0 for gpus in found.left[USE].values())
        assert {day: found.needed[USE][day] - left for day, left in found.left[USE].items()} == {
            day: BPS * sum(leg.lots for leg in found.legs if day in days_of(leg))
            for day in found.needed[USE]
        }


def days_of(leg) -> set[date]:
    period = leg.offered.contract.period
    return {period.start + n * DAY for n in range(period.days)}


@pytest.fixture
def random_plans():
    import random

    dice = random.Random(7)
    plans = []
    for _ in range(20):
        rows = []
        for _ in range(dice.randint(1, 4)):
            start = date(2027, 1, 1) + dice.randint(0, 300) * DAY
            rows.append(
                {
                    **YEAR, "gpus": str(dice.randint(1, 90)), "from": start.isoformat(),
                    "to": (start + dice.randint(0, 60) * DAY).isoformat(),
                    "load_factor": f"0.{dice.randint(1, 99):02d}",
                }
            )  # fmt: skip
        plans.append(rows)
    return plans


def test_another_hub_is_hedged_by_the_world_in_the_ratio_of_the_regression():
    plan = plan_of([{**YEAR, "gpus": "100", "to": "2027-01-31"}], Side.SELL, TODAY)
    world = offered("H100-GLB-2027M01")
    found = strip_of(needed_days(plan), world, Cover.NEVER_MORE, {USE: 7_250})
    assert [(leg.lots, leg.is_proxy) for leg in found.legs] == [(72, True)]
    assert found.left[USE][date(2027, 1, 5)] == 6_897  # 0.5 lots in GPUs of the hub
    nothing = strip_of(needed_days(plan), [], Cover.NEVER_MORE, {})
    assert not nothing.legs and nothing.left == nothing.needed


def test_money_is_hedged_revenue_less_its_share_of_cost_and_power():
    row = {**YEAR, "to": "2027-01-31", "cost": "1.5", "load_factor": "0.85",
           "power_price": "0.1", "kw": "1.2", "pue": "1.25"}  # fmt: skip
    plan = plan_of([row], Side.SELL, TODAY)
    found = hedge_of(plan, offered("H100-USE-2027M01"), Cover.NEVER_MORE, {})
    (month,) = found.months
    assert (month.gpu_hours, month.hedged) == (8 * 744 * BPS + 372 * BPS, 8 * 744 * BPS)
    assert month.hedged_usd_micros == 8 * 744 * 2_000_000
    assert month.open_usd_micros == 372 * 2_000_000
    assert month.cost_usd_micros == 10 * 744 * 1_500_000
    assert month.power_usd_micros == 6_324 * 150_000
    assert month.power_margin_usd_micros == 2_000_000 - 150_000
    costs = (10 * 744 * 1_500_000 + 6_324 * 150_000) * 5_952 / 6_324
    assert found.margin_usd_micros == pytest.approx(8 * 744 * 2_000_000 - costs, abs=1)


def test_a_buyer_locks_what_stays_below_its_budget():
    plan = plan_of([{**YEAR, "to": "2027-01-31", "cost": "2.1"}], Side.BUY, TODAY)
    found = hedge_of(plan, offered("H100-USE-2027M01"), Cover.NEVER_MORE, {})
    assert found.margin_usd_micros == 7_440 * 100_000
    assert found.orders[0].side == Side.BUY


def test_orders_are_no_larger_than_an_order_may_be():
    plan = plan_of([{**YEAR, "gpus": "25000", "to": "2027-01-31"}], Side.SELL, TODAY)
    found = hedge_of(plan, offered("H100-USE-2027M01"), Cover.NEVER_MORE, {})
    assert [order.qty_lots for order in found.orders] == [10_000, 10_000, 5_000]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"sku": "H999"}, "sku"),
        ({"sku": "H100.Z"}, "sku"),
        ({"hub": "MARS"}, "hub"),
        ({"hub": "asia-south1"}, "hub"),  # a region in no hub
        ({"gpus": "0"}, "gpus"),
        ({"gpus": "1.5"}, "gpus"),
        ({"gpus": ""}, "gpus"),
        ({"from": "2027-13-01"}, "from"),
        ({"to": "2026-12-31"}, "to"),
        ({"from": "2020-01-01", "to": "2020-02-01"}, "to"),
        ({"to": "2099-12-31"}, "to"),
        ({"load_factor": "1.01"}, "load_factor"),
        ({"pue": "0.9"}, "pue"),
        ({"cost": "-1"}, "cost"),
        ({"cost": "1001"}, "cost"),
        ({"kw": "x"}, "kw"),
        ({"provider": "\x1b[31m"}, "provider"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_plan_that_cannot_be_read_says_where(change: dict[str, str], column: str):
    with pytest.raises(PlanError) as refused:
        plan_of([YEAR, {**YEAR, **change}], Side.SELL, TODAY)
    assert (refused.value.row, refused.value.column) == (2, column)


def test_a_buyer_has_no_power_bill_and_an_empty_plan_no_meaning():
    with pytest.raises(PlanError, match="power"):
        plan_of([{**YEAR, "pue": "1.2"}], Side.BUY, TODAY)
    with pytest.raises(PlanError, match="a row at least"):
        plan_of([], Side.SELL, TODAY)
    with pytest.raises(PlanError, match="at most 100"):
        plan_of([YEAR] * 101, Side.SELL, TODAY)


def test_days_that_are_past_are_left_out_and_a_region_finds_its_hub():
    plan = plan_of([{**YEAR, "hub": "us-east4", "from": "2026-01-01"}], Side.SELL, TODAY)
    assert plan.rows[0].start == TODAY and plan.rows[0].series == USE
    assert sites_of(plan) == [Site(USE, "", "us-east4")]


def test_a_regression_of_a_straight_line_is_the_line():
    hedge = [0, 100, -250, 40, 700, -30, 15, 0]
    own = [2 * x + 0 for x in hedge]
    assert regression(own, hedge) == Fit(6, 20_000, BPS)
    assert regression([-x for x in hedge], hedge).beta_bps == -BPS
    assert regression(own[:4], hedge[:4]) == Fit(3)  # too few
    assert regression([5] * 8, [3] * 8) == Fit(8)  # nothing moves against anything


def test_a_ratio_stays_within_reason():
    assert [ratio_bps(Fit(9, beta, 1)) for beta in (-5, 7_000, 99_000)] == [0, 7_000, 20_000]
    assert ratio_bps(Fit(1)) == BPS


def test_the_real_prices_say_how_well_a_hub_is_hedged():
    found = basis_of(load_price_data(), USE, "gcp", "us-east4")
    assert found.world.windows > 10 and found.world.beta_bps is not None
    assert 0 <= (found.own.r2_bps or 0) <= BPS
    nobody = basis_of(load_price_data(), USE, "nobody", "nowhere")
    assert nobody.own == Fit(0) and nobody.world == found.world


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "rect", "line", "polyline"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("rect", "line", "polyline"):
            assert self.open.pop() == tag


def test_the_report_is_one_sound_page_and_shows_texts_as_texts():
    row = {"series": "<script>", "month": "2027-01", "gpu_hours": "10", "hedged_gpu_hours": "8",
           "hedged_value": "1", "open_value": None, "cost": "0", "power_cost": "0",
           "power_margin": None}  # fmt: skip
    totals = dict.fromkeys(
        ("gpu_hours", "hedged_gpu_hours", "hedged_share", "hedged_value", "cost", "power_cost",
         "locked_margin", "fees_at_most", "initial_margin_alone", "initial_margin_more",
         "free_after"), "0"
    )  # fmt: skip
    fit = {"windows": 9, "beta": "0.9", "r_squared": "0.8"}
    basis = {
        "series": "H100-USE",
        "provider": "<b>",
        "region": "",
        "as_of": "2026-08-22",
        "site_to_hub": fit,
        "hub_to_world": fit,
        "history": [{"month": "2026-01", "ratio": "0.9"}, {"month": "2026-02", "ratio": "1"}],
    }
    hedge = {"side": "sell", "day": "2026-11-22", "totals": totals, "months": [row], "strip": [],
             "basis": [basis], "unhedged": ["H100-APN"], "attribution": ["a & b"]}  # fmt: skip
    text = page(hedge)
    reader = Reader()
    reader.feed(text)
    assert not reader.open and "script" not in reader.tags and reader.tags.count("svg") == 2
    assert "0.00 USD would stay free" in text
    short = page(hedge | {"totals": totals | {"free_after": "-98656.784"}})
    assert "The account cannot carry it: it would be 98,656.78 USD short." in short


def test_a_basis_is_about_its_own_series():
    assert isinstance(basis_of(load_price_data(), GLB, "coreweave", ""), Basis)
