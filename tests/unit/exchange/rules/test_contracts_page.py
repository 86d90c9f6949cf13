"""The worked examples of docs/contracts.md, computed again."""

from datetime import date
from pathlib import Path

import pytest

from exchange.io.price_data import load_price_data
from exchange.rules.catalogue import LISTED_SERIES, listed_contracts
from exchange.rules.contracts import parse_series, parse_symbol
from exchange.rules.money import div_half_even, price_text, usd_text
from exchange.rules.reference import references
from exchange.rules.regions import HUB_BY_CLOUD_REGION, HUB_BY_COUNTRY
from exchange.rules.scenarios import WORST_COUNT, MarginModel
from exchange.rules.settlement import MARK_MOVE_BPS, PRICE_LIMITS, STEP_BPS, TIGHT_BPS
from exchange.rules.tenors import DAY, iso_text, parse_period
from matching.limits import CONTRACTS_MAX

PAGE = (Path(__file__).parents[4] / "docs" / "contracts.md").read_text(encoding="utf-8")
ON = date(2026, 11, 22)
PRICES = references(load_price_data(), LISTED_SERIES, ON)


def rows_of(header: str) -> list[list[str]]:
    """Return the cells of the table whose header line begins with `header`."""
    lines = PAGE.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(header))
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip(" `") for cell in line.strip("|").split("|")])
    assert rows
    return rows


@pytest.mark.parametrize("row", rows_of("| Symbol | Hours"), ids=lambda row: row[0])
def test_DOC_001_hours_tick_value_and_dates_are_as_written(row: list[str]) -> None:
    contract = parse_symbol(row[0])
    period = contract.period
    assert row[1:] == [
        str(contract.lot_gpu_hours),
        usd_text(contract.tick_value_usd_micros),
        str(period.start),
        str(period.end - DAY),
        iso_text(contract.last_trade_ns)[:16].replace("T", " "),
    ]


@pytest.mark.parametrize("row", rows_of("| Series | Level"), ids=lambda row: row[0])
def test_DOC_002_reference_prices_are_as_written(row: list[str]) -> None:
    series = parse_series(row[0])
    level = PRICES.levels[series]
    forward = [PRICES.of_series(series, parse_period(code)) for code in ("2027M03", "2028")]
    assert row[1:] == [
        price_text(div_half_even(level.usd_micros, 1000)),
        level.rule.value,
        str(level.providers),
        str(level.offers),
        str(level.basis_bps) if level.basis_providers else "",
        *(price_text(reference.price_ticks) for reference in forward if reference),
    ]


@pytest.mark.parametrize("row", rows_of("| Symbol | Price"), ids=lambda row: row[0])
def test_DOC_003_margin_is_as_written(row: list[str]) -> None:
    contract = parse_symbol(row[0])
    reference = PRICES.of(contract)
    assert reference is not None
    shocks = MarginModel(load_price_data().steps).shocks(contract, reference.price_ticks, ON)
    worst = -sum(sorted(shocks)[:WORST_COUNT])
    assert row[1:] == [
        price_text(reference.price_ticks),
        usd_text(contract.tick_value_usd_micros * reference.price_ticks),
        usd_text(-(-worst // WORST_COUNT)),
    ]


def test_DOC_004_the_counts_of_the_page_hold() -> None:
    assert len(LISTED_SERIES) == 16
    assert len(listed_contracts(ON)) == 392
    assert f"{len(HUB_BY_CLOUD_REGION)} cloud regions" in PAGE
    assert f"{len(HUB_BY_COUNTRY)} countries" in PAGE
    seen: set[str] = set()
    days = 0
    while len(seen) <= CONTRACTS_MAX:
        seen |= {contract.symbol for contract in listed_contracts(ON + days * DAY)}
        days += 1
    assert days > 10 * 365


def test_DOC_005_the_limits_of_marks_are_as_written() -> None:
    thin, deep = PRICE_LIMITS
    rows = rows_of("| What stands")
    assert [row[0] for row in rows] == [
        f"less than {deep.depth_gpu_hours:,} GPU-hours, or no book",
        f"{deep.depth_gpu_hours:,} GPU-hours or more",
    ]
    assert rows[1][1] == str(-(-deep.depth_gpu_hours // 744))
    assert [row[2] for row in rows] == [
        f"{limit.day_bps // 100} % at most" for limit in PRICE_LIMITS
    ]
    assert f"when {thin.depth_gpu_hours:,} GPU-hours stand on each side" in PAGE
    assert f"within {TIGHT_BPS / 100} % of each other" in PAGE
    assert f"A mark moves {STEP_BPS / 100} % (or a tick) a second" in PAGE
    assert f"Moves under {MARK_MOVE_BPS / 100} % wait" in PAGE
