"""The forward curve: what each point comes from, and no arbitrage between strips and months."""

import random
from collections.abc import Callable
from datetime import date

import pytest

from exchange.rules.forward_curve import Point, Seen, Source, forward_curve, months_of
from exchange.rules.money import div_half_even
from exchange.rules.reference import PRICE_TICKS_LAST
from exchange.rules.tenors import Period, Tenor, parse_period

NO_REFERENCE: Callable[[Period], int] = lambda _: 0  # noqa: E731


def seen(code: str, settle: int = 2_000, bid: int = 0, ask: int = 0) -> Seen:
    return Seen(
        period=parse_period(code), symbol=f"X-{code}", settle_ticks=settle, bid_ticks=bid,
        ask_ticks=ask,
    )  # fmt: skip


def curve(*rows: Seen, reference: Callable[[Period], int] = NO_REFERENCE) -> dict[str, Point]:
    return {point.period.code: point for point in forward_curve(rows, reference)}


def test_curv_001_a_month_is_its_close_book_else_its_settlement_within_the_depth() -> None:
    found = curve(
        seen("2027M01", 2_000, 2_010, 2_020),
        seen("2027M02", 2_000, 2_050, 2_200),  # too wide: the settlement, but not below the bid
        seen("2027M03", 2_000),
        seen("2027M04", 2_000, 2_010, 2_010),  # crossed, as in a call: says nothing
    )
    got = {code: (one.price_ticks, one.source, one.rule) for code, one in found.items()}
    assert got == {
        "2027M01": (2_015, Source.BOOK, "CURV_001"),
        "2027M02": (2_050, Source.SETTLEMENT, "CURV_001"),
        "2027M03": (2_000, Source.SETTLEMENT, "CURV_001"),
        "2027M04": (2_000, Source.SETTLEMENT, "CURV_001"),
    }
    assert (found["2027M04"].bid_ticks, found["2027M04"].ask_ticks) == (0, 0)


def test_curv_003_months_that_are_not_listed_keep_the_shape_of_the_reference() -> None:
    levels = {"2028M01": 1_530, "2028M02": 1_500, "2028M03": 1_470}
    found = curve(seen("2028Q1", 1_600), reference=lambda period: levels.get(period.code, 0))
    moved = [found[code].price_ticks - ticks for code, ticks in levels.items()]
    assert max(moved) - min(moved) <= 1, "all by as many ticks, but for the rounding"
    assert all(found[code].rule == "CURV_003" for code in levels)
    assert {found[code].moved_by for code in levels} == {"2028Q1"}
    assert {found[code].symbol for code in levels} == {""}
    assert found["2028Q1"].price_ticks == 1_600


def test_a_month_of_which_nothing_is_known_begins_at_its_strip() -> None:
    found = curve(seen("2028Q1", 1_600))
    assert {one.price_ticks for one in found.values()} == {1_600}
    assert found["2028M02"].source is Source.STRIP


def test_curv_003_a_quoted_quarter_moves_the_months_that_nobody_quotes() -> None:
    found = curve(
        seen("2027M01", 2_000, 2_018, 2_022), seen("2027M02"), seen("2027M03"),
        seen("2027Q1", 2_000, 2_046, 2_054),
    )  # fmt: skip
    assert found["2027M01"].price_ticks == 2_020, "its book is close: it stays"
    assert found["2027Q1"].price_ticks == 2_050
    assert abs(found["2027M02"].price_ticks - found["2027M03"].price_ticks) <= 1
    assert found["2027M02"].source is Source.STRIP


def test_curv_004_quoted_months_move_within_their_books_and_no_farther_than_needed() -> None:
    months = [seen(code, 2_000, 1_990, 2_010) for code in ("2027M01", "2027M02", "2027M03")]
    found = curve(*months, seen("2027Q1", 2_000, 2_006, 2_020))
    assert found["2027Q1"].price_ticks == 2_006
    assert found["2027Q1"].arbitrage_ticks == 0
    for code in ("2027M01", "2027M02", "2027M03"):
        assert 2_005 <= found[code].price_ticks <= 2_010
        assert (found[code].rule, found[code].own_source) == ("CURV_004", Source.BOOK)
    within = curve(*months, seen("2027Q1", 2_000, 1_998, 2_008))
    assert within["2027M01"].price_ticks == 2_000, "there is nothing to gain: nobody moves"


def test_curv_004_a_wide_book_of_a_strip_bounds_months_without_books_first() -> None:
    found = curve(
        seen("2027M01", 2_000, 1_998, 2_002), seen("2027M02"), seen("2027M03"),
        seen("2027Q1", 2_000, 2_100, 2_400),
    )  # fmt: skip
    assert (found["2027M01"].price_ticks, found["2027M01"].rule) == (2_000, "CURV_001")
    assert found["2027M02"].rule == found["2027M03"].rule == "CURV_004"
    assert found["2027Q1"].price_ticks == 2_100


