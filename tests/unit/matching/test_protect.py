"""Protections of the core at their bounds: sizes of chunks, heaps, words and slots."""

import numpy as np
from numba import config

from matching.codes import AccountState, Code, EventKind, Flag, Kind, Side, Timer, TradingState
from matching.engine import Engine, Sizes
from matching.limits import ACCOUNT_CANCELS_MAX, QUOTE_GROUPS, SWEEP_ORDERS_MAX
from matching.wire import pack_halves
from tests.support.rows import SECOND_NS, command, stamped
from tests.unit.matching.small import SIZES, Market, codes, said

MANY = 2_000 if config.DISABLE_JIT else 10_000
CONTRACTS = 50


def quoted(market: Market, account_idx: int, lots: int = 5, **fields: int) -> np.ndarray:
    """Quote both sides one tick around the mark."""
    return market.do(
        Kind.QUOTE, account_idx=account_idx, price_ticks=pack_halves(1999, 2001),
        qty_lots=pack_halves(lots, lots), **fields,
    )  # fmt: skip


def full_market() -> Engine:
    """Return an engine in which account 0 has many orders over fifty contracts."""
    engine = Engine(
        Sizes(price_bits=12, accounts=2, contracts=CONTRACTS, positions=128, orders=MANY + 8,
              client_ids=8, scenarios=8)
    )  # fmt: skip
    rows = [command(Kind.OPEN_ACCOUNT, account_idx=idx) for idx in range(2)]
    rows.append(command(Kind.DEPOSIT, amount_usd_micros=1 << 50))
    rows += [
        command(Kind.LIST, contract_idx=idx, price_ticks=2000, amount_usd_micros=10,
                qty_lots=1000, state=TradingState.CONTINUOUS)
        for idx in range(CONTRACTS)
    ]  # fmt: skip
    rows += [
        command(Kind.PLACE, contract_idx=place % CONTRACTS, side=place % 2, qty_lots=1,
                price_ticks=2100 if place % 2 else 1900)
        for place in range(MANY)
    ]  # fmt: skip
    engine.apply(stamped(rows))
    assert engine.account_row(0)["open_orders"] == MANY
    return engine


def one(engine: Engine, kind: Kind, **fields: int) -> np.ndarray:
    return engine.apply(stamped([command(kind, **fields)], engine.last_seq + 1, engine.now_ns))


def test_a_kill_takes_every_order_of_an_account_over_fifty_contracts_a_bounded_part_a_command():
    engine = full_market()
    left = MANY
    while left:
        events = one(engine, Kind.KILL_ACCOUNT)
        assert events[0]["qty_lots"] == min(left, ACCOUNT_CANCELS_MAX) == len(events) - 1
        left -= min(left, ACCOUNT_CANCELS_MAX)
        assert events[0]["leaves_lots"] == left == engine.account_row(0)["open_orders"]
    engine.check()
    refused = one(engine, Kind.PLACE, side=Side.BUY, qty_lots=1, price_ticks=1900)
    assert codes(refused) == [Code.ACCOUNT_FROZEN]


