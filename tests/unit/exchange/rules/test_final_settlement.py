"""The price and worth of a period from its prints, to the micro-dollar."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from exchange.rules.contracts import parse_symbol
from exchange.rules.final_settlement import (
    NOTHING_FIXED,
    DayPrint,
    FixedDays,
    accrues_ns,
    final_ns,
    final_price_usd_micros,
    lot_worth_usd_micros,
    prints_digest,
    provisional_ns,
)
from exchange.rules.tenors import DAY, NS_PER_HOUR, ns_of

PAGE = Path(__file__).parents[4] / "docs/contracts.md"
ROW = re.compile(r"^\| ([0-9., ]+) \| ([0-9.]+) \| ([0-9.]+) \|$", re.M)


def micros(text: str) -> int:
    return int(Decimal(text) * 1_000_000)


def worked() -> list[tuple[str, str, str]]:
    section = PAGE.read_text().partition("## After the last trade")[2].partition("\n## ")[0]
    return ROW.findall(section)


@pytest.mark.parametrize(("prints", "price", "worth"), worked())
def test_FNST_001_the_examples_of_the_page_are_true(prints, price, worth):
    prices = [micros(one) for one in prints.split(", ")]
    assert final_price_usd_micros(prices) == micros(price)
    assert lot_worth_usd_micros(len(prices), prices) == micros(worth)


def test_the_page_has_examples():
    assert len(worked()) == 3


def test_FNST_001_half_a_step_goes_to_the_even_price():
    assert final_price_usd_micros([2_000_050]) == 2_000_000
    assert final_price_usd_micros([2_000_150]) == 2_000_200
    assert final_price_usd_micros([2_000_051]) == 2_000_100


def test_FNST_002_the_rest_of_the_days_counts_at_the_newest_print():
    assert lot_worth_usd_micros(31, [2_000_001, 3_000_002]) == 24 * (2_000_001 + 30 * 3_000_002)


def test_FNST_003_the_digest_names_every_day_price_and_print():
    first = DayPrint(date(2027, 3, 1), 2_000_000, "a" * 64)
    base = prints_digest("H100-USE-2027M03", [first])
    assert len(base) == 32 and prints_digest("H100-USE-2027M03", []) == NOTHING_FIXED
    for other in (
        first._replace(day=date(2027, 3, 2)),
        first._replace(price_usd_micros=2_000_001),
        first._replace(digest="b" * 64),
    ):
        assert prints_digest("H100-USE-2027M03", [other]) != base
    assert prints_digest("H100-EUW-2027M03", [first]) != base


def test_FNST_004_a_settlement_is_final_at_the_noon_that_leaves_it_a_day():
    period = parse_symbol("H100-USE-2027M03").period
    assert provisional_ns(period) == ns_of(date(2027, 4, 1), 12)
    assert final_ns(period) == ns_of(date(2027, 4, 2), 12)
    on_time = provisional_ns(period) + 5 * NS_PER_HOUR // 6
    assert final_ns(period, on_time) == ns_of(date(2027, 4, 2), 12)
    assert final_ns(period, on_time + NS_PER_HOUR) == ns_of(date(2027, 4, 3), 12)


def test_days_count_from_the_first_up_to_one_that_is_missing():
    days, period = FixedDays(), parse_symbol("H100-USE-2027W14").period
    for number in (0, 1, 3):
        days.add("H100-USE", DayPrint(period.start + number * DAY, 2_000_000 + number, "c" * 64))
    assert [one.price_usd_micros for one in days.of("H100-USE", period)] == [2_000_000, 2_000_001]
    assert days.of("H100-EUW", period) == []
    days.add("H100-USE", DayPrint(period.start, 9, "d" * 64))  # a final print stays
    assert days.of("H100-USE", period)[0].price_usd_micros == 2_000_000
    assert accrues_ns(period.start) == ns_of(period.start + DAY, 12)
