"""Clearing and public data of implied trades, held against the mirror and against arithmetic."""

from collections import Counter

import pytest

from exchange.rules.cleared_legs import TradeKind
from exchange.rules.clearing_house import ClearingHouse
from exchange.rules.implied import implied_levels
from exchange.rules.mirror import Mirror
from exchange.rules.public_data import implied
from exchange.rules.records import NOBODY
from matching.codes import EventKind, Kind, Side, TradingState
from matching.wire import pack_legs
from tests.oracle.engine import Oracle
from tests.support.flow import Flow
from tests.support.rows import command, stamped
from tests.unit.exchange.rules.test_cleared_legs import same_positions

BASE = 1 << 15
RICH = 1_000_000_000_000


@pytest.mark.parametrize("seed", range(1, 6))
def test_rows_of_implied_trades_fill_orders_and_move_positions(seed: int):
    house, mirror = ClearingHouse(), Mirror()
    filled: Counter[tuple[int, int]] = Counter()
    implied_trades = 0
    for batch in Flow(seed, combinations=True, implied=True).batches(60):
        house.apply(batch.commands, batch.events)
        mirror.apply(batch.commands, batch.events)
        effects = house.take()
        trades = {(trade.seq, trade.leg): trade for trade in effects.trades}
        for event in effects.position_events:
            trade = trades[event.seq, event.leg]
            order = mirror.order(event.order_id)
            own = order is not None and order.contract_idx == event.contract_idx
            if trade.kind != TradeKind.LEG and trade.block == 0 and own:
                filled[event.account_idx, event.order_id] += abs(event.qty_lots)
        for trade in effects.trades:
            if trade.implied and trade.kind == TradeKind.COMBINATION:
                implied_trades += 1
                assert NOBODY in (trade.taker_account_idx, trade.maker_account_idx)
                assert_legs_follow(house, trades, trade)
        same_positions(house, mirror)
    assert implied_trades > 5
    for order in mirror.orders.values():
        assert filled[order.account_idx, order.order_id] == order.filled_lots


def assert_legs_follow(house, trades, trade):
    """The legs behind an implied trade are worth its price, to the tick or the rounding."""
    named = house.contracts[trade.contract_idx].legs.split(",")
    legs = [trades[trade.seq, trade.leg + 1 + place] for place in range(len(named))]
    assert [leg.contract_idx for leg in legs] == [abs(int(name)) - 1 for name in named]
    assert {leg.qty_lots for leg in legs} == {trade.qty_lots} and all(leg.implied for leg in legs)
    total = sum(leg.price_ticks * (1 if int(name) > 0 else -1)
                for leg, name in zip(legs, named, strict=True))  # fmt: skip
    if "-" in trade_legs(house, trade):
        assert trade.price_ticks - BASE == total
    else:
        assert abs(trade.price_ticks * len(legs) - total) < len(legs)


def trade_legs(house, trade):
    return house.contracts[trade.contract_idx].legs


def market(*orders):
    """Return the mirror of two months and their spread behind some orders, and the events."""
    rows = [command(Kind.OPEN_ACCOUNT, account_idx=idx) for idx in range(3)]
    rows += [command(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=RICH) for idx in range(3)]
    rows += [
        command(Kind.LIST, symbol=name, contract_idx=idx, price_ticks=price, qty_lots=100,
                amount_usd_micros=10, state=TradingState.CONTINUOUS)
        for idx, (name, price) in enumerate((("M3", 2150), ("M4", 2180)))
    ]  # fmt: skip
    rows.append(
        command(Kind.LIST_COMBINATION, symbol="S", contract_idx=2, qty_lots=100, ref_id=1,
                state=TradingState.CONTINUOUS, **pack_legs([(0, 1), (1, -1)]))
    )  # fmt: skip
    rows += [
        command(Kind.PLACE, account_idx=who, contract_idx=idx, side=side, price_ticks=price,
                qty_lots=lots)
        for who, idx, side, price, lots in orders
    ]  # fmt: skip
    mirror, oracle, batch = Mirror(), Oracle(), stamped(rows, 1, 0)
    events = oracle.apply(batch)
    return mirror, events, mirror.apply(batch, events)


def test_implied_prices_are_shown_both_ways():
    mirror, _, _ = market(
        (0, 0, Side.SELL, 2152, 5), (0, 1, Side.BUY, 2179, 4), (1, 2, Side.BUY, BASE - 40, 9)
    )
    m3, m4, spread = mirror.contracts
    assert implied_levels(spread, Side.SELL) == [(BASE - 27, 4)]
    assert implied_levels(spread, Side.BUY) == []
    assert implied_levels(m3, Side.BUY) == [(2139, 4)]
    assert implied_levels(m4, Side.SELL) == [(2192, 5)]
    assert implied(spread)["asks"] == [["-0.027", "4"]]
    m4.state = TradingState.HALT
    assert [implied_levels(one, side) for one in mirror.contracts for side in Side] == [[]] * 6


def test_what_is_shown_is_what_trades():
    mirror, events, changes = market(
        (0, 0, Side.SELL, 2152, 5), (0, 1, Side.BUY, 2179, 4), (1, 2, Side.BUY, BASE - 20, 9)
    )
    assert (events["kind"] == EventKind.IMPLIED_LEG).sum() == 2
    of_spread, of_m3, of_m4 = changes.trades
    assert (of_spread.price_ticks, of_spread.maker_account_idx) == (BASE - 27, NOBODY)
    assert (of_m3.price_ticks, of_m4.price_ticks) == (2152, 2179)
    assert all(one.is_implied for one in changes.trades)
    assert [mirror.position(1, idx).qty_lots for idx in range(3)] == [4, -4, 0]
    assert mirror.contracts[0].last_trade_ticks == 2152
