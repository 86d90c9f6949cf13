"""Clearing and market data at length, behind simulated markets; and what is planted is found."""

from typing import Final

import pytest
from numba import config

from exchange.rules import public_data
from exchange.rules.clearing_house import ClearingHouse
from tests.sim.everybody import readers
from tests.sim.followers import Disagreement
from tests.sim.readers import LedgerFollower, MarketDataFollower
from tests.sim.run import simulate

SEEDS: Final = range(21, 41)  # 30: a settlement triggers a stop, which trades behind it
COMMANDS: Final = 500 if config.DISABLE_JIT else 8_000


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_ledger_and_market_data_are_what_core_and_mirror_say(seed):
    assert simulate(seed, COMMANDS, readers).commands == COMMANDS


def test_a_part_of_a_tick_that_clearing_forgets_is_found(monkeypatch):
    remembers = ClearingHouse._accrual_row

    def forgets(house, command, event):
        row = remembers(house, command, event)
        house.contracts[row.contract_idx].fine_usd_micros = 0
        return row

    monkeypatch.setattr(ClearingHouse, "_accrual_row", forgets)
    with pytest.raises(Disagreement, match="clearing stops"):
        simulate(25, 500, lambda capacity: [LedgerFollower(capacity)])


def test_a_posting_that_is_off_by_a_micro_dollar_is_found(monkeypatch):
    takes = ClearingHouse.take

    def loses(house):
        effects = takes(house)
        if effects.postings:
            one = effects.postings[-1]
            effects.postings[-1] = one._replace(amount_usd_micros=one.amount_usd_micros - 1)
        return effects

    monkeypatch.setattr(ClearingHouse, "take", loses)
    with pytest.raises(Disagreement):
        simulate(25, 500, lambda capacity: [LedgerFollower(capacity)])


def test_a_level_that_a_delta_leaves_out_is_found(monkeypatch):
    whole = public_data.delta
    monkeypatch.setattr(public_data, "delta", lambda one, touched: whole(one, touched[1:]))
    with pytest.raises(Disagreement):
        simulate(25, 500, lambda capacity: [MarketDataFollower(capacity)])
