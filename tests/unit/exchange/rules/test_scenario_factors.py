"""Factor returns, their filtering, and the principal components of the curve."""

from datetime import date, timedelta

import pytest

from exchange.io.price_data import load_price_data
from exchange.rules.quotes import PriceData, Quote, Step
from exchange.rules.scenario_curve import components
from exchange.rules.scenario_factors import (
    LEVEL,
    factors,
    filtered,
    moved_windows,
    volatility,
    windows,
)
from exchange.rules.scenario_history import History, history

FIRST = date(2026, 1, 1)


def quote(day: int, provider: str, usd_micros: int, region: str = "us-east1", **more: str) -> Quote:
    return Quote(
        day=FIRST + timedelta(days=day), provider=provider, region=region, hub="USE",
        raw_sku=more.get("sku", "H100-SXM"), gpus=1, usd_micros=usd_micros,
        kind=more.get("kind", "on-demand"), source=more.get("source", "gpurentalprices"),
        instance="",
    )  # fmt: skip


def changes(*quotes: Quote, steps: tuple[Step, ...] = ()) -> dict[int, int]:
    data = PriceData(offers=quotes, reserved=(quote(0, "x", 1, kind="reserved-1y"),), steps=steps)
    return history(data, data.last_day).changes["H100-SXM", "GLB"]


def test_an_offer_is_compared_with_itself_alone() -> None:
    found = changes(quote(0, "a", 2_000_000), quote(1, "b", 9_000_000), quote(2, "a", 2_200_000))
    assert found == {0: 0, 1: 0, 2: 50_000}  # a rose by 10 %, b stood still


def test_a_provider_has_one_vote_however_many_offers_it_has() -> None:
    many = [quote(0, "a", 1_000_000, region) for region in ("us-east1", "us-east4", "us-east5")]
    found = changes(*many, quote(0, "b", 1_000_000), quote(1, "b", 900_000))
    assert found[1] == -50_000


def test_a_restated_price_and_a_factor_above_three_move_nothing() -> None:
    one = quote(1, "a", 1_500_000)
    step = Step(one.day, "H100-SXM", "on-demand", 5_000, True, one.key)
    assert changes(quote(0, "a", 1_000_000), one, steps=(step,))[1] == 0
    assert changes(quote(0, "a", 1_000_000), quote(1, "a", 3_000_001))[1] == 0
    assert changes(quote(0, "a", 1_000_000), quote(1, "a", 3_000_000))[1] == 2_000_000


def test_a_source_that_fell_silent_says_nothing_any_more() -> None:
    late = quote(70, "z", 1, sku="B200", source="cyclenerd-gcp")
    found = changes(quote(0, "a", 1_000_000), late)
    assert max(found) == 60  # gpurentalprices is stale after 60 days
    assert 70 not in found


def test_level_spread_and_basis_add_up_to_the_change_of_a_cell() -> None:
    data = load_price_data()
    known = history(data, data.last_day)
    found = factors(known)
    for cell in (("H100-SXM", "USE"), ("A100-80GB", "EUW")):
        days = known.changes[cell]
        for day in sorted(days)[::50] + [d for d, c in days.items() if c]:
            assert sum(found.rows[name][day] for name in found.names_of(cell)) == days[day]


def test_nothing_quoted_later_is_looked_at() -> None:
    data, on = load_price_data(), date(2025, 6, 5)
    early = PriceData(
        offers=tuple(q for q in data.offers if q.day <= on),
        reserved=tuple(q for q in data.reserved if q.day <= on),
        steps=tuple(s for s in data.steps if s.day <= on),
    )
    whole = history(data, data.last_day).until(on)
    assert history(early, on) == whole == history(data, on)


def test_volatility_never_falls_below_that_of_all_days() -> None:
    row = [40_000, -40_000, *([0] * 98)]
    found = volatility(row, 100)
    assert found.floor == 5_656  # root of 2 x 40,000^2 / 100
    assert found.now < found.floor < max(found.before)


def test_filtering_leaves_a_move_after_quiet_days_as_it_was() -> None:
    row = [0] * 50 + [10_000] + [0] * 49
    assert filtered(row, 100)[50] == 10_000


def test_filtering_makes_moves_of_wild_days_smaller_in_quiet_ones() -> None:
    row = [30_000, -30_000] * 20 + [0] * 300
    found = filtered(row, 340)
    assert 0 < found[38] < 30_000


def test_windows_overlap_and_sum_two_days() -> None:
    assert windows([1, 2, 3, 4]) == [3, 5, 7]
    assert moved_windows({"a": [0, 5, 0], "b": [0, 0, 1]}) == [1, 2]


def test_components_are_those_of_a_known_ellipse() -> None:
    # Everything moves together, and the slope by a tenth of that.
    moves = [(1000, 1000, 1000), (-1000, -1000, -1000), (100, 0, -100), (-100, 0, 100)]
    found = components(moves)
    assert found.loadings[0] == (577_350, 577_350, 577_350)
    assert found.loadings[1] == (707_107, 0, -707_107)
    assert found.share_bps == (9_934, 66, 0)
    assert found.score(1, (100, 0, -100)) == 141


def test_a_twist_leaves_the_front_alone_and_is_a_line_between_nodes() -> None:
    found = components([(1000, 1000, 1000), (100, 0, -100)])
    assert found.twist(1, 0) == 0
    assert found.twist(1, 365) == pytest.approx(2 * found.twist(1, 182), rel=0.01)
    assert found.twist(1, 5_000) == found.twist(1, 1_095)


def test_without_moves_there_are_components_and_no_error() -> None:
    assert components([]).share_bps == (0, 0, 0)


def test_a_history_without_committed_prices_has_no_twist() -> None:
    found = factors(History(FIRST, 3, {("H100-SXM", "GLB"): {0: 0, 1: 500, 2: 0}}, {}))
    assert set(found.rows) == {LEVEL, "spread:H100-SXM"}
