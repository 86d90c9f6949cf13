"""Calls: the price against every price tried, ends that are drawn, ticks that come in time."""

from random import Random

import numpy as np
import pytest

from matching.codes import CallPhase, Code, EventKind, Flag, Kind, OrderType, Side, Tif
from matching.engine import Engine
from matching.limits import CALL_WINDOW_NS_MAX
from tests.oracle.engine import Oracle
from tests.oracle.state import Capacity
from tests.support.rows import SECOND_NS, command, stamped
from tests.unit.matching.small import MARK_TICKS, SIZES, Market

CAPACITY = Capacity(
    price_bits=12, accounts=8, contracts=4, positions=64, orders=256, client_ids=256, scenarios=8
)


def crowd(rng: Random) -> list[np.ndarray]:
    """Return a call full of crossing orders, some at the market, some only to reduce."""
    rows = [command(Kind.OPEN_ACCOUNT, account_idx=idx) for idx in range(4)]
    rows += [command(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=1 << 40) for idx in range(4)]
    rows.append(
        command(Kind.LIST, price_ticks=100, amount_usd_micros=7, qty_lots=50, order_id=800, state=2)
    )
    for idx in range(4):  # positions, so that there is something to reduce
        side = Side.SELL if idx % 2 else Side.BUY
        rows.append(
            command(Kind.PLACE, account_idx=idx % 4, side=side, price_ticks=100, qty_lots=3)
        )
    rows.append(command(Kind.START_CALL, state=CallPhase.OPENING))
    spread = rng.choice((1, 3, 7))
    for _ in range(rng.randint(1, 24)):
        fields = {"account_idx": rng.randrange(4), "side": rng.choice(tuple(Side))}
        fields |= {"qty_lots": rng.randint(1, 6), "price_ticks": 100 + rng.randint(-spread, spread)}
        fields["flags"] = rng.choice((0, 0, 0, Flag.REDUCE_ONLY))
        way = rng.random()
        if way < 0.2:
            fields |= {"order_type": OrderType.MARKET, "tif": Tif.GFA, "price_ticks": 0}
        elif way < 0.4:
            fields["tif"] = Tif.GFA
        rows.append(command(Kind.PLACE, **fields))
        if rng.random() < 0.1:
            rows.append(command(Kind.MARK, price_ticks=100 + rng.randint(-9, 9)))
    rows.append(command(Kind.END_CALL))
    return rows


@pytest.mark.parametrize("seed", range(150))
def test_the_price_and_the_trades_are_those_of_an_engine_that_tries_every_price(seed):
    engine, oracle = Engine(SIZES), Oracle(CAPACITY)
    batch = stamped(crowd(Random(seed)), 1, SECOND_NS)
    events = engine.apply(batch)
    assert events.tobytes() == oracle.apply(batch).tobytes()
    engine.check()


def test_most_of_those_calls_trade_and_some_clip_reduce_only_orders():
    events = np.concatenate(
        [Engine(SIZES).apply(stamped(crowd(Random(seed)), 1, SECOND_NS)) for seed in range(40)]
    )
    codes = events["code"].tolist()
    assert codes.count(Code.AUCTION_TRADE) > 100
    assert codes.count(Code.REDUCE_ONLY_CLIPPED) > 5


def drawn(market: Market, window_ns: int) -> int:
    """Return by how much the next call's end is later than it must be."""
    ends_ns = market.engine.now_ns + SECOND_NS
    market.do(
        Kind.START_CALL, state=CallPhase.CLOSING, expires_ns=ends_ns, amount_usd_micros=window_ns
    )
    return int(market.engine.state.calls[0]["ends_ns"]) - ends_ns


def test_the_end_is_drawn_all_over_the_window_and_again_the_same():
    first, second = Market(), Market()
    found = [drawn(first, CALL_WINDOW_NS_MAX) for _ in range(400)]
    assert found == [drawn(second, CALL_WINDOW_NS_MAX) for _ in range(400)]
    assert min(found) >= 0 and max(found) < CALL_WINDOW_NS_MAX
    tenths = np.bincount([10 * late // CALL_WINDOW_NS_MAX for late in found], minlength=10)
    assert tenths.min() > 20 and tenths.max() < 65, tenths
    assert drawn(first, 0) == 0


def test_the_next_tick_is_due_when_a_call_ends_also_after_a_restart():
    market = Market(contracts=2)
    assert market.engine.next_expiry_ns == 0
    start_ns = market.engine.now_ns + 1
    market.do(Kind.START_CALL, state=CallPhase.OPENING, expires_ns=start_ns + 5, contract_idx=1)
    assert market.engine.next_expiry_ns == start_ns + 5
    restored = Engine.restore(market.engine.save(), SIZES)
    assert restored.next_expiry_ns == start_ns + 5
    assert market.do(Kind.TICK, at_ns=start_ns + 4)["kind"].tolist() == [EventKind.TICKED]
    ended = market.do(Kind.TICK, at_ns=start_ns + 5)
    assert ended["kind"].tolist() == [EventKind.TICKED, EventKind.CALL_ENDED]
    assert market.engine.next_expiry_ns == 0


def test_an_indicative_price_is_said_once_a_second_and_only_if_it_changed():
    market = Market()
    market.do(Kind.START_CALL, state=CallPhase.MANUAL)
    began_ns = market.engine.now_ns
    assert market.engine.next_expiry_ns == began_ns + SECOND_NS
    market.rested(0, Side.BUY, 5, MARK_TICKS)
    market.rested(1, Side.SELL, 3, MARK_TICKS)
    said = [
        len(market.do(Kind.TICK, at_ns=began_ns + late_ns))
        for late_ns in (SECOND_NS - 1, SECOND_NS, SECOND_NS + 1, 2 * SECOND_NS, 3 * SECOND_NS)
    ]
    assert said == [1, 2, 1, 1, 1]


def test_a_guard_that_stale_trades_would_move_measures_from_the_mark():
    market = Market()
    market.do(
        Kind.SET_GUARD, price_ticks=500, amount_usd_micros=SECOND_NS, expires_ns=SECOND_NS
    )  # fmt: skip
    market.rested(0, Side.SELL, 1, 2090)
    market.order(1, Side.BUY, 1, 2090)
    market.do(Kind.MARK, price_ticks=1900)
    market.rested(0, Side.BUY, 1, 1850)
    sold = market.order(1, Side.SELL, 1, 1850, at_ns=market.engine.now_ns + 2 * SECOND_NS)
    assert EventKind.TRADE in sold["kind"] and EventKind.CALL_STARTED not in sold["kind"]
    # A second later it is the trade at 1850 that counts, less 92: 1758 trades, 1757 calls.
    market.rested(0, Side.BUY, 1, 1758)
    market.rested(0, Side.BUY, 1, 1757)
    sold = market.order(1, Side.SELL, 2, 1757, at_ns=market.engine.now_ns + SECOND_NS)
    kinds = [EventKind.ACCEPTED, EventKind.TRADE, EventKind.CALL_STARTED]
    assert sold["kind"].tolist() == kinds
    market.engine.check()
