"""What is left of one command goes on behind the next: every trade has a number of its own.

A mark triggers more stops than may enter behind it; the rest trade behind a command that itself
has a trade of no book.
"""

from collections import Counter

import numpy as np
import pytest

from exchange.rules.changes import Changes
from exchange.rules.cleared import Effects
from exchange.rules.clearing_house import ClearingHouse
from exchange.rules.fees import Rates
from exchange.rules.mirror import Mirror
from exchange.services.billing import fees_command
from matching.codes import EventKind, Kind, MoveReason, OrderType, Side, TradingState, TriggerBy
from matching.limits import AFTERMATH_STEPS_MAX, PRICE_BITS_DEFAULT
from matching.wire import spread_base_ticks
from matching.wire_life import pack_children
from tests.support.flow import Flow
from tests.support.rows import command

STOPS = AFTERMATH_STEPS_MAX + 44
TRADED, OTHER, CHILD = 0, 1, 3  # contracts: where stops trade; what the next command is about


class Market:
    """A flow with clearing and a mirror behind it."""

    def __init__(self) -> None:
        self.flow = Flow(1, accounts=6, contracts=3)
        self.house, self.mirror = ClearingHouse(), Mirror()
        self.take(self.flow.opening())
        self.send(order(0, Side.SELL, 5, OTHER), order(2, Side.BUY, 5, OTHER))

    def take(self, batch) -> tuple[Effects, Changes]:
        self.house.apply(batch.commands, batch.events)
        return self.house.take(), self.mirror.apply(batch.commands, batch.events)

    def send(self, *rows: np.ndarray) -> np.ndarray:
        batch = self.flow.batch([*rows])
        self.take(batch)
        return batch.events

    def end_other(self) -> None:
        settle = command(Kind.SETTLE, contract_idx=OTHER, price_ticks=2000)
        ends = command(Kind.SET_STATE, contract_idx=OTHER, state=TradingState.EXPIRED)
        tick_value = self.house.contracts[OTHER].tick_value_usd_micros
        child = command(
            Kind.LIST, symbol="H100-USE-2027M09", contract_idx=CHILD, price_ticks=2000,
            qty_lots=1000, state=TradingState.CONTINUOUS, amount_usd_micros=tick_value,
        )  # fmt: skip
        self.send(settle, ends, child)


def order(account_idx: int, side: int, lots: int, contract_idx: int, **more: int) -> np.ndarray:
    fields = {"price_ticks": 2000} | more
    return command(
        Kind.PLACE, account_idx=account_idx, contract_idx=contract_idx, side=side, qty_lots=lots,
        **fields,
    )  # fmt: skip


def block(market: Market) -> np.ndarray:
    proposed = market.send(
        command(Kind.PROPOSE, account_idx=2, ref_id=3, contract_idx=TRADED, price_ticks=2000,
                qty_lots=2, expires_ns=market.flow.ts_ns + 10**12)
    )  # fmt: skip
    return command(Kind.ACCEPT, account_idx=3, order_id=int(proposed["order_id"][0]))


def move(market: Market) -> np.ndarray:
    return command(
        Kind.TRANSFER_POSITION, account_idx=2, contract_idx=OTHER, side=Side.SELL, qty_lots=2,
        price_ticks=2000, ref_id=5, order_id=9, state=MoveReason.TAKE_OVER,
    )  # fmt: skip


def close_out(market: Market) -> np.ndarray:
    market.end_other()
    return command(Kind.CLOSE_OUT, contract_idx=OTHER)


def cascade(market: Market) -> np.ndarray:
    market.end_other()
    return command(Kind.CASCADE, contract_idx=OTHER, **pack_children([CHILD]))


NEXT = {
    EventKind.BLOCK_TRADE: block, EventKind.POSITION_MOVED: move,
    EventKind.POSITIONS_CLOSED: close_out, EventKind.CASCADE_MOVED: cascade,
}  # fmt: skip


@pytest.mark.parametrize("kind", NEXT, ids=lambda kind: kind.name.lower())
def test_stops_that_trade_behind_another_command_have_numbers_of_their_own(kind):
    market = Market()
    following = NEXT[kind](market)
    waits = {"price_ticks": 0, "order_type": OrderType.STOP, "state": TriggerBy.MARK}
    stops = [
        order(4 * (place % 2), Side.BUY, 1, TRADED, **waits, amount_usd_micros=2010)
        for place in range(STOPS)
    ]
    market.send(order(1, Side.SELL, 1000, TRADED, price_ticks=2013), *stops)
    mark = command(Kind.MARK, contract_idx=TRADED, price_ticks=2010)
    batch = market.flow.batch([mark, following])
    last = batch.events[batch.events["seq"] == batch.last_seq]["kind"]
    assert {int(kind), int(EventKind.TRADE)} <= set(last.tolist())
    effects, changes = market.take(batch)
    keys = [(one.seq, one.leg) for one in effects.trades]
    sides = [(one.account_idx, one.seq, one.leg, one.side) for one in effects.position_events]
    assert max(Counter(keys).values()) == max(Counter(sides).values()) == 1
    told, cleared = (
        {(one.seq, one.leg, one.contract_idx, one.price_ticks) for one in rows}
        for rows in ([*changes.trades, *changes.blocks], effects.trades)
    )
    assert told <= cleared and len(told) >= STOPS


def test_the_fee_of_an_implied_trade_is_not_that_of_a_call_before_it():
    flow, house = Flow(1, accounts=6, contracts=3, combinations=True, implied=True), ClearingHouse()
    rates = Rates(maker=1_000, taker=3_000, clearing=0)

    def send(*rows: np.ndarray) -> Effects:
        batch = flow.batch([*rows])
        house.apply(batch.commands, batch.events)
        return house.take()

    def implied() -> list[int]:
        send(
            order(1, Side.SELL, 1, 0, price_ticks=2005), order(2, Side.BUY, 1, 1, price_ticks=1990)
        )
        spread_ticks = spread_base_ticks(PRICE_BITS_DEFAULT) + 15
        done = send(order(3, Side.BUY, 1, 3, price_ticks=spread_ticks))
        assert any(one.implied for one in done.trades)
        return [one.trading_fee_usd_micros for one in done.position_events]

    opening = flow.opening()
    house.apply(opening.commands, opening.events)
    send(*(fees_command(account_idx, rates) for account_idx in range(6)))
    before = implied()
    send(command(Kind.SET_STATE, contract_idx=2, state=TradingState.AUCTION))
    send(order(4, Side.SELL, 1, 2), order(5, Side.BUY, 1, 2))
    called = send(command(Kind.SET_STATE, contract_idx=2, state=TradingState.CONTINUOUS))
    assert len(called.trades) == 1
    assert implied() == before and len(set(before)) > 1
