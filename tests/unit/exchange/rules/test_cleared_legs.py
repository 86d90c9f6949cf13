"""Clearing of combinations: the same positions and marks as the mirror's, and sound rows."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from exchange.rules.cleared import ClearedContract
from exchange.rules.cleared_legs import Followers, TradeKind, legs_of, legs_text
from exchange.rules.clearing_house import ClearingHouse
from exchange.rules.mirror import Mirror
from tests.oracle.state import Capacity
from tests.sim.run import simulate
from tests.support.flow import Flow


def same_positions(house: ClearingHouse, mirror: Mirror) -> None:
    """Hold positions, open interest and marks of clearing against the mirror's."""
    for one, contract in zip(mirror.contracts, house.contracts, strict=True):
        assert (contract.state, contract.mark_ticks) == (one.state, one.mark_ticks), one.symbol
        assert contract.settle_ticks == one.settle_ticks
        assert contract.last_trade_ticks == one.last_trade_ticks
        assert contract.tick_value_usd_micros == one.tick_value_usd_micros
        assert contract.open_interest_lots == one.open_interest_lots, one.symbol
        legs = [(leg.contract_idx, ratio) for leg, ratio in one.legs]
        assert legs_of(contract.legs) == legs
        held = {p.account_idx: p.qty_lots for p in contract.positions.values() if p.qty_lots}
        assert held == {p.account_idx: p.qty_lots for p in one.positions if p.qty_lots}


@pytest.mark.parametrize("seed", range(1, 6))
def test_clearing_agrees_with_the_mirror(seed: int):
    house, mirror = ClearingHouse(), Mirror()
    filled: Counter[tuple[int, int]] = Counter()  # lots by order, as the rows of fills say
    kinds: Counter[int] = Counter()
    for batch in Flow(seed, combinations=True).batches(40):
        house.apply(batch.commands, batch.events)
        mirror.apply(batch.commands, batch.events)
        effects = house.take()
        trades = {(trade.seq, trade.leg): trade for trade in effects.trades}
        kinds.update(trade.kind for trade in effects.trades)
        for event in effects.position_events:
            trade = trades[event.seq, event.leg]
            if trade.kind != TradeKind.LEG and trade.block == 0:
                filled[event.account_idx, event.order_id] += abs(event.qty_lots)
            if trade.kind == TradeKind.COMBINATION:
                assert event.position_lots == event.realised_usd_micros == 0
        same_positions(house, mirror)
    assert kinds[TradeKind.LEG] >= 2 * kinds[TradeKind.COMBINATION] > 0
    for order in mirror.orders.values():
        assert filled[order.account_idx, order.order_id] == order.filled_lots


def test_legs_come_back_as_they_were_written():
    assert legs_of(legs_text([(0, 1), (7, -1)])) == [(0, 1), (7, -1)]
    assert legs_text([(0, 1), (7, -1)]) == "1,-8"
    assert legs_of("") == []


def test_the_marks_of_combinations_follow_after_a_restart_too():
    contracts = [ClearedContract(idx, f"C{idx}") for idx in range(4)]
    contracts[0].mark_ticks, contracts[1].mark_ticks = 100, 131
    contracts[2].legs, contracts[2].mark_ticks = "1,-2", 2048 - 31
    contracts[3].legs, contracts[3].mark_ticks = "1,2", 115
    followers = Followers(contracts)
    contracts[1].mark_ticks = 141
    assert [one.contract_idx for one in followers.marked(contracts[1], 131)] == [2, 3]
    assert [one.mark_ticks for one in contracts] == [100, 141, 2048 - 41, 120]


class ClearingFollower:
    """Clearing beside a mirror, behind the oracle of a simulated market."""

    def __init__(self, capacity: Capacity) -> None:
        self.house, self.mirror = ClearingHouse(), Mirror(capacity.price_bits)

    def batch(self, commands: np.ndarray, events: np.ndarray) -> None:
        self.house.apply(commands, events)
        self.mirror.apply(commands, events)
        effects = self.house.take()
        for row in (*effects.orders, *effects.order_changes):
            order = self.mirror.orders.get(row.order_id)
            if order is not None and row.open_lots is not None:
                assert row.open_lots == order.leaves_lots, f"order {row.order_id}"

    def compare(self, view: dict[str, Any]) -> None:
        same_positions(self.house, self.mirror)


@pytest.mark.parametrize("seed", range(1, 6))
def test_clearing_takes_everything_a_market_may_say(seed: int):
    simulate(seed, 1_000, lambda capacity: [ClearingFollower(capacity)])
