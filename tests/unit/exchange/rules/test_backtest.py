"""The backtest's statistics against published values, and planted failures that it must report."""

from decimal import Decimal

import numpy as np
import pytest

from exchange.io.price_data import load_price_data
from exchange.rules.backtest import PORTFOLIOS, Trials, rich_series, weights_of
from exchange.rules.backtest_statistics import (
    acerbi_szekely,
    christoffersen,
    kupiec,
    outcome,
)
from exchange.rules.backtest_svg import margin_plot
from exchange.rules.backtest_text import failures, page, summary
from exchange.rules.scenario_history import history


def test_kupiec_is_the_likelihood_ratio_of_the_textbook() -> None:
    # Jorion, "Value at Risk", table 6.2: at 1 % and 255 days fewer than 7 are accepted.
    assert kupiec(255, 6) < Decimal("3.841") < kupiec(255, 7)
    assert kupiec(1000, 10) == 0
    assert round(kupiec(1000, 0), 2) == Decimal("20.10")  # -2 x 1000 x ln 0.99
    assert kupiec(0, 0) == 0


def test_christoffersen_sees_clusters_only() -> None:
    spread = [day % 50 == 0 for day in range(1000)]
    cluster = [day < 20 for day in range(1000)]
    assert christoffersen(spread) < Decimal("3.841") < christoffersen(cluster)
    assert christoffersen([]) == christoffersen([False] * 9) == 0


def test_acerbi_szekely_is_one_when_nothing_is_exceeded_and_falls_with_the_excess() -> None:
    assert acerbi_szekely([0] * 100, [10] * 100) == 1
    assert acerbi_szekely([20] + [0] * 99, [10] * 100) == -1
    assert acerbi_szekely([], []) == 0


def test_a_margin_that_is_too_low_fails_and_one_that_jumps_is_not_calm() -> None:
    losses = np.array([5, 0, 0, 0, 9] * 20)
    low = outcome(losses, np.full(100, 8))
    assert (low.exceeded, low.coverage_bps, low.covers) == (20, 8_000, False)
    assert (low.worst_excess_ppm, low.kupiec_says) == (1, "too many")
    wild = outcome(losses, np.array([10] * 99 + [31]))
    assert (wild.covers, wild.is_calm) == (True, False)
    lines = failures(["low", "wild"], [low, wild])
    assert [line.split(":")[0] for line in lines] == ["low", "wild"]


def test_portfolios_are_each_series_both_ways_and_the_drawn_ones() -> None:
    names, weights = weights_of(15)
    assert len(names) == len(weights) == 30 + PORTFOLIOS
    assert (weights[0::2] == -weights[1::2]).all()
    assert (weights_of(15)[1] == weights).all()
    assert np.abs(weights).sum(axis=1).min() > 0


def test_only_series_with_enough_data_are_tested() -> None:
    data = load_price_data()
    cells = rich_series(history(data, data.last_day))
    assert ("H100-SXM", "GLB") in cells and ("A100-80GB", "USE") in cells
    assert ("B200", "GLB") not in cells


@pytest.fixture
def planted() -> Trials:
    """Give tests of one series in which the margin with stories covers, and that without fails."""
    names = ("0:1", "0:-1", *(f"drawn {n}" for n in range(PORTFOLIOS)))
    losses = np.zeros((400, len(names)), np.int64)
    losses[50:60] = 200_000
    bare = np.full_like(losses, 50_000)
    tested = np.ones(losses.shape, bool)
    first = load_price_data().offers[0].day
    return Trials(first, names, 2, tested, losses, np.full_like(losses, 400_000), bare)


def test_the_page_says_what_failed_and_what_was_not_tested(planted: Trials) -> None:
    data = load_price_data()
    known = history(data, data.last_day)
    text = page(planted, [("H100-SXM", "GLB")], known, data.steps, ["backtest/x.svg"])
    charged, alone = text.split("## Filtered history alone")
    assert "Nothing failed." in charged and "Nothing failed." not in alone
    assert "* H100-SXM GLB long: coverage 97.50 %" in alone
    assert "| B200 GLB | 49 | 25 |" in alone
    assert summary(planted, [("H100-SXM", "GLB")])["series_covered"] == 1


def test_a_plot_is_the_same_text_each_time_and_shows_moves_and_margins(planted: Trials) -> None:
    parts = (planted.tested[:, 1], planted.losses[:, 1], [planted.required[:, 1]])
    plot = margin_plot("H100", planted.first, *parts)
    assert plot == margin_plot("H100", planted.first, *parts)
    assert plot.count("<circle") == 10 and plot.count("<polyline") == 2
