"""Settlement prices of a whole curve: who is believed, who follows, and strips add up."""

import json
import random
from dataclasses import replace
from datetime import date

import pytest

from exchange.io.settlements import PriceKept
from exchange.rules.catalogue import listed_contracts
from exchange.rules.contracts import parse_symbol
from exchange.rules.settlement import PriceRule, within_day_ticks
from exchange.rules.settlement_final import final_ns
from exchange.rules.settlement_run import (
    RULES,
    Evidence,
    Settled,
    SettlementRun,
    Spread,
    evidence_of,
    evidence_out,
    run_of_words,
    run_words,
    settle_all,
)
from exchange.rules.settlement_strips import Leg, add_up, mean_ticks, parts_of
from exchange.rules.tenors import NS_PER_HOUR, ns_of
from exchange.services.verify.settlements import run_differences

MONTHS = ("2027M04", "2027M05", "2027M06")
QUARTER = "2027Q2"


def curve(*codes: str, hub: str = "GLB", first: int = 0) -> list[Evidence]:
    """Return contracts at 2.000 that nobody traded."""
    return [
        Evidence(contract_idx=first + place, symbol=f"H100-{hub}-{code}", settle_ticks=2000,
                 mark_ticks=2000, day_bps=300)
        for place, code in enumerate(codes)
    ]  # fmt: skip


def traded(one: Evidence, ticks: int, lots: int = 10) -> Evidence:
    return replace(one, lots=lots, tick_lots=ticks * lots)


def prices(evidence: list[Evidence]) -> dict[str, Settled]:
    names = {one.contract_idx: one.symbol.split("-", 1)[1] for one in evidence}
    return {names[one.contract_idx]: one for one in settle_all(evidence)}


def test_SETL_010_a_quarter_that_traded_moves_its_months_alike_and_they_add_up() -> None:
    evidence = curve(*MONTHS, QUARTER)
    evidence[3] = traded(evidence[3], 2030)
    found = prices(evidence)
    assert [found[f"GLB-{month}"].price_ticks for month in MONTHS] == [2030] * 3
    assert {found[f"GLB-{month}"].rule for month in MONTHS} == {PriceRule.PART}
    assert found["GLB-2027Q2"][1:3] == (2030, PriceRule.VWAP)


def test_SETL_010_months_that_traded_make_their_quarter() -> None:
    pairs = zip(curve(*MONTHS), (1990, 2010, 2020), strict=True)
    evidence = [traded(one, ticks) for one, ticks in pairs]
    found = prices([*evidence, *curve(QUARTER, first=3)])
    mean = round((1990 * 720 + 2010 * 744 + 2020 * 720) / 2184)
    assert found["GLB-2027Q2"][1:3] == (mean, PriceRule.STRIP)


def test_SETL_010_a_month_that_traded_stays_where_its_quarter_traded_elsewhere() -> None:
    evidence = curve(*MONTHS, QUARTER)
    evidence[0], evidence[3] = traded(evidence[0], 2000), traded(evidence[3], 2010)
    found = prices(evidence)
    assert found["GLB-2027M04"][1:3] == (2000, PriceRule.VWAP)
    assert [found[f"GLB-{month}"].price_ticks for month in MONTHS[1:]] == [2015, 2015]
    assert found["GLB-2027Q2"].price_ticks == 2010


def test_SETL_010_no_month_goes_beyond_its_own_limit_and_the_quarter_gives_way() -> None:
    evidence = [replace(one, ask_ticks=2005, bid_ticks=1950) for one in curve(*MONTHS)]
    found = prices([*evidence, traded(curve(QUARTER, first=3)[0], 2050)])
    assert [found[f"GLB-{month}"].price_ticks for month in MONTHS] == [2005] * 3
    assert found["GLB-2027Q2"][1:3] == (2005, PriceRule.STRIP)


def test_SETL_011_the_same_period_at_another_hub_keeps_its_spread() -> None:
    far = [replace(one, settle_ticks=2300, mark_ticks=2300) for one in curve("2027M04", hub="EUW")]
    found = prices([traded(curve("2027M04", first=5)[0], 2040), *far])
    assert found["EUW-2027M04"] == Settled(0, 2340, PriceRule.HUB, 5)


def test_SETL_012_a_month_follows_the_nearest_traded_month_before_it() -> None:
    evidence = curve("2027M04", "2027M05", "2027M07")
    evidence[0], evidence[1] = traded(evidence[0], 1990), traded(evidence[1], 1980)
    assert prices(evidence)["GLB-2027M07"] == Settled(2, 1980, PriceRule.CURVE, 1)


def test_SETL_012_who_has_a_mark_that_moved_follows_nobody() -> None:
    evidence = curve("2027M04", "2027M05")
    evidence[0], evidence[1] = traded(evidence[0], 1990), replace(evidence[1], mark_ticks=2011)
    assert prices(evidence)["GLB-2027M05"][1:3] == (2011, PriceRule.MARK)


def test_SETL_013_spreads_that_traded_settle_the_far_month() -> None:
    evidence = curve("2027M04", "2027M05")
    evidence[0] = traded(evidence[0], 2020)
    spread = Spread(near_idx=0, spread_ticks=-7, lots=10, months=1)
    evidence[1] = replace(evidence[1], spreads=(spread,))
    assert prices(evidence)["GLB-2027M05"] == Settled(1, 2027, PriceRule.SPREADS, 0)
    evidence[1] = replace(evidence[1], spreads=(replace(spread, lots=9),))  # too few say nothing
    assert prices(evidence)["GLB-2027M05"].rule == PriceRule.CURVE