@pytest.mark.parametrize(("bid", "ask"), [(2_030, 2_040), (1_940, 1_950)])
def test_curv_005_an_arbitrage_between_books_is_said(bid: int, ask: int) -> None:
    months = [seen(code, 2_000, 1_990, 2_010) for code in ("2027M01", "2027M02", "2027M03")]
    found = curve(*months, seen("2027Q1", 2_000, bid, ask))
    edge = 2_010 if bid > 2_000 else 1_990
    assert {found[one.symbol[2:]].price_ticks for one in months} == {edge}
    assert found["2027Q1"].price_ticks == edge
    assert found["2027Q1"].arbitrage_ticks == (bid - edge if bid > edge else edge - ask)


def test_a_year_moves_months_without_taking_a_quarter_beyond_its_book() -> None:
    year = [f"2027M{month:02d}" for month in range(1, 13)]
    found = curve(
        *map(seen, year),
        seen("2027Q1", 2_000, 1_998, 2_002),
        seen("2027Q2", 2_000, 1_900, 2_010),  # wide: no evidence, yet anybody may sell at 1.900
        seen("2027Q3"), seen("2027Q4"),
        seen("2027", 2_000, 2_096, 2_104),
    )  # fmt: skip
    assert found["2027"].price_ticks == 2_100
    assert found["2027Q1"].price_ticks == 2_000, "its book is as good as the year's"
    assert found["2027Q2"].price_ticks == 2_010
    assert abs(found["2027Q3"].price_ticks - found["2027Q4"].price_ticks) <= 1
    assert found["2027Q4"].price_ticks > 2_150
    assert all(one.arbitrage_ticks == 0 for one in found.values())


CODES = (
    *(f"2027M{month:02d}" for month in range(1, 13)),
    *(f"{year}Q{quarter}" for year in (2027, 2028) for quarter in range(1, 5)),
    "2027", "2028", "2029",
)  # fmt: skip


def random_rows(rng: random.Random) -> list[Seen]:
    rows = []
    for code in CODES:
        if rng.random() < 0.1:
            continue
        middle, width = rng.randint(1_800, 2_200), rng.choice((2, 20, 200, 400))
        bid, ask = max(1, middle - width), middle + width
        book = rng.random()
        rows.append(
            seen(
                code, rng.randint(1_900, 2_100),
                bid if book < 0.6 else 0, ask if 0.1 < book < 0.6 else 0,
            )
        )  # fmt: skip
    return rows


def bounds(point: Point) -> tuple[int, int]:
    return point.bid_ticks or 1, point.ask_ticks or PRICE_TICKS_LAST


def value_range(period: Period, found: dict[str, Point]) -> tuple[int, int]:
    """Return between what the hour-weighted sum of months may lie, by all books within a period.

    Where books leave nothing in between, low is above high.
    """
    if period.tenor is Tenor.CALENDAR:
        parts = [parse_period(f"{period.start.year}Q{quarter}") for quarter in range(1, 5)]
    else:
        parts = months_of(period) if period.tenor is Tenor.QUARTER else []
    own = found.get(period.code)
    low_ticks, high_ticks = bounds(own) if own else (1, PRICE_TICKS_LAST)
    low, high = low_ticks * period.hours, high_ticks * period.hours
    if parts:
        ranges = [value_range(part, found) for part in parts]
        if any(at > to for at, to in ranges):
            return 1, 0
        low = max(low, sum(at for at, _ in ranges))
        high = min(high, sum(to for _, to in ranges))
    return low, high


@pytest.mark.parametrize("seed", range(60))
def test_strips_are_their_months_and_books_hold_wherever_that_is_possible(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(5):
        rows = random_rows(rng)
        found = curve(*rows, reference=shape)
        for point in found.values():
            low, high = bounds(point)
            if point.source is not Source.MONTHS:
                assert low <= point.price_ticks <= high, point
                continue
            months = [found[month.code] for month in months_of(point.period)]
            value = sum(one.period.hours * one.price_ticks for one in months)
            assert point.price_ticks == div_half_even(value, point.period.hours)
            outside = max(low - point.price_ticks, point.price_ticks - high, 0)
            assert point.arbitrage_ticks == outside
            at_least, at_most = value_range(point.period, found)
            if at_least <= at_most:
                assert outside == 0, f"{point} could be within {at_least} and {at_most}"


def shape(period: Period) -> int:
    return 2_100 - (period.start - date(2027, 1, 1)).days // 3


def test_the_same_books_give_the_same_curve_in_any_order() -> None:
    rows = random_rows(random.Random(1))
    shuffled = random.Random(2).sample(rows, len(rows))
    assert forward_curve(rows, NO_REFERENCE) == forward_curve(shuffled, NO_REFERENCE)
