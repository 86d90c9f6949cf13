"""The worked examples of `tests/vectors/worked/margin.json` that concern the requirement."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange.rules.addons import (
    Addon,
    Liquidity,
    addon_of,
    concentration_usd_micros,
    liquidity_usd_micros,
)
from exchange.rules.margin import price_loss_usd_micros
from exchange.rules.price_levels import levels_of, price_at_ticks
from exchange.rules.requirement import (
    KEPT_BPS,
    Exposure,
    blended_of,
    capped_usd_micros,
    decayed_usd_micros,
    requirement_of,
    scenario_losses,
)
from exchange.rules.tails import Tail, blended_usd_micros
from matching.codes import Side
from tests.vectors import worked

FILE = Path(worked.__file__).with_name("margin.json")
CASES = {case["id"]: case for case in json.loads(FILE.read_text())["cases"]}
SHOCKS = CASES["W01"]["inputs"]["dP_usd_per_lot"]
TAIL = Tail(8, 2)
USD = 1_000_000


def inputs(name: str) -> dict[str, Any]:
    return CASES[name]["inputs"]


def expected(name: str) -> dict[str, Any]:
    return CASES[name]["expect"]


def held(position: dict[str, int], buys: Any = None, sells: Any = None) -> list[Exposure]:
    return [
        Exposure(
            contract_idx=idx, qty_lots=position.get(name, 0), buy_lots=(buys or {}).get(name, 0),
            sell_lots=(sells or {}).get(name, 0), shocks_usd_micros=shocks,
        )
        for idx, (name, shocks) in enumerate(SHOCKS.items())
    ]  # fmt: skip


def test_w01_losses_and_the_mean_of_the_two_worst():
    said = expected("W01")
    positions = inputs("W01")["positions"]
    for name in ("longA", "calendar"):
        assert scenario_losses(held(positions[name]), 8) == said[f"loss_{name}"]
    for name, position in positions.items():
        assert blended_of(held(position), TAIL) == said[f"im_{name}"]
    alone = said["im_longA"] + said["im_shortB"]
    assert 1 - said["im_calendar"] / alone == pytest.approx(said["offset_pct"], abs=1e-6)


def test_w02_the_bound_of_an_order_is_the_requirement_of_its_lots_alone():
    said, order = expected("W02"), inputs("W02")["order"]
    base = blended_of(held(inputs("W02")["base"]), TAIL)
    unit = blended_of(held({}, {order["buy"]: 1}), TAIL)
    both = blended_of(held(inputs("W02")["base"], {order["buy"]: order["qty"]}), TAIL)
    assert (base, unit) == (said["es_base"], said["es_unit_long_C"])
    assert both == said["exact"] <= base + order["qty"] * unit == said["bound"]


def test_w03_a_threshold_bounds_the_mean_and_the_nth_worst_is_it():
    said, losses, n = expected("W03"), inputs("W03")["loss"], inputs("W03")["n"]

    def bound(eta: int) -> float:
        return eta + sum(max(0, loss - eta) for loss in losses) / n

    assert bound(sorted(losses)[-n]) == said["exact"] == said["at_n_th_worst"]
    assert bound(1000) == said["at_stale_eta_1000"] >= said["exact"]
    assert bound(4000) == said["at_stale_eta_4000"] >= said["exact"]


def test_w04_resting_orders_count_where_they_lose():
    said, given = expected("W04"), inputs("W04")
    buys, sells = given["buy_orders"], given["sell_orders"]
    assert scenario_losses(held({}, buys, sells), 8) == said["oo"]
    assert scenario_losses(held(given["position"], buys, sells), 8) == said["w"]
    assert blended_of(held(given["position"], buys, sells), TAIL) == said["im"]
    assert blended_of(held(given["position"], {}, {"A": 10}), TAIL) == said["im_reduce_only"]
    assert blended_of(held(given["position"]), TAIL) == said["im_position"]


def test_w05_a_bad_limit_is_a_loss_at_once():
    mark = int(Decimal(inputs("W05")["mark"]) * 1000)
    sides = {"buy": Side.BUY, "sell": Side.SELL}
    losses = [
        price_loss_usd_micros(
            sides[order["side"]], int(Decimal(order["limit"]) * 1000), mark, 1, order["qty"]
        )
        for order in inputs("W05")["orders"]
    ]
    assert sum(losses) == expected("W05")["price_loss"]


def test_w08_stress_counts_a_quarter_and_the_long_run_is_a_floor():
    given, said = inputs("W08"), expected("W08")
    now, stress, floor = given["es_now"], given["es_stress"], given["es_longrun"]
    assert blended_usd_micros(now, stress, floor, has_stress=True) == said["im0"]
    assert blended_usd_micros(now, now, floor, has_stress=True) == said["calm"]


def test_w09_a_position_of_three_margin_periods_is_concentrated():
    given, said = inputs("W09"), expected("W09")
    addon = addon_of(
        Liquidity(
            tick_value_usd_micros=USD, price_ticks=2400, half_spread_ticks=0, sigma_day_bps=0,
            adv_lots=given["adv"], open_interest_lots=10**6,
        )
    )  # fmt: skip
    assert addon.close_lots == given["adv"] * given["rho"] * given["mpor_days"]
    unit = given["im0"] * USD // given["q"]
    more = concentration_usd_micros(addon, given["q"], unit, USD)
    exact = Decimal(str(said["addon"])) * USD
    assert exact - USD // 100 <= more <= exact + USD  # to the cent below, rounded up above
    crowded = concentration_usd_micros(addon._replace(crowd_lots=599), given["q"], unit, USD)
    assert crowded == pytest.approx(1.5 * more, abs=given["q"])


def test_w10_closing_costs_half_the_spread_and_the_impact():
    given, said = inputs("W10"), expected("W10")
    market = Liquidity(
        tick_value_usd_micros=given["lot"] * 1000, price_ticks=int(given["price"] * 1000),
        half_spread_ticks=int(given["half_spread"] * 1000), adv_lots=given["adv"],
        sigma_day_bps=int(given["sigma_day"] * 10_000), open_interest_lots=0,
    )  # fmt: skip
    addon = addon_of(market)
    spread_only = Addon(spread_usd_micros=addon.spread_usd_micros)
    tick_value = market.tick_value_usd_micros
    assert liquidity_usd_micros(spread_only, given["q"], tick_value) == said["spread"] * USD
    assert liquidity_usd_micros(addon, given["q"], tick_value) == said["total"] * USD


def test_w11_offsets_give_at_most_four_fifths():
    given = inputs("W11")
    standalone = sum(given["standalone"])
    capped = capped_usd_micros(given["portfolio"], standalone, KEPT_BPS)
    assert capped == expected("W11")["im"]
    tail = TAIL._replace(kept_bps=KEPT_BPS)
    whole = requirement_of(held(inputs("W01")["positions"]["calendar"]), tail)
    assert whole.portfolio_usd_micros == expected("W11")["im"]


def test_w17_fixed_days_no_longer_move():
    given, said = inputs("W17"), expected("W17")
    days, fixed = given["N"], len(given["fixed"])
    shock = -decayed_usd_micros(int(given["shock"] * 1000) * USD, fixed, days)
    assert given["lots"] * shock == pytest.approx(said["scenario_loss"] * USD, abs=0.01 * USD)
    assert (days - fixed) / days == pytest.approx(said["factor"], abs=1e-6)
    assert decayed_usd_micros(7, 31, 31) == 0 and decayed_usd_micros(-1, 30, 31) == -1


def test_w18_a_call_comes_before_a_liquidation():
    given, said = inputs("W18"), expected("W18")
    mark = int(given["settle"] * 1000)
    found = levels_of(int(said["mm"]), given["cash"], mark, given["q"])
    call_ticks = price_at_ticks(said["im"], given["cash"], mark, given["q"])
    assert (call_ticks, found.liquidation_ticks) == (
        said["call_below"] * 1000, said["liquidate_below"] * 1000,
    )  # fmt: skip


def test_w19_the_bankruptcy_price_leaves_nothing():
    given, said = inputs("W19"), expected("W19")
    mark = int(Decimal(given["settle"]) * 1000)
    assert price_at_ticks(0, given["equity"], mark, given["q"]) == said["p_b_long"] * 1000
    assert price_at_ticks(0, 795, mark, -10) == mark + 80  # a short one: the first tick beyond
