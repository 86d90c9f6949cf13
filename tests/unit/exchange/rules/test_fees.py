from datetime import date

import pytest

from exchange.rules.fees import fee_row


def test_fees_are_zero_until_the_clearing_house_charges() -> None:
    row = fee_row("standard", date(2026, 11, 22))
    assert row.maker_usd_micros_per_gpu_hour == row.taker_usd_micros_per_gpu_hour == 0
    assert row.clearing_usd_micros_per_gpu_hour == 0


@pytest.mark.parametrize(
    ("tier", "on"), [("gold", date(2026, 1, 1)), ("standard", date(2025, 1, 1))]
)
def test_an_unknown_tier_or_day_is_refused(tier: str, on: date) -> None:
    with pytest.raises(KeyError, match="no fee tier"):
        fee_row(tier, on)
