"""The requirement is the mean of the n worst; the cached bound is never below it."""

import numpy as np
import pytest

from matching.codes import Code, EventKind, Kind, Side
from matching.engine import Engine
from tests.unit.matching.small import (
    CASH_USD_MICROS,
    SHOCKS_USD_MICROS,
    SIZES,
    Market,
    codes,
    random_run,
)


@pytest.mark.parametrize(("worst", "required_usd_micros"), [(1, 150), (2, 135), (3, 120), (4, 110)])
def test_the_requirement_is_the_mean_of_the_n_worst(worst: int, required_usd_micros: int):
    market = Market()
    market.swap(worst=worst)
    market.rested(0, Side.BUY, 3, 1990)  # loses 150 90 30 0 0 0 0 0
    market.rested(0, Side.SELL, 2, 2010)  # loses 0 0 0 0 20 60 80 120
    assert market.engine.requirement(0) == required_usd_micros
    assert market.engine.state.worst[:8].tolist() == [150, 90, 30, 0, 20, 60, 80, 120]


def test_the_mean_is_rounded_up():
    market = Market()
    market.swap((-51, *SHOCKS_USD_MICROS[1:]))
    market.rested(0, Side.BUY, 1, 1990)
    assert market.engine.requirement(0) == 41


def test_the_bound_is_never_below_the_requirement():
    engine, most = Engine(SIZES), 0
    for row in random_run(400, seed=3):
        engine.apply(row)
        for idx in range(int(engine.state.meta[0]["accounts_count"])):
            required_usd_micros = engine.requirement(idx)
            assert engine.account_row(idx)["im_bound_usd_micros"] >= required_usd_micros
            most = max(most, required_usd_micros)
    assert most > 0
    engine.check()


@pytest.mark.parametrize(("cash_usd_micros", "code"), [(119, 83), (120, 0)])
def test_an_order_one_micro_short_of_margin_is_refused_and_writes_nothing(
    cash_usd_micros: int, code: int
):
    market = Market()
    market.swap()
    over_usd_micros = CASH_USD_MICROS - cash_usd_micros
    market.do(Kind.WITHDRAW, account_idx=0, amount_usd_micros=over_usd_micros)
    before = market.engine.account_row(0)
    assert codes(market.order(0, Side.BUY, 3, 2000)) == [code]
    assert (market.engine.account_row(0) == before) == (code != 0)


def test_an_underfunded_account_is_refused_each_time_a_run_is_replayed():
    rows = random_run(200, seed=5, cash_usd_micros=1_000_000)
    one, other = Engine(SIZES), Engine(SIZES)
    events = np.concatenate([one.apply(row) for row in rows])
    refused = events[events["code"] == Code.MARGIN_INSUFFICIENT]
    assert len(refused) and set(refused["account_idx"].tolist()) == {0}
    assert set(refused["kind"].tolist()) == {EventKind.REFUSED}
    assert other.apply(np.concatenate(rows)).tobytes() == events.tobytes()
    assert other.state_hash() == one.state_hash()
    one.check()
