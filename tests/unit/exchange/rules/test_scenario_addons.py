"""The nightly add-ons: what they are made of, that they follow from what is published."""

import json
from dataclasses import replace
from datetime import date

import pytest

from exchange.rules import fees, scenario_addons
from exchange.rules.addons import NO_ADDON, Addon, addon_of
from exchange.rules.contracts import parse_symbol
from exchange.rules.fees import FEE_ROWS, fee_row, reserve_usd_micros_per_gpu_hour
from exchange.rules.margin import margin_of
from exchange.rules.operations import addons_command, stage_commands, state_command, swap_command
from exchange.rules.requirement import KEPT_BPS
from exchange.rules.scenario_addons import (
    HALF_SPREAD_MAX_BPS,
    VOLUME_DAYS,
    VOLUME_FLOOR_LOTS,
    AddonSet,
    MarketRow,
    addon_set_of,
    fee_usd_micros_per_gpu_hour,
    half_spread_ticks,
    markets_of,
    planned_addon,
    sigma_day_bps,
    volume_days,
)
from exchange.rules.scenario_dry_run import dry_run
from exchange.rules.scenario_set import SetCorrupt
from matching.codes import Side, TradingState
from tests.support.scenario_sets import DAY, built
from tests.unit.exchange.rules.test_scenario_dry_run import POOR, RICH, SYMBOLS, House

H100, A100 = SYMBOLS
USD = 1_000_000


@pytest.fixture
def house() -> House:
    house = House()
    house.order(RICH, 0, Side.SELL, 20)
    house.order(POOR, 0, Side.BUY, 2)
    return house


def made(house: House, traded: dict[int, int] | None = None) -> AddonSet:
    return AddonSet(built(), markets_of(house.mirror, traded or {}))


def test_SCN_016_volume_is_the_mean_of_thirty_days_and_never_below_the_floor(house: House) -> None:
    assert volume_days(date(2026, 11, 22)) == (date(2026, 10, 23), date(2026, 11, 22))
    thin, rich = made(house), made(house, {0: 3_000 * VOLUME_DAYS + 29})
    assert thin.addon(H100, 1).adv_lots == VOLUME_FLOOR_LOTS
    assert rich.addon(H100, 1).adv_lots == 3_000
    assert rich.addon(A100, 1).adv_lots == VOLUME_FLOOR_LOTS
    assert rich.addon(H100, 1).close_lots == 1_500  # a quarter of two days


@pytest.mark.parametrize(
    ("spread_ticks", "half_ticks"), [(1, 1), (2, 1), (7, 4), (60, 30), (900, 38), (0, 38), (-5, 38)]
)
def test_SCN_017_half_a_spread_is_a_tick_at_least_and_a_makers_at_most(
    spread_ticks: int, half_ticks: int
) -> None:
    assert HALF_SPREAD_MAX_BPS == 150
    assert half_spread_ticks(2_500, spread_ticks) == half_ticks


def test_SCN_017_the_spread_is_that_of_the_book_at_its_depth(house: House) -> None:
    assert {row.spread_ticks for row in markets_of(house.mirror, {})} == {0}  # no buyer is left
    house.order(RICH, 1, Side.BUY, 100, 2_470)
    house.order(RICH, 1, Side.SELL, 100, 2_490)
    house.order(RICH, 1, Side.SELL, 1, 2_480)  # less than the depth that a settlement asks for
    assert [row.spread_ticks for row in markets_of(house.mirror, {})] == [0, 20]


def test_SCN_018_a_days_move_is_of_the_rows_of_history_and_fades_along_the_curve() -> None:
    near, far = (parse_symbol(f"H100-USE-{year}M03") for year in (2027, 2029))
    assert 50 < sigma_day_bps(built(), far) <= sigma_day_bps(built(), near) < 3_000
    still = replace(built(), rows=tuple(replace(row, fronts=(0,) * len(row.fronts), twists=(0, 0))
                                        for row in built().rows), _table=[], _moves={})  # fmt: skip
    assert sigma_day_bps(still, near) == 0


