"""Whoever looks for orders of one time in force finds them all, and looks only where one may be."""

import pytest

from matching.codes import CallPhase, Code, EventKind, Kind, OrderType, Side, Tif, TriggerBy
from matching.engine import Engine
from tests.unit.matching.small import MARK_TICKS, SIZES, Market


def noted(market: Market) -> set[int]:
    """Return the times in force that contract 0 may hold."""
    lives = int(market.engine.state.lives[0])
    return {int(tif) for tif in Tif if lives >> tif & 1}


def ended(events) -> list[int]:
    """Return the reasons of the orders that ended."""
    return [int(e["code"]) for e in events if e["kind"] == EventKind.CANCELLED]


def test_a_plain_order_is_not_noted_and_a_call_looks_for_nobody():
    market = Market(SIZES)
    market.rested(0, Side.BUY, 2, MARK_TICKS - 5)
    assert noted(market) == set()
    assert ended(market.do(Kind.START_CALL, state=CallPhase.MANUAL)) == []


@pytest.mark.parametrize(
    ("tif", "commands"),
    [
        (Tif.GFN, [(Kind.START_CALL, {"state": CallPhase.MANUAL})]),
        (Tif.DAY, [(Kind.SETTLE, {"price_ticks": MARK_TICKS})]),
    ],
)
def test_orders_end_where_one_is_noted_and_then_nobody_looks_again(tif, commands):
    market = Market(SIZES)
    market.rested(0, Side.BUY, 2, MARK_TICKS - 5)
    market.rested(0, Side.BUY, 2, MARK_TICKS - 5, tif=tif)
    assert noted(market) == {tif}
    for kind, fields in commands:
        assert len(ended(market.do(kind, **fields))) == 1
    assert noted(market) == set()
    market.engine.check()


def test_orders_for_a_call_end_with_it():
    market = Market(SIZES)
    market.do(Kind.START_CALL, state=CallPhase.MANUAL)
    market.rested(0, Side.BUY, 2, MARK_TICKS - 5, tif=Tif.GFA)
    assert noted(market) == {Tif.GFA}
    assert ended(market.do(Kind.END_CALL)) == [Code.AUCTION_ENDED]
    assert noted(market) == set()


def test_a_stop_that_waited_through_a_call_is_found_by_the_next():
    market = Market(SIZES)
    market.do(
        Kind.PLACE, account_idx=0, side=Side.SELL, qty_lots=2, tif=Tif.GFN,
        order_type=OrderType.STOP_LIMIT, price_ticks=MARK_TICKS + 5, state=TriggerBy.MARK,
        amount_usd_micros=MARK_TICKS - 1,
    )  # fmt: skip
    assert ended(market.do(Kind.START_CALL, state=CallPhase.MANUAL)) == []
    market.do(Kind.END_CALL)
    assert noted(market) == {Tif.GFN}, "it may yet enter"
    entered = market.do(Kind.MARK, price_ticks=MARK_TICKS - 1)
    assert EventKind.TRIGGERED in entered["kind"]
    assert ended(market.do(Kind.START_CALL, state=CallPhase.MANUAL)) == [Code.AUCTION_STARTED]
    assert noted(market) == set()
    market.engine.check()


def test_an_amendment_to_another_time_in_force_is_noted_and_a_restored_core_knows_it():
    market = Market(SIZES)
    order_id = market.rested(0, Side.BUY, 2, MARK_TICKS - 5)
    market.do(Kind.AMEND, account_idx=0, order_id=order_id, tif=Tif.DAY, flags=16)
    assert noted(market) == {Tif.DAY}
    again = Engine.restore(market.engine.save(), SIZES)
    assert again.state.lives[0] == market.engine.state.lives[0]
    again.check()
    again.state.lives[0] = 0
    with pytest.raises(AssertionError, match="nobody looks for order"):
        again.check()
