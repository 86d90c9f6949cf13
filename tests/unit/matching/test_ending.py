"""The last moments of contracts: ticks come for them, whatever was saved and restored before."""

import pytest

from matching.codes import Code, EventKind, Kind, Side, TradingState
from matching.engine import Engine
from tests.support.rows import SECOND_NS, command
from tests.unit.matching.small import SIZES, Market, codes, said

END_NS = 100 * SECOND_NS


def test_a_tick_is_due_when_the_first_contract_ends_and_then_the_next():
    market = Market(contracts=3)
    for idx, ends_ns in ((2, END_NS), (1, END_NS + 5), (0, END_NS + 9)):
        market.do(Kind.SET_LAST_TRADE, contract_idx=idx, expires_ns=ends_ns)
    assert market.engine.next_expiry_ns == END_NS
    ended = market.do(Kind.TICK, at_ns=END_NS + 6)
    assert [int(event["contract_idx"]) for event in ended[1:]] == [1, 2]
    assert {int(event["kind"]) for event in ended[1:]} == {EventKind.TRADING_ENDED}
    assert market.engine.next_expiry_ns == END_NS + 9


def test_a_restored_engine_wakes_for_the_end_it_was_told_before():
    market = Market(contracts=2)
    market.do(Kind.SET_LAST_TRADE, contract_idx=1, expires_ns=END_NS)
    engine = Engine.restore(market.engine.save(), SIZES)
    assert engine.next_expiry_ns == END_NS
    row = command(Kind.TICK)
    row["seq"], row["ts_ns"] = engine.last_seq + 1, END_NS
    assert [int(kind) for kind in engine.apply(row)["kind"]] == [
        EventKind.TICKED, EventKind.TRADING_ENDED,
    ]  # fmt: skip
    assert engine.contract_row(1)["state"] == TradingState.HALT
    assert engine.contract_row(0)["state"] == TradingState.CONTINUOUS
    engine.check()


def test_what_a_listing_says_of_its_end_ends_nothing_by_itself():
    """Older journals list contracts with an end that the calendar saw to."""
    market = Market()
    market.do(
        Kind.LIST, contract_idx=1, price_ticks=2000, amount_usd_micros=1, qty_lots=9,
        state=TradingState.CONTINUOUS, expires_ns=END_NS,
    )  # fmt: skip
    assert len(market.do(Kind.TICK, at_ns=END_NS + 1)) == 1
    assert market.engine.contract_row(1)["state"] == TradingState.CONTINUOUS


def test_while_the_exchange_is_halted_a_call_ends_at_its_last_moment_without_trades():
    market = Market()
    market.do(Kind.SET_LAST_TRADE, expires_ns=END_NS)
    market.do(Kind.START_CALL, state=3, expires_ns=2 * END_NS)
    market.rested(0, Side.BUY, 5, 2010)
    market.rested(1, Side.SELL, 5, 1990)
    market.do(Kind.HALT_EXCHANGE, state=1)
    kinds = [kind for kind, *_ in said(market.do(Kind.TICK, at_ns=END_NS))]
    assert kinds == [EventKind.TICKED, EventKind.TRADING_ENDED]
    market.engine.check()


@pytest.mark.parametrize("kind", [Kind.SET_LAST_TRADE, Kind.CLOSE_OUT])
def test_contracts_that_are_not_there_are_refused(kind):
    market = Market()
    for idx in (-1, 1, 1 << 20):
        assert codes(market.do(kind, contract_idx=idx)) == [Code.CONTRACT_UNKNOWN]
