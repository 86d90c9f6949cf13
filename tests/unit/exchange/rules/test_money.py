from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.money import (
    DecimalError,
    Reason,
    div_ceil,
    div_half_even,
    lots_of,
    price_text,
    price_ticks_of,
    round_half_even,
    scaled_of,
    scaled_text,
    usd_micros_of,
    usd_text,
)


@pytest.mark.parametrize(
    ("text", "ticks"),
    [("2.15", 2150), ("2.150", 2150), ("0.001", 1), ("65.535", 65535), ("0", 0), ("3.0000", 3000)],
)
def test_a_price_text_becomes_its_ticks(text: str, ticks: int) -> None:
    assert price_ticks_of(text) == ticks


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2.1505", Reason.TOO_MANY_DECIMALS),
        ("-1", Reason.NEGATIVE),
        ("9" * 13, Reason.TOO_LARGE),
        ("0." + "0" * 6000 + "1", Reason.TOO_MANY_DECIMALS),
        *(
            (text, Reason.NOT_A_DECIMAL)
            for text in ("", " 1 ", "+1", "1e3", "NaN", "Infinity", ".5")
        ),
        *(
            (text, Reason.NOT_A_DECIMAL)
            for text in ("1.", "01", "1_000", "1,0", "٣", "0x1", "1\n", "--1")
        ),
    ],
)
def test_a_text_that_is_no_price_is_refused_with_its_reason(text: str, reason: Reason) -> None:
    with pytest.raises(DecimalError) as caught:
        price_ticks_of(text)
    assert caught.value.reason is reason
    assert len(str(caught.value)) < 200


def test_texts_of_money_show_two_to_six_decimals() -> None:
    assert [usd_text(m) for m in (0, 744_000, -12_500_000, 1, 1_000_000_000_000)] == [
        "0.00", "0.744", "-12.50", "0.000001", "1000000.00",
    ]  # fmt: skip
    assert price_text(2150) == "2.150"
    assert lots_of("3.0") == 3
    with pytest.raises(DecimalError, match="at most 0 decimals"):
        lots_of("0.5")


@given(st.integers(-(10**18), 10**18), st.integers(0, 6))
def test_every_scaled_number_survives_its_text(scaled: int, digits: int) -> None:
    text = scaled_text(scaled, digits)
    if abs(scaled) < 10 ** (12 + digits):
        assert scaled_of(text, digits, signed=True) == scaled
    assert Decimal(text) * 10**digits == scaled


@given(st.integers(-(10**15), 10**15))
def test_every_amount_of_money_survives_its_text(usd_micros: int) -> None:
    assert usd_micros_of(usd_text(usd_micros), signed=True) == usd_micros


@given(st.integers(-(10**20), 10**20), st.integers(1, 10**9))
def test_rounding_does_what_its_name_says(amount: int, parts: int) -> None:
    assert parts * (div_ceil(amount, parts) - 1) < amount <= parts * div_ceil(amount, parts)
    nearest = div_half_even(amount, parts)
    assert 2 * abs(amount - parts * nearest) <= parts
    if 2 * abs(amount - parts * nearest) == parts:
        assert nearest % 2 == 0


@pytest.mark.parametrize(("value", "whole"), [("0.5", 0), ("1.5", 2), ("-0.5", 0), ("2.49", 2)])
def test_round_half_even_takes_ties_to_the_even_number(value: str, whole: int) -> None:
    assert round_half_even(Decimal(value)) == whole
