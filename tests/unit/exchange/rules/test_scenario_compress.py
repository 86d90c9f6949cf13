"""Compression keeps what makes requirements, and a set that misses rows is refused."""

import numpy as np
import pytest

from exchange.rules.contracts import parse_symbol
from exchange.rules.scenario_build import compressed, full_shocks
from exchange.rules.scenario_compress import (
    CompressionRefused,
    accept,
    chosen_rows,
    error_of,
    worst_mean_usd_micros,
)
from exchange.rules.scenario_portfolios import Portfolios, portfolios
from tests.support.scenario_sets import DAY, full, prices


def drawn(count: int, seed: int) -> Portfolios:
    contracts = [parse_symbol(symbol) for symbol in prices()]
    values = [
        c.tick_value_usd_micros * p for c, p in zip(contracts, prices().values(), strict=True)
    ]
    return portfolios(contracts, values, count, seed)


def shocks() -> np.ndarray:
    contracts = [parse_symbol(symbol) for symbol in prices()]
    return full_shocks(full(), contracts, list(prices().values()), DAY)


def test_rows_that_enter_a_worst_set_are_kept() -> None:
    # Three portfolios; rows 1 and 4 are the worst of the first, 0 and 2 of the others.
    losses = np.array([[0, 9, 1, 2, 8, 0], [7, 0, 6, 1, 0, 0], [5, 0, 5, 1, 1, 0]])
    assert chosen_rows(losses, 2, 4, []) == [0, 1, 2, 4]


def test_room_that_is_left_goes_to_rows_of_the_next_worst() -> None:
    losses = np.array([[9, 8, 3, 7, 1, 0]])
    assert chosen_rows(losses, 2, 3, []) == [0, 1, 3]


def test_named_rows_are_kept_though_nobody_loses_by_them() -> None:
    losses = np.array([[0, 9, 8, 0]])
    assert chosen_rows(losses, 2, 3, [0]) == [0, 1, 2]


def test_a_set_that_misses_rows_is_refused() -> None:
    whole = drawn(200, 1).losses(shocks())
    required = worst_mean_usd_micros(whole, 2)
    worst = int(whole.argmax(axis=1)[0])
    kept = [row for row in range(whole.shape[1]) if row != worst]
    few = [row for row in kept if row % 7 == 0]
    error = error_of(required, worst_mean_usd_micros(whole[:, few], 2))
    assert error.max_bps > 100
    with pytest.raises(CompressionRefused, match="bps too low"):
        accept({"planted": error})


def test_a_build_whose_rows_do_not_fit_is_refused() -> None:
    # Every row another lonely contract's disaster: 128 rows cannot stand for 400 of them.
    rows = tuple(full().rows[:400])
    lonely = np.eye(400, dtype=np.int64) * -1_000_000
    one_each = Portfolios(np.arange(400)[:, None], np.ones((400, 1), np.int64))
    with pytest.raises(CompressionRefused):
        compressed(rows, lonely, one_each, one_each)


def test_the_error_is_that_of_the_worst_portfolio_rounded_up() -> None:
    error = error_of(np.array([1_000_000, 300]), np.array([999_999, 299]))
    assert (error.wrong_count, error.max_ppm, error.max_bps) == (2, 3_334, 34)


def test_the_mean_of_the_worst_is_rounded_up_and_never_below_zero() -> None:
    losses = np.array([[5, 4, -9], [-1, -2, -3]])
    assert worst_mean_usd_micros(losses, 2).tolist() == [5, 0]


def test_portfolios_are_the_same_each_time_and_every_second_one_is_turned_round() -> None:
    first, again, other = drawn(40, 7), drawn(40, 7), drawn(40, 8)
    assert (first.lots == again.lots).all() and (first.places == again.places).all()
    assert not (first.lots == other.lots).all()
    assert (first.lots[0::2] == -first.lots[1::2]).all()
    assert (first.places[0::2] == first.places[1::2]).all()


def test_losses_are_those_of_every_leg() -> None:
    matrix = np.array([[100, -50], [-10, 30]])
    two_legs = Portfolios(np.array([[0, 1]]), np.array([[2, -3]]))
    assert two_legs.losses(matrix).tolist() == [[-230, 190]]
