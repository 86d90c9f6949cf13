"""Reference prices: small tables by hand, and the shipped data."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.io.price_data import load_price_data
from exchange.rules.catalogue import LISTED_SERIES, catalogue, listed_contracts
from exchange.rules.contracts import parse_series, parse_symbol
from exchange.rules.curves import Curve, CurveRule, curves, factor
from exchange.rules.levels import LevelRule, basis_ratios, levels
from exchange.rules.median import median, quantile, weighted_median
from exchange.rules.money import round_half_even
from exchange.rules.quotes import Quote, parse_quotes, standing_quotes
from exchange.rules.reference import references
from exchange.rules.regions import HUB_BY_CLOUD_REGION, HUB_BY_US_STATE, hub_of
from exchange.rules.tenors import DAY, Tenor, month_period, month_start, parse_period

HEADER = "date,provider,region,sku,gpus_per_instance,usd_per_gpu_hour,kind,source,instance"
AS_OF = date(2026, 8, 1)
USE = parse_series("H100-USE")
GLB = parse_series("H100-GLB")


def quotes(text: str) -> tuple[Quote, ...]:
    """Read lines of `day provider region price [kind]`: H100-SXM, one fresh source."""
    rows = [HEADER]
    for line in filter(str.strip, text.splitlines()):
        day, provider, region, price, *rest = line.split()
        kind = rest[0] if rest else "on-demand"
        rows.append(f"{day},{provider},{region},H100-SXM,8,{price},{kind},gpurentalprices,x")
    return parse_quotes(rows)


FIVE = """
2026-07-01 a r 2.00
2026-07-01 b r 2.50
2026-07-01 c r 3.00
2026-07-01 d r 3.50
2026-07-01 e r 9.00
"""


def test_REFP_001_glb_is_the_median_of_providers() -> None:
    level = levels(quotes(FIVE), [GLB], AS_OF)[GLB]
    assert (level.usd_micros, level.rule) == (3_000_000, LevelRule.GLB_MEDIAN)
    assert (level.providers, level.offers, level.as_of) == (5, 5, AS_OF)


def test_REFP_002_many_offers_of_one_provider_have_one_vote() -> None:
    crowd = "\n".join(f"2026-07-01 e r{n} 9.00" for n in range(15))
    assert levels(quotes(FIVE + crowd), [GLB], AS_OF)[GLB].usd_micros == 3_000_000


def test_REFP_003_four_providers_are_not_enough() -> None:
    four = "\n".join(FIVE.strip().splitlines()[:4])
    assert levels(quotes(four), [GLB, USE], AS_OF) == {}


def test_REFP_004_a_price_holds_until_the_next_one_and_only_while_its_source_speaks() -> None:
    later = quotes(FIVE + "2026-07-15 c r 3.20")
    assert levels(later, [GLB], AS_OF)[GLB].usd_micros == 3_200_000
    assert levels(later, [GLB], date(2026, 7, 14))[GLB].usd_micros == 3_000_000
    assert len(standing_quotes(later, date(2026, 7, 15) + timedelta(days=60))) == 5
    assert standing_quotes(later, date(2026, 7, 15) + timedelta(days=61)) == []


def test_REFP_005_spot_and_community_offers_do_not_move_a_firm_grade() -> None:
    soft = "\n".join(f"2026-07-01 {p} r 0.10 {k}" for p in "abcde" for k in ("spot", "community"))
    found = levels(quotes(FIVE + soft), [GLB, parse_series("H100.X-GLB")], AS_OF)
    assert found[GLB].usd_micros == 3_000_000
    assert found[parse_series("H100.X-GLB")].usd_micros == 100_000


def test_REFP_006_an_offer_far_from_its_own_providers_median_is_junk() -> None:
    junk = FIVE + "2026-07-01 c r2 3.00\n2026-07-01 c r3 53.00\n2026-07-01 c r4 0.10\n"
    level = levels(quotes(junk), [GLB], AS_OF)[GLB]
    assert (level.usd_micros, level.offers) == (3_000_000, 6)


def test_REFP_007_a_hub_with_five_providers_has_its_own_median() -> None:
    here = FIVE.replace(" r ", " us-east1 ") + "2026-07-01 f eu-west-1 1.00\n"
    level = levels(quotes(here), [USE], AS_OF)[USE]
    assert (level.usd_micros, level.rule, level.providers) == (3_000_000, LevelRule.HUB_MEDIAN, 5)


def test_REFP_008_a_hub_with_fewer_takes_glb_times_its_basis() -> None:
    regional = """
    2026-07-01 c us-east1 2.70
    2026-07-01 c us-central1 3.00
    2026-07-01 c asia-east1 3.60
    """
    offers = quotes(FIVE.replace("2026-07-01 c r 3.00\n", "") + regional)
    level = levels(offers, [USE], AS_OF)[USE]
    assert (level.basis_bps, level.basis_providers) == (9_000, 1)
    assert level.rule is LevelRule.GLB_BASIS
    assert level.usd_micros == 3_000_000 * 9_000 // 10_000


def test_a_provider_in_two_hubs_has_no_basis() -> None:
    assert basis_ratios(quotes("2026-07-01 c us-east1 1\n2026-07-01 c eu-west-1 2")) == {}


def test_REFP_009_a_training_grade_costs_its_factor_more() -> None:
    training = parse_series("H100.T-GLB")
    assert levels(quotes(FIVE), [training], AS_OF)[training].usd_micros == 3_300_000


@pytest.mark.parametrize(
    ("votes", "middle"),
    [([(5, 1)], 5), ([(1, 1), (2, 1)], 2), ([(1, 3), (9, 1)], 1), ([(1, 1), (4, 1), (9, 2)], 6)],
)
def test_the_weighted_median_splits_the_weight(votes: list[tuple[int, int]], middle: int) -> None:
    assert weighted_median(votes) == middle


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_half_of_the_values_lie_on_each_side_of_the_median(values: list[int]) -> None:
    middle = median(values)
    assert 2 * sum(value < middle for value in values) <= len(values)
    assert 2 * sum(value > middle for value in values) <= len(values)
    assert quantile(values, 10_000) == max(values)
    assert quantile(values, 1) == min(values)


def reserved(ratios: list[str]) -> tuple[Quote, ...]:
    """Make pairs of committed prices: 10.00 for one year, and a ratio of it for three."""
    lines = []
    for number, ratio in enumerate(ratios):
        lines.append(f"2026-07-01 gcp r{number} 10.00 reserved-1y")
        lines.append(f"2026-07-01 gcp r{number} {Decimal(ratio) * 10} reserved-3y")
    return quotes("\n".join(lines))


def test_CURV_001_the_slope_follows_from_three_years_over_one() -> None:
    # 1 + d + d^2 = 3 x 0.7 at d = 0.6618 (rounded down): half of its slope is 0.1691.
    found = curves(reserved(["0.7"] * 10), AS_OF)
    assert found["H100-SXM"] == Curve(year_bps=8_309, rule=CurveRule.OWN, pairs=10)
    assert found["B200"] == Curve(year_bps=8_309, rule=CurveRule.POOLED, pairs=10)


def test_CURV_002_pairs_without_a_discount_are_catalogue_errors() -> None:
    with pytest.raises(ValueError, match="fewer than 10 pairs"):
        curves(reserved(["1.0"] * 40 + ["0.7"] * 9), AS_OF)


CURVES = st.builds(
    Curve, year_bps=st.integers(5_000, 10_000), rule=st.just(CurveRule.OWN), pairs=st.just(10)
)


@given(CURVES, st.dates(date(2024, 1, 1), date(2030, 1, 1)), st.integers(1, 30))
def test_CURV_003_strips_add_up(curve: Curve, on: date, months: int) -> None:
    first = month_start(on, months)
    parts = [month_period(month_start(first, n)) for n in range(12)]
    year = sum(factor(curve, part, on) * part.hours for part in parts)
    whole = sum(part.hours for part in parts)
    strip = type(parts[0])(parts[0].start, parts[-1].end, Tenor.CALENDAR)
    assert abs(factor(curve, strip, on) * whole - year) < Decimal("1e-20")


def test_CURV_004_the_curve_starts_at_one_and_a_year_later_is_its_year_factor() -> None:
    curve = Curve(year_bps=7_860, rule=CurveRule.OWN, pairs=10)
    on = date(2026, 11, 22)
    assert factor(curve, parse_period("2026M11D22"), on) == 1
    assert round_half_even(factor(curve, parse_period("2027M11D22"), on) * 10_000) == 7_860
    assert factor(curve, parse_period("2026M10"), on) == 1  # all of it has passed


def test_the_shipped_data_know_every_region_they_name() -> None:
    data = load_price_data()
    named = {quote.region for quote in (*data.offers, *data.reserved)}
    unknown = {
        region
        for region in named
        if region.lower() not in HUB_BY_CLOUD_REGION
        and hub_of(region) is None
        and region not in ("unspecified", ", US")
    }
    assert unknown == set()
    assert len(HUB_BY_US_STATE) == 102


@pytest.mark.parametrize(
    ("symbol", "price_ticks", "providers"),
    [
        ("H100-GLB-2027M03", 3015, 12),
        ("H100-USE-2027M03", 2620, 12),
        ("H100-APS-2027M03", 3432, 12),
        ("A100-GLB-2027M03", 2135, 11),
        ("H200-GLB-2027M03", 4218, 16),
        ("B200-GLB-2027M03", 6256, 12),
        ("L40S-GLB-2027M03", 1425, 12),
        ("MI300X-GLB-2027M03", 2775, 5),
        ("RTXPRO6000-GLB-2027M03", 1987, 10),
        ("H100-USE-2028", 1921, 12),
    ],
)
def test_REFP_010_prices_of_the_shipped_data_on_22_november_2026(
    symbol: str, price_ticks: int, providers: int
) -> None:
    prices = references(load_price_data(), LISTED_SERIES, date(2026, 11, 22))
    found = prices.of(parse_symbol(symbol))
    assert found is not None
    assert (found.price_ticks, found.level.providers) == (price_ticks, providers)
    assert found.level.as_of == date(2026, 8, 22)


def test_the_whole_catalogue_has_reference_prices_and_fits_the_core() -> None:
    on = date(2026, 11, 22)
    rows = catalogue(references(load_price_data(), LISTED_SERIES, on))
    assert len(rows) == 392
    assert len({row.symbol for row in rows}) == 392
    assert all(row.reference_price and row.reference_providers >= 5 for row in rows)
    assert all(row.state is None and row.last_trade_ns < row.delivery_start_ns for row in rows)


def test_LIST_001_slots_of_the_core_last_for_more_than_a_year() -> None:
    on = date(2026, 11, 22)
    ever = {contract for days in range(365) for contract in listed_contracts(on + days * DAY)}
    assert 1_500 < len(ever) < 1_650
