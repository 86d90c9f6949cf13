"""Symbols of combinations both ways, and which are listed."""

from datetime import date

import pytest

from exchange.rules.combinations import (
    CombinationKind,
    is_combination,
    listed_combinations,
    parse_combination,
)
from exchange.rules.contracts import SymbolError
from exchange.rules.legs import Listed

ON = date(2026, 11, 22)

SYMBOLS = {
    "H100-USE-2027M03/2027M04": ("H100-USE-2027M03", "H100-USE-2027M04"),
    "H100.T-USE-2027Q1/2027Q2": ("H100.T-USE-2027Q1", "H100.T-USE-2027Q2"),
    "H100-USE/EUW-2027M03": ("H100-USE-2027M03", "H100-EUW-2027M03"),
    "H200/H100-USE-2027M03": ("H200-USE-2027M03", "H100-USE-2027M03"),
    "H100/H100.T-USE-2027M03": ("H100-USE-2027M03", "H100.T-USE-2027M03"),
    "H100-USE-2027Q2:M": ("H100-USE-2027M04", "H100-USE-2027M05", "H100-USE-2027M06"),
    "H100-USE-2027:M": tuple(f"H100-USE-2027M{month:02}" for month in range(1, 13)),
    "H100-USE-2027:Q": tuple(f"H100-USE-2027Q{quarter}" for quarter in range(1, 5)),
}


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_symbol_names_its_legs_and_comes_back(symbol: str):
    combination = parse_combination(symbol)
    assert combination.symbol == symbol
    assert tuple(leg.symbol for leg, _ in combination.legs) == SYMBOLS[symbol]
    ratios = [ratio for _, ratio in combination.legs]
    is_strip = combination.kind is CombinationKind.STRIP
    assert ratios == ([1] * len(ratios) if is_strip else [1, -1])
    assert combination.last_trade_ns == min(leg.last_trade_ns for leg, _ in combination.legs)
    assert is_combination(symbol)


@pytest.mark.parametrize(
    "symbol",
    [
        "H100-USE-2027M03",
        "H100-USE-2027M04/2027M03",
        "H100-USE-2027M03/2027M03",
        "H100-USE/USE-2027M03",
        "H100-USE/EUW-2027M03/2027M04",
        "H100-USE/EUW/USC-2027M03",
        "H100-USE-2027M03:M",
        "H100-USE-2027Q2:Q",
        "H100-USE-2027Q2:",
        "H100-USE/EUW-2027Q2:M",
        "H100-USE-2027M3/2027M04",
        "H100-USE-2027M03/",
        "H100-XXX/USE-2027M03",
        "RTXPRO6000.T/RTXPRO6000-GLB-2027M03",
        "",
    ],
)
def test_a_text_that_names_none_is_refused(symbol: str):
    with pytest.raises(SymbolError):
        parse_combination(symbol)


def test_a_single_contract_is_none():
    assert not is_combination("H100.T-USE-2027M03")


def test_every_listed_combination_has_a_name_that_comes_back():
    listed = listed_combinations(Listed.ALL, ON)
    assert len({one.symbol for one in listed}) == len(listed)
    assert all(parse_combination(one.symbol) == one for one in listed)
    assert {one.kind for one in listed} == set(CombinationKind)


def test_what_is_listed_is_modest_and_none_by_default():
    assert listed_combinations(Listed.NONE, ON) == []
    front = [one.symbol for one in listed_combinations(Listed.FRONT, ON)]
    assert front == [
        "H100-GLB-2026M12/2027M01",
        "H100-GLB-2027M01/2027M02",
        "H100-GLB-2027M02/2027M03",
        "H100-GLB-2027Q1:M",
        "H100-USE-2026M12/2027M01",
        "H100-USE-2027M01/2027M02",
        "H100-USE-2027M02/2027M03",
        "H100-USE-2027Q1:M",
        "H100-USE/EUW-2026M12",
        "H200/H100-GLB-2026M12",
    ]
    assert len(listed_combinations(Listed.ALL, ON)) == 16 * (11 + 3) + 2 * 3
