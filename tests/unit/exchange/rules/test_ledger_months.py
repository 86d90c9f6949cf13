"""Months of the ledger: first and last nanosecond, and the ends of what 64 bits can name."""

from datetime import UTC, datetime

import pytest

from exchange.rules.ledger_months import month_of, month_start_ns

S = 1_000_000_000


def ns(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * S


@pytest.mark.parametrize(
    ("year", "month"), [(1970, 1), (1999, 12), (2024, 2), (2026, 11), (2262, 4)]
)
def test_a_month_is_from_its_first_to_its_last_nanosecond(year, month):
    number = year * 12 + month - 1
    start = ns(year, month, 1)
    assert month_start_ns(number) == start
    assert month_of(start) == number == month_of(start + 1)
    assert month_of(start - 1) == number - 1


def test_the_last_time_of_all_has_a_month():
    assert month_of(2**63 - 1) == 2262 * 12 + 3
