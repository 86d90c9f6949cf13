"""The build of a set of scenarios: from price data, a day and prices, to what is published.

A pure function: the same inputs give the same set, bit for bit, on every machine. Everything is
whole numbers and Decimals of one precision. `inputs_hash` names the inputs.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from hashlib import blake2b
from typing import Final

import numpy as np

from exchange.rules.contracts import Contract, parse_symbol
from exchange.rules.quotes import PriceData
from exchange.rules.scenario_compress import (
    CompressionError,
    CompressionRefused,
    accept,
    chosen_rows,
    error_of,
    worst_mean_usd_micros,
)
from exchange.rules.scenario_full import FullSet, full_set
from exchange.rules.scenario_portfolios import Portfolios, portfolios
from exchange.rules.scenario_rows import STRESS, RowTable, ScenarioRow, shocks_of
from exchange.rules.scenario_set import DIGEST_BYTES, METHOD, Made, ScenarioSet
from matching.limits import SCENARIOS_MAX, WORST_COUNT_DEFAULT

PORTFOLIOS: Final = 2_000
HELD_OUT: Final = 1_000
ROUNDS: Final = 3  # a set that portfolios held out refuse is chosen again with twice as many
HELD_OUT_SEED: Final = 1_000_003  # added to the day's: other portfolios than those chosen with


def inputs_hash(data: PriceData, day: date, prices_ticks: Mapping[str, int]) -> str:
    """Return the hash of everything a set is made from."""
    digest = blake2b(f"{METHOD} {day.isoformat()}\n".encode(), digest_size=DIGEST_BYTES)
    for row in _lines(data, day, prices_ticks):
        digest.update(row.encode("utf-8") + b"\n")
    return digest.hexdigest()


def _lines(data: PriceData, day: date, prices_ticks: Mapping[str, int]) -> Iterable[str]:
    for table in (data.offers, data.reserved, data.steps):
        yield from ("|".join(map(str, row)) for row in table if row.day <= day)
    yield from (f"{symbol}={ticks}" for symbol, ticks in prices_ticks.items())


def build(data: PriceData, day: date, prices_ticks: Mapping[str, int]) -> ScenarioSet:
    """Build the set of a day.

    Args:
        prices_ticks: the contracts to judge compression by, in the order of their listing, with
            the prices that the published matrix is made at.

    Errors:
        CompressionRefused: the rows that fit miss more of a requirement than is allowed.
        ValueError: the data do not reach back to the day, or there is no contract.
    """
    if not prices_ticks:
        raise ValueError("no contract has a price to build a matrix for")
    if day < data.offers[0].day:
        raise ValueError(f"the price data begin on {data.offers[0].day}")
    full = full_set(data, day)
    contracts = [parse_symbol(symbol) for symbol in prices_ticks]
    shocks = full_shocks(full, contracts, list(prices_ticks.values()), day)
    values = [
        contract.tick_value_usd_micros * ticks
        for contract, ticks in zip(contracts, prices_ticks.values(), strict=True)
    ]

    def drawn(count: int, seed: int) -> Portfolios:
        return portfolios(contracts, values, count, day.toordinal() + seed)

    kept, chosen_with, held_out = _compressed_in_rounds(full.rows, shocks, drawn)
    return ScenarioSet(
        day=day,
        worst_count=WORST_COUNT_DEFAULT,
        rows=tuple(full.rows[row] for row in kept),
        curve=full.factors.curve,
        prices_ticks=dict(prices_ticks),
        made=Made(
            inputs_hash=inputs_hash(data, day, prices_ticks),
            data_until=min(day, data.last_day),
            full_count=len(full.rows),
            windows_count=full.windows_count,
            moved_count=full.moved_count,
            chosen_with=chosen_with,
            held_out=held_out,
        ),
    )


def full_shocks(
    full: FullSet, contracts: list[Contract], prices_ticks: list[int], day: date
) -> np.ndarray:
    """Return the profit of one long lot of each contract in each row: (contracts, rows)."""
    table = RowTable.of(full.rows)
    return np.array(
        [
            shocks_of(contract, ticks, table.moves_ppm(contract, day, full.factors.curve), day)
            for contract, ticks in zip(contracts, prices_ticks, strict=True)
        ]
    )


def _compressed_in_rounds(
    rows: tuple[ScenarioRow, ...], shocks: np.ndarray, drawn: Callable[[int, int], Portfolios]
) -> tuple[list[int], CompressionError, CompressionError]:
    """Choose rows; portfolios nobody has seen yet judge each further try.

    Errors:
        CompressionRefused: the last try was refused too.
    """
    for number in range(ROUNDS - 1):
        others = drawn(HELD_OUT, (number + 1) * HELD_OUT_SEED)
        try:
            return compressed(rows, shocks, drawn(PORTFOLIOS << number, 0), others)
        except CompressionRefused:
            continue
    others = drawn(HELD_OUT, ROUNDS * HELD_OUT_SEED)
    return compressed(rows, shocks, drawn(PORTFOLIOS << (ROUNDS - 1), 0), others)


def compressed(
    rows: tuple[ScenarioRow, ...], shocks: np.ndarray, chosen_by: Portfolios, others: Portfolios
) -> tuple[list[int], CompressionError, CompressionError]:
    """Return which rows to keep, and the errors of both groups of portfolios.

    The named stories are kept in any case: whoever looks at a requirement finds them there.

    Errors:
        CompressionRefused: an error is too large.
    """
    losses = chosen_by.losses(shocks)
    named = [at for at, row in enumerate(rows) if row.kind == STRESS]
    kept = chosen_rows(losses, WORST_COUNT_DEFAULT, SCENARIOS_MAX, named)
    errors = {
        "portfolios it was chosen with": _error(losses, kept),
        "portfolios held out": _error(others.losses(shocks), kept),
    }
    accept(errors)
    chosen_with, held_out = errors.values()
    return kept, chosen_with, held_out


def _error(losses: np.ndarray, kept: list[int]) -> CompressionError:
    whole = worst_mean_usd_micros(losses, WORST_COUNT_DEFAULT)
    return error_of(whole, worst_mean_usd_micros(losses[:, kept], WORST_COUNT_DEFAULT))
