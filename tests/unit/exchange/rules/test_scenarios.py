"""The margin matrix: its rows, its arithmetic, and what it asks of simple positions."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.io.price_data import load_price_data
from exchange.rules.catalogue import LISTED_SERIES, listed_contracts
from exchange.rules.contracts import Contract, parse_symbol
from exchange.rules.operations import stage_commands, swap_command
from exchange.rules.quotes import Step
from exchange.rules.reference import references
from exchange.rules.regions import HUB_BY_SYMBOL
from exchange.rules.scenarios import (
    MOVE_MIN_BPS,
    SCENARIO_COUNT,
    SCENARIOS,
    WORST_COUNT,
    MarginModel,
    matrix_hash,
    shape_factors,
    step_sizes,
)
from exchange.rules.skus import SKU_BY_SYMBOL
from exchange.rules.stress import MODELS, RISK_DAYS, STRESS_ROWS, Quantile, Shape
from exchange.rules.tenors import DAY
from matching.codes import Kind
from matching.limits import SHOCK_TICKS_MAX, TICK_VALUE_USD_MICROS_MAX
from matching.wire import SHOCK_WORD, command_words

ON = date(2026, 11, 22)
MODEL = MarginModel(load_price_data().steps)
PRICES = references(load_price_data(), LISTED_SERIES, ON)
_CONTRACTS = st.sampled_from(listed_contracts(ON))


def price_of(contract: Contract) -> int:
    reference = PRICES.of(contract)
    assert reference is not None
    return reference.price_ticks


def shocks_of(symbol: str) -> list[int]:
    contract = parse_symbol(symbol)
    return MODEL.shocks(contract, price_of(contract), ON)


def requirement_bps(profits: list[int], notional_usd_micros: int) -> int:
    """Return the mean of the worst, in basis points of a notional."""
    return -sum(sorted(profits)[:WORST_COUNT]) * 10_000 // (WORST_COUNT * notional_usd_micros)


def test_every_row_has_a_story_a_source_and_known_names() -> None:
    assert len(SCENARIOS) == SCENARIO_COUNT == 64
    for row in STRESS_ROWS:
        assert row.story and row.source and row.days >= 1
        assert {hub for hub, _ in row.hubs} <= set(HUB_BY_SYMBOL)
        assert {sku for sku, _ in row.skus} <= set(SKU_BY_SYMBOL)
    assert {series.sku.symbol for series in LISTED_SERIES} == set(MODELS)


@given(_CONTRACTS, st.integers(1, 65_535))
def test_MARG_001_shocks_are_whole_bounded_and_mirrored(contract: Contract, price: int) -> None:
    shocks = MODEL.shocks(contract, price, ON)
    value = contract.tick_value_usd_micros
    assert all(isinstance(shock, int) and abs(shock) <= value << 16 for shock in shocks)
    assert min(shocks) >= -value * price  # nobody loses more than the price
    for up, down, move in zip(
        shocks[::2], shocks[1::2], MODEL.moves_bps(contract, ON)[::2], strict=True
    ):
        if abs(move) < -MOVE_MIN_BPS:
            assert up == -down or max(up, down) == value * (SHOCK_TICKS_MAX - 1)


def test_MARG_002_the_aws_cut_at_the_front_is_44_per_cent() -> None:
    contract = parse_symbol("H100-USE-2026M11D23")
    row = [scenario.name for scenario in SCENARIOS].index("aws-cut")
    front = shape_factors(contract.period, ON)[Shape.FRONT]
    assert front == 996_399  # one day from delivery: 0.35 + 0.65 exp(-1/180)
    assert MODEL.shocks(contract, 2_000, ON)[row] == -round(24_000 * 2_000 * 4_384 / 10_000)
    assert MODEL.shocks(contract, 2_000, contract.period.start)[row] == -24_000 * 880


@pytest.mark.parametrize(
    ("days", "share_bps"), [(1, 10_000), (RISK_DAYS, 10_000), (8, 5_000), (240, 2_500)]
)
def test_MARG_003_a_long_story_counts_with_the_root_of_time(days: int, share_bps: int) -> None:
    row = next(row for row in STRESS_ROWS if row.name == "gcp-squeeze")
    assert type(row)(name="x", story="x", source="x", shape=Shape.FLAT, days=days).share_bps == (
        share_bps
    )
    assert row.share_bps == 2_500


@pytest.mark.parametrize(
    ("symbol", "bps"),
    [
        ("H100-USE-2026M11D24", 4_283),  # (44.00 % + 42.30 %) / 2, two days out
        ("H100-USE-2027M03", 3_001),
        ("H100-USE-2029", 1_714),
        ("A100-GLB-2027M03", 2_864),
    ],
)
def test_MARG_004_what_one_lot_requires_of_its_notional(symbol: str, bps: int) -> None:
    contract, shocks = parse_symbol(symbol), shocks_of(symbol)
    notional = contract.tick_value_usd_micros * price_of(contract)
    assert requirement_bps(shocks, notional) == bps
    assert requirement_bps([-shock for shock in shocks], notional) == bps  # every row is mirrored


def test_MARG_005_spreads_require_less_than_their_legs_and_never_nothing() -> None:
    march = shocks_of("H100-USE-2027M03")
    notional = 744_000 * price_of(parse_symbol("H100-USE-2027M03"))
    for other, low_bps, high_bps in (
        ("H100-USE-2027M04", 200, 600),
        ("H100-USC-2027M03", 1_500, 2_500),
        ("A100-GLB-2027M03", 1_000, 2_500),
    ):
        spread = [a - b for a, b in zip(march, shocks_of(other), strict=True)]
        assert low_bps < requirement_bps(spread, notional) < high_bps


def test_MARG_006_a_quarter_against_its_months_requires_almost_nothing() -> None:
    months = [shocks_of(f"H100-USE-2027M{month}") for month in ("04", "05", "06")]
    quarter = shocks_of("H100-USE-2027Q2")
    left = [q - sum(parts) for q, *parts in zip(quarter, *months, strict=True)]
    notional = 2_184_000 * price_of(parse_symbol("H100-USE-2027Q2"))
    assert requirement_bps(left, notional) < 15


@given(_CONTRACTS, st.integers(0, 400))
def test_MARG_007_volatility_falls_with_time_to_delivery(contract: Contract, days: int) -> None:
    near, far = (shape_factors(contract.period, ON - d * DAY) for d in (0, days))
    assert near[Shape.FRONT] >= far[Shape.FRONT] >= 350_000
    assert near[Shape.BACK] <= far[Shape.BACK] < 1_000_000
    assert near[Shape.FLAT] == 1_000_000


def test_MARG_008_restated_steps_and_few_steps_do_not_speak() -> None:
    day = date(2026, 1, 1)
    pool = [Step(day, "A100-80GB", "spot", bps, False) for bps in range(1_000, 2_000, 10)]
    few = [Step(day, "B200", "spot", 9_000, False)] * 29
    restated = [Step(day, "A100-80GB", "spot", 50_000, True)] * 100
    falls = [Step(day, "A100-80GB", "spot", -3_000, False)]
    sizes = step_sizes([*pool, *few, *restated, *falls])
    assert sizes["A100-80GB", Quantile.UP_P50] == 1_490
    assert sizes["B200", Quantile.UP_P90] == 9_000  # of the pool, which holds the few
    assert sizes["B200", Quantile.UP_P50] == 1_640
    assert sizes["B200", Quantile.DOWN_P90] == -3_000


def test_MARG_009_the_hash_of_the_matrix_of_a_day() -> None:
    matrix = {c.symbol: MODEL.shocks(c, price_of(c), ON) for c in listed_contracts(ON)}
    assert matrix_hash(matrix) == matrix_hash(dict(reversed(matrix.items())))
    matrix["H100-USE-2027M03"][5] += 1
    assert matrix_hash(matrix) != matrix_hash({**matrix, "H100-USE-2027M03": [0] * 64})


@given(st.lists(st.integers(-(2**40), 2**40), min_size=64, max_size=64), st.integers(0, 2047))
def test_staged_shocks_travel_in_words_5_to_12(shocks: list[int], contract_idx: int) -> None:
    rows = stage_commands(contract_idx, shocks)
    assert rows["order_id"].tolist() == list(range(0, 64, 8))
    assert set(rows["kind"].tolist()) == {Kind.STAGE_SHOCKS}
    assert command_words(rows)[:, SHOCK_WORD : SHOCK_WORD + 8].ravel().tolist() == shocks
    assert set(rows["contract_idx"].tolist()) == {contract_idx}


def test_a_swap_names_the_count_and_the_worst() -> None:
    row = swap_command(SCENARIO_COUNT, WORST_COUNT)[0]
    assert (row["kind"], row["qty_lots"], row["order_id"]) == (Kind.SWAP_SCENARIOS, 64, 2)
    assert TICK_VALUE_USD_MICROS_MAX * SHOCK_TICKS_MAX < 2**62