def test_SETL_014_a_price_is_final_at_noon_of_the_next_day() -> None:
    due_ns = ns_of(date(2026, 11, 22), 16)
    assert final_ns(due_ns) - due_ns == 20 * NS_PER_HOUR


def test_what_is_settled_already_stays_and_others_add_up_around_it() -> None:
    evidence = curve(*MONTHS, QUARTER)
    evidence[1] = replace(evidence[1], settle_ticks=2011, settled=True)
    evidence[3] = traded(evidence[3], 2007)
    found = prices(evidence)
    assert "GLB-2027M05" not in found
    legs = [(720, found["GLB-2027M04"]), (720, found["GLB-2027M06"])]
    total = 744 * 2011 + sum(hours * one.price_ticks for hours, one in legs)
    assert abs(total - 2007 * 2184) * 2 <= 2184
    assert found["GLB-2027Q2"].price_ticks == 2007


def scattered(seed: int) -> list[Evidence]:
    """Return a whole catalogue in which some traded, some are quoted, and nothing fits."""
    rng = random.Random(seed)
    found = []
    for place, contract in enumerate(listed_contracts(date(2026, 11, 22))):
        settle = rng.randrange(500, 8000)
        one = Evidence(contract_idx=place, symbol=contract.symbol, settle_ticks=settle,
                       mark_ticks=settle + rng.choice((0, 0, 0, 3, -5)),
                       day_bps=rng.choice((300, 2000)))  # fmt: skip
        chance = rng.random()
        if chance < 0.2:
            lots = rng.randrange(10, 300)
            one = replace(one, lots=lots, tick_lots=lots * rng.randrange(400, 9000))
        elif chance < 0.4:
            bid = max(1, settle + rng.randrange(-20, 20))
            one = replace(one, bid_ticks=bid, ask_ticks=bid + rng.randrange(1, 60))
        found.append(one)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_SETL_010_every_whole_is_the_mean_of_its_parts_and_limits_hold(seed: int) -> None:
    evidence = scattered(seed)
    found = {one.contract_idx: one.price_ticks for one in settle_all(evidence)}
    by_name = {one.symbol: one for one in evidence}
    wholes = 0
    for one in evidence:
        contract = parse_symbol(one.symbol)
        parts = [f"{contract.series.symbol}-{part.code}" for part in parts_of(contract.period)]
        if parts and all(part in by_name for part in parts):
            legs = [
                Leg(0, parse_symbol(part), found[by_name[part].contract_idx], 0, PriceRule.MARK)
                for part in parts
            ]
            assert found[one.contract_idx] == mean_ticks(legs)
            wholes += 1
        else:
            ticks = found[one.contract_idx]
            assert ticks == one.mark_ticks or ticks == within_day_ticks(
                ticks, one.settle_ticks, one.mark_ticks, one.day_bps
            )
    assert wholes > 40


@pytest.mark.parametrize("seed", range(3))
def test_the_order_in_which_contracts_are_named_changes_nothing(seed: int) -> None:
    evidence = scattered(seed)
    mixed = random.Random(seed).sample(evidence, len(evidence))
    assert settle_all(evidence) == settle_all(mixed)


def test_add_up_leaves_a_whole_with_a_missing_part_alone() -> None:
    leg = Leg(0, parse_symbol("H100-GLB-2027Q2"), 2030, 4, PriceRule.VWAP)
    month = Leg(1, parse_symbol("H100-GLB-2027M04"), 1000, 0, PriceRule.MARK)
    add_up([leg, month])
    assert (leg.price_ticks, month.price_ticks) == (2030, 1000)


# What was kept is enough


def test_a_run_read_back_has_the_same_name_and_prices() -> None:
    spread = Spread(near_idx=0, spread_ticks=-7, lots=10, months=1)
    evidence = scattered(5)
    evidence[1] = replace(evidence[1], spreads=(spread,))
    run = SettlementRun(7, tuple(evidence))
    read = json.loads(json.dumps([evidence_out(one) for one in run.evidence]))
    again = SettlementRun(7, tuple(map(evidence_of, read)))
    assert (again.run_id, again.prices()) == (run.run_id, run.prices())
    assert run_of_words(run_words(run.run_id)) == run.run_id
    assert run_of_words((0, 0, 0, 0)) == ""


@pytest.mark.parametrize("body", [{}, {"spreads": [{}]}, {"spreads": [], "who": 1}])
def test_what_is_no_evidence_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no evidence"):
        evidence_of(body)


def kept(run: SettlementRun) -> list[PriceKept]:
    return [
        PriceKept(one.contract_idx, one.price_ticks, RULES.index(one.rule) + 1, one.source_idx + 1,
                  run.due_ns)
        for one in run.prices()
    ]  # fmt: skip


def test_verify_finds_a_price_that_its_inputs_do_not_give() -> None:
    run = SettlementRun(7, tuple(curve(*MONTHS, QUARTER)))
    rows = kept(run)
    assert list(run_differences(run.run_id, run, rows)) == []
    rows[1] = rows[1]._replace(price_ticks=2001)
    (found,) = run_differences(run.run_id, run, rows)
    assert (found.field, found.expected, found.found) == ("price_ticks", "2000", "2001")


def test_verify_finds_inputs_that_are_gone_or_others() -> None:
    run = SettlementRun(7, tuple(curve(*MONTHS)))
    other = SettlementRun(8, run.evidence)
    assert next(run_differences(run.run_id, None, [])).found == "no row"
    assert next(run_differences(run.run_id, other, [])).field == "hash"
