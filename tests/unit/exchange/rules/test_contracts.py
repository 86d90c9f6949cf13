from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.contracts import (
    SYMBOL_BYTES_MAX,
    Contract,
    Part,
    Series,
    SymbolError,
    band_bps,
    parse_series,
    parse_symbol,
)
from exchange.rules.grades import GRADES
from exchange.rules.regions import HUBS
from exchange.rules.skus import SKUS
from exchange.rules.tenors import (
    Period,
    bom_period,
    calendar_period,
    date_of,
    day_period,
    month_period,
    ns_of,
    quarter_period,
    week_period,
)

_DAYS = st.dates(date(2020, 1, 6), date(2099, 12, 25))
_PERIODS = st.one_of(
    *(
        st.builds(of, _DAYS)
        for of in (day_period, week_period, month_period, quarter_period, calendar_period)
    ),
    st.builds(bom_period, _DAYS.filter(lambda day: day.day > 1)),
)
_SERIES = st.builds(Series, *(st.sampled_from(rows) for rows in (SKUS, HUBS, GRADES)))
_CONTRACTS = st.builds(Contract, _SERIES, _PERIODS)


@given(_CONTRACTS)
def test_every_contract_survives_its_symbol(contract: Contract) -> None:
    assert parse_symbol(contract.symbol) == contract
    assert len(contract.symbol.encode("ascii")) <= SYMBOL_BYTES_MAX
    assert parse_series(contract.series.symbol) == contract.series


@given(_CONTRACTS, st.integers(0, 40), st.characters())
def test_a_symbol_has_one_spelling_only(contract: Contract, at: int, letter: str) -> None:
    text = contract.symbol[:at] + letter + contract.symbol[at + 1 :]
    try:
        other = parse_symbol(text)
    except SymbolError:
        return
    assert other.symbol == text


@given(st.text(max_size=40))
def test_any_text_is_a_symbol_or_a_symbol_error(text: str) -> None:
    try:
        assert parse_symbol(text).symbol == text
    except SymbolError as error:
        assert len(str(error)) < 300


@pytest.mark.parametrize(
    ("symbol", "hours", "tick_value_usd_micros"),
    [
        ("H100-USE-2027M03", 744, 744_000),
        ("H100.T-USE-2027M02", 672, 672_000),
        ("H100-USE-2028M02", 696, 696_000),
        ("H100-USE-2027M04", 720, 720_000),
        ("H100-USE-2027Q2", 2184, 2_184_000),
        ("H100-USE-2027", 8760, 8_760_000),
        ("H100-USE-2028", 8784, 8_784_000),
        ("H100-USE-2027W14", 168, 168_000),
        ("H100-USE-2027M03D17", 24, 24_000),
        ("H100-USE-2027M03B15", 408, 408_000),
    ],
)
def test_CONT_001_lot_hours_and_tick_value(
    symbol: str, hours: int, tick_value_usd_micros: int
) -> None:
    contract = parse_symbol(symbol)
    assert contract.lot_gpu_hours == hours
    assert contract.tick_value_usd_micros == tick_value_usd_micros


@pytest.mark.parametrize(
    ("symbol", "part", "allowed"),
    [
        ("H100-USE", Part.SYMBOL, "SKU-HUB-PERIOD"),
        ("", Part.SYMBOL, "SKU-HUB-PERIOD"),
        ("H100-USE-2027M03-X", Part.SYMBOL, "SKU-HUB-PERIOD"),
        ("H100-USE-2027M03\0", Part.PERIOD, "2027M03"),
        ("H100-USE-2027٣", Part.SYMBOL, "ASCII"),
        ("H" * 33, Part.SYMBOL, "at most 32"),
        ("H900-USE-2027", Part.SKU, "A100, H100"),
        ("h100-USE-2027", Part.SKU, "A100, H100"),
        ("H100.N-USE-2027", Part.GRADE, "H100 alone"),
        ("H100.-USE-2027", Part.GRADE, "T, N, I, X"),
        ("H100.Q-USE-2027", Part.GRADE, "T, N, I, X"),
        ("H100-XX-2027", Part.HUB, "GLB, USE"),
        ("H100-USE-2027Q5", Part.PERIOD, "quarter 5 is not in 1..4"),
        ("H100-USE-2027M13", Part.PERIOD, "month 13 is not in 01..12"),
        ("H100-USE-2027M02D29", Part.PERIOD, "day 29 is not in 01..28 of 2027M02"),
        ("H100-USE-2027M02B01", Part.PERIOD, "day 01 is the month"),
        ("H100-USE-2025W53", Part.PERIOD, "week 53 is not in 01..52 of 2025"),
        ("H100-USE-1999", Part.PERIOD, "year 1999 is not in 2020..2099"),
        ("H100-USE-27M3", Part.PERIOD, "2027M03"),
    ],
)
def test_a_wrong_symbol_says_which_part_and_what_is_allowed(
    symbol: str, part: Part, allowed: str
) -> None:
    with pytest.raises(SymbolError) as caught:
        parse_symbol(symbol)
    assert caught.value.part is part
    assert allowed in caught.value.allowed


@given(_PERIODS)
def test_a_period_is_whole_days_and_its_hours_are_theirs(period: Period) -> None:
    assert period.start < period.end
    assert ns_of(period.end) - ns_of(period.start) == period.hours * 3600 * 10**9
    assert date_of(ns_of(period.end) - 1) < period.end


def test_the_band_is_narrow_for_near_delivery_and_wide_behind() -> None:
    on = date(2026, 11, 22)
    assert band_bps(month_period(date(2027, 2, 1)), on) == 300
    assert band_bps(month_period(date(2027, 3, 1)), on) == 600