def test_SCN_019_fees_are_the_dearest_of_all_tiers_today_or_tomorrow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    last = max(FEE_ROWS, key=lambda row: row.effective_from)
    dearer = replace(
        last, effective_from=date(2030, 1, 1), taker_usd_micros_per_gpu_hour=9_000,
        clearing_usd_micros_per_gpu_hour=0,
    )  # fmt: skip
    monkeypatch.setattr(fees, "FEE_ROWS", (*FEE_ROWS, dearer))
    monkeypatch.setattr(scenario_addons, "FEE_ROWS", (*FEE_ROWS, dearer))
    standard = reserve_usd_micros_per_gpu_hour(fee_row("standard", date(2029, 12, 30)))
    assert fee_usd_micros_per_gpu_hour(date(2029, 12, 30)) == standard == 600
    assert fee_usd_micros_per_gpu_hour(date(2029, 12, 31)) == 9_000


def test_the_published_document_makes_the_same_add_ons_again(house: House) -> None:
    addons = made(house, {0: 90_000})
    document = json.loads(json.dumps(addons.document()))
    again = addon_set_of(document, built())
    assert again == addons and again.addon(H100, 1) == addons.addon(H100, 1)
    row = addons.markets[0]
    assert addons.addon(H100, 1) == addon_of(addons.liquidity(row)) != NO_ADDON


@pytest.mark.parametrize("place", range(1, 8))
def test_a_document_that_does_not_follow_is_refused(house: House, place: int) -> None:
    document = json.loads(json.dumps(made(house).document()))
    document["addons"][0][place] += 1
    with pytest.raises(SetCorrupt, match="do not follow"):
        addon_set_of(document, built())
    with pytest.raises(SetCorrupt, match="method"):
        addon_set_of({**document, "method": 2}, built())


def test_what_was_listed_since_has_an_add_on_without_a_market() -> None:
    none = AddonSet(built(), ())
    row = MarketRow(H100, 2_500, 0, 0, 0)
    assert none.addon(H100, 2_500) == AddonSet(built(), (row,)).addon(H100, 1)
    assert none.addon(H100, 5_000).impact_usd_micros == pytest.approx(
        2 * none.addon(H100, 2_500).impact_usd_micros, abs=1
    )


def test_what_is_set_by_hand_stays_until_it_is_given_back(house: House) -> None:
    mirror, own = house.mirror, Addon(spread_usd_micros=7)
    addons = made(house)
    house.do(addons_command(0, own, by_hand=True))
    assert planned_addon(mirror, mirror.contracts[0], addons) == own
    house.do(addons_command(0, own))
    assert planned_addon(mirror, mirror.contracts[0], addons) == addons.addon(H100, 1)
    assert planned_addon(mirror, mirror.contracts[0], None) == own
    house.do(state_command(1, TradingState.EXPIRED))
    assert planned_addon(mirror, mirror.contracts[1], addons) == NO_ADDON


def test_SCN_013_the_dry_run_counts_the_add_ons_that_come(house: House) -> None:
    addons = made(house)
    found = dry_run(house.mirror, built(), addons)
    bare = dry_run(house.mirror, built())
    for symbol, shocks in built().live_shocks({H100: 2_500, A100: 2_500}).items():
        contract_idx = house.mirror.symbols[symbol]
        house.do(stage_commands(contract_idx, shocks))
        house.do(addons_command(contract_idx, addons.addon(symbol, 1)))
    house.do(swap_command(built().count, built().worst_count, KEPT_BPS))
    margins = {idx: margin_of(house.mirror, idx) for idx in (RICH, POOR)}
    required = {idx: one.requirement.required_usd_micros for idx, one in margins.items()}
    assert found.after_usd_micros == sum(required.values()) > bare.after_usd_micros
    assert {idx: house.engine.requirement(idx) for idx in required} == required
    assert all(one.requirement.liquidity_usd_micros > 0 for one in margins.values())
    assert built().day == DAY