def test_the_exchange_is_empty_after_the_documented_number_of_sweeps_and_takes_nothing():
    engine = full_market()
    one(engine, Kind.HALT_EXCHANGE, state=1)
    chunks = 0
    left = MANY
    while left:
        events = one(engine, Kind.SWEEP, contract_idx=-1, qty_lots=SWEEP_ORDERS_MAX)
        assert len(events) - 1 == min(left, SWEEP_ORDERS_MAX)
        left, chunks = int(events[0]["leaves_lots"]), chunks + 1
    assert chunks == -(-MANY // SWEEP_ORDERS_MAX)
    for account_idx in range(2):
        refused = one(
            engine, Kind.PLACE, account_idx=account_idx, side=Side.BUY, qty_lots=1,
            price_ticks=1900,
        )  # fmt: skip
        assert codes(refused) == [Code.EXCHANGE_HALTED]
    engine.check()


def test_a_contract_listed_while_the_exchange_is_halted_does_not_trade_until_it_goes_on():
    market = Market(contracts=1)
    market.do(Kind.HALT_EXCHANGE, state=1)
    market.do(
        Kind.LIST, contract_idx=1, price_ticks=2000, amount_usd_micros=1, qty_lots=10,
        state=TradingState.CONTINUOUS,
    )  # fmt: skip
    assert codes(market.order(0, Side.BUY, 1, 1999, contract_idx=1)) == [Code.EXCHANGE_HALTED]
    restored = Engine.restore(market.engine.save(), SIZES)
    assert restored.state.meta[0]["contracts_trading"] == 0
    market.engine = restored
    assert codes(market.order(0, Side.BUY, 1, 1999, contract_idx=1)) == [Code.EXCHANGE_HALTED]
    market.do(Kind.HALT_EXCHANGE, state=0)
    assert codes(market.order(0, Side.BUY, 1, 1999, contract_idx=1)) == [Code.OK]


def test_a_timer_survives_a_restart_and_fires_in_its_turn():
    market = Market()
    order_id = market.rested(0, Side.BUY, 1, 1999)
    market.do(Kind.CANCEL_ALL_AFTER, expires_ns=60, state=Timer.MEMBER)
    market.do(Kind.CANCEL_ALL_AFTER, expires_ns=10 * SECOND_NS, state=Timer.MEMBER)
    market.engine = Engine.restore(market.engine.save(), SIZES)
    market.engine.check()
    assert 0 < market.engine.next_expiry_ns <= market.engine.now_ns + 60  # early, never late
    due_ns = market.engine.now_ns + 10 * SECOND_NS
    assert said(market.do(Kind.TICK)) == [(EventKind.TICKED, 0, 0, 0)]
    assert market.engine.order_row(order_id) is not None
    events = market.do(Kind.TICK, at_ns=due_ns)
    assert events["kind"].tolist() == [
        EventKind.TICKED, EventKind.TIMER_FIRED, EventKind.CANCELLED,
    ]  # fmt: skip
    assert market.engine.next_expiry_ns == 0


def test_timers_put_off_without_end_never_fill_the_heap():
    market = Market()
    for turn in range(3 * len(market.engine.state.expiries)):
        far = SECOND_NS if turn % 2 else 40 * SECOND_NS
        market.do(
            Kind.CANCEL_ALL_AFTER, account_idx=turn % 4, expires_ns=far - turn, state=turn % 2
        )
    assert market.engine.state.meta[0]["expiries_count"] <= len(market.engine.state.expiries)
    market.engine.check()


def test_both_sides_of_a_quote_have_ids_of_their_own_though_the_first_is_spent():
    market = Market()
    market.rested(1, Side.SELL, 2, 2000)
    market.rested(1, Side.BUY, 3, 1990)
    events = market.do(Kind.QUOTE, price_ticks=pack_halves(2000, 2003), qty_lots=pack_halves(2, 3))
    accepted = events[events["kind"] == EventKind.ACCEPTED]
    assert len(set(accepted["order_id"].tolist())) == 2
    assert accepted["leaves_lots"].tolist() == [0, 3]
    market.engine.check()


def test_a_quote_is_margined_like_an_order_and_an_old_one_gives_way_first():
    market = Market()
    market.swap()
    quoted(market, 0)
    before = market.engine.requirement(0)
    for _ in range(3):
        assert quoted(market, 0)["kind"].tolist() == [EventKind.QUOTED]
        quoted(market, 0, lots=6)
        assert market.engine.requirement(0) > before
        quoted(market, 0)
        assert market.engine.requirement(0) == before
    assert market.engine.account_row(0)["open_orders"] == 2


def test_a_group_is_in_two_bits_and_a_hit_ends_its_own_quotes_only():
    market = Market(contracts=4)
    for group in range(QUOTE_GROUPS):
        quoted(market, 0, contract_idx=group, state=group)
        market.do(Kind.SET_MMP, state=group, expires_ns=SECOND_NS, ref_id=1)
    events = market.order(1, Side.SELL, 1, 1999, contract_idx=QUOTE_GROUPS - 1)
    assert [e for e in events["kind"].tolist() if e == EventKind.MMP_HIT] == [EventKind.MMP_HIT]
    assert market.engine.account_row(0)["open_orders"] == 2 * (QUOTE_GROUPS - 1)
    frozen = market.engine.state.mmps["frozen"][:QUOTE_GROUPS].tolist()
    assert frozen == [0] * (QUOTE_GROUPS - 1) + [1]
    market.engine.check()


def test_a_hit_of_several_makers_in_one_sweep_ends_them_in_the_order_of_their_fills():
    market = Market()
    for account_idx in (2, 0, 1):
        market.do(Kind.SET_MMP, account_idx=account_idx, expires_ns=SECOND_NS, qty_lots=5)
        quoted(market, account_idx)
    events = market.order(3, Side.BUY, 15, 2001)
    hits = events[events["kind"] == EventKind.MMP_HIT]
    assert hits["account_idx"].tolist() == [2, 0, 1]
    assert market.engine.state.meta[0]["orders_open"] == 0


def test_a_fill_or_kill_order_fills_though_protections_are_hit_on_its_way():
    market = Market()
    for account_idx in (0, 1):
        market.do(Kind.SET_MMP, account_idx=account_idx, expires_ns=SECOND_NS, ref_id=1)
        quoted(market, account_idx)
    events = market.order(3, Side.SELL, 10, 1999, tif=2)
    assert sum(e["qty_lots"] for e in events if e["kind"] == EventKind.TRADE) == 10


def test_an_account_with_limits_leaves_the_straight_line_and_comes_back_without():
    market = Market()
    market.rested(0, Side.BUY, 1, 1990)
    market.do(Kind.SET_LIMITS, qty_lots=1)
    assert market.engine.account_row(0)["limited"] == 1
    assert codes(market.order(0, Side.BUY, 2, 1990)) == [Code.ORDER_SIZE_LIMIT]
    market.do(Kind.SET_LIMITS)
    assert market.engine.account_row(0)["limited"] == 0
    market.rested(0, Side.BUY, 2, 1990)


def test_limits_do_not_hide_what_an_account_may_do_at_all():
    market = Market()
    market.do(Kind.SET_LIMITS, qty_lots=5)
    market.do(Kind.SET_ACCOUNT, state=AccountState.FROZEN)
    assert codes(market.order(0, Side.BUY, 1, 1990)) == [Code.ACCOUNT_FROZEN]
    market.do(Kind.SET_ACCOUNT, state=AccountState.REDUCE_ONLY)
    assert codes(market.order(0, Side.BUY, 1, 1990)) == [Code.ACCOUNT_REDUCE_ONLY]


def test_a_quote_flag_cannot_be_asked_for_by_an_order():
    market = Market()
    assert codes(market.order(0, Side.BUY, 1, 1990, flags=Flag.QUOTE)) == [Code.FLAGS_INVALID]
