from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.calendar import (
    business_day_before,
    is_business_day,
    last_trade_ns,
    last_trading_day,
    listed_periods,
)
from exchange.rules.catalogue import listed_contracts
from exchange.rules.combinations import listed_combinations
from exchange.rules.legs import Listed
from exchange.rules.tenors import TENOR_ROW, Tenor, iso_text, parse_period
from matching.limits import CONTRACTS_MAX

_ON = st.dates(date(2024, 1, 1), date(2090, 12, 31))
_TENORS = st.sampled_from(Tenor)


@pytest.mark.parametrize(
    ("tenor", "codes"),
    [
        (Tenor.DAY, "2026M12D01 2026M12D02 2026M12D03 2026M12D04 2026M12D05 2026M12D06 2026M12D07"),
        (Tenor.BOM, "2026M12B08"),
        (Tenor.WEEK, "2026W50 2026W51 2026W52 2026W53"),
        (
            Tenor.MONTH,
            "2026M12 2027M01 2027M02 2027M03 2027M04 2027M05 2027M06 2027M07 2027M08 2027M09"
            " 2027M10 2027M11",
        ),
        (Tenor.QUARTER, "2027Q1 2027Q2 2027Q3 2027Q4 2028Q1 2028Q2 2028Q3 2028Q4"),
        (Tenor.CALENDAR, "2027 2028 2029"),
    ],
)
def test_CONT_010_periods_listed_on_monday_30_november_2026(tenor: Tenor, codes: str) -> None:
    assert " ".join(p.code for p in listed_periods(tenor, date(2026, 11, 30))) == codes


@pytest.mark.parametrize(
    ("code", "end_of_trading"),
    [
        ("2027M03D17", "2027-03-16T16:00:00Z"),  # the day before, whatever day it is
        ("2027M03D15", "2027-03-14T16:00:00Z"),  # a Sunday
        ("2026M12", "2026-11-30T16:00:00Z"),  # last business day before delivery
        ("2027M03", "2027-02-26T16:00:00Z"),  # a Friday: the 27th and 28th are no business days
        ("2027M03B15", "2027-03-12T16:00:00Z"),
        ("2027W14", "2027-04-02T16:00:00Z"),  # the Friday before the Monday
        ("2027Q1", "2026-12-29T16:00:00Z"),  # third-last business day before
        ("2027", "2026-12-29T16:00:00Z"),
        ("2028", "2027-12-29T16:00:00Z"),
    ],
)
def test_CONT_011_trading_ends(code: str, end_of_trading: str) -> None:
    assert iso_text(last_trade_ns(parse_period(code))) == end_of_trading


def test_business_days_are_counted_backwards_over_a_weekend() -> None:
    monday = date(2026, 11, 30)
    assert business_day_before(monday, 1) == date(2026, 11, 27)
    assert business_day_before(monday, 3) == date(2026, 11, 25)
    assert not is_business_day(date(2026, 11, 28))


@given(_TENORS, _ON)
def test_every_listing_is_whole_in_order_and_still_trading(tenor: Tenor, on: date) -> None:
    periods = listed_periods(tenor, on)
    assert len(periods) == TENOR_ROW[tenor].listed_count
    assert list(periods) == sorted(set(periods))
    assert all(last_trading_day(period) >= on for period in periods)
    assert all(last_trading_day(period) < period.start for period in periods)


@given(_TENORS, _ON)
def test_from_one_day_to_the_next_only_ended_contracts_leave(tenor: Tenor, on: date) -> None:
    today, tomorrow = listed_periods(tenor, on), listed_periods(tenor, on + timedelta(days=1))
    gone = [period for period in today if period not in tomorrow]
    assert all(last_trading_day(period) == on for period in gone)
    assert len(set(tomorrow) - set(today)) == len(gone)


@given(_ON)
def test_strips_are_made_of_whole_months(on: date) -> None:
    for tenor in (Tenor.QUARTER, Tenor.CALENDAR):
        for period in listed_periods(tenor, on):
            assert period.start.day == period.end.day == 1


def test_CONT_011_the_core_has_room_for_ten_years_of_contracts_and_combinations() -> None:
    first, symbols = date(2026, 11, 22), set[str]()
    counts = []
    for days in range(0, 2 * 364 + 1, 7):  # the days of a week are listed before it begins
        on = first + timedelta(days)
        symbols.update(contract.symbol for contract in listed_contracts(on))
        symbols.update(one.symbol for one in listed_combinations(Listed.ALL, on))
        counts.append(len(symbols))
    of_a_year = counts[-1] - counts[52]
    assert 1_300 < of_a_year < 1_500
    assert counts[0] + 10 * of_a_year < CONTRACTS_MAX - 500
