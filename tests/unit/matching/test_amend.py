"""A smaller order keeps its place; any other amendment comes again at the back."""

import pytest

from matching.codes import Code, EventKind, Kind, Side
from tests.unit.matching.small import Market, codes, said


@pytest.mark.parametrize(("qty_lots", "keeps_place"), [(2, True), (6, False)])
def test_only_a_smaller_order_keeps_its_place(qty_lots: int, keeps_place: bool):
    market = Market()
    first = market.rested(0, Side.SELL, 5, 2000)
    second = market.rested(1, Side.SELL, 5, 2000)
    events = market.do(Kind.AMEND, account_idx=0, order_id=first, qty_lots=qty_lots)
    assert said(events) == [(EventKind.AMENDED, 0, qty_lots, qty_lots)]
    trade = market.order(2, Side.BUY, 1, 2000)[1]
    assert trade["maker_order_id"] == (first if keeps_place else second)
    market.engine.check()


def test_an_amended_price_that_crosses_trades_under_the_old_id():
    market = Market()
    market.rested(0, Side.SELL, 2, 2000)
    order_id = market.rested(1, Side.BUY, 5, 1990)
    events = market.do(Kind.AMEND, account_idx=1, order_id=order_id, price_ticks=2000)
    assert said(events) == [(EventKind.AMENDED, 0, 5, 3), (EventKind.TRADE, 0, 2, 0)]
    assert events["order_id"].tolist() == [order_id, order_id]
    assert market.engine.depth(0, Side.BUY, 2) == [(2000, 3, 1)]


def test_a_total_that_is_filled_already_ends_the_order():
    market = Market()
    order_id = market.rested(0, Side.SELL, 5, 2000)
    market.order(1, Side.BUY, 3, 2000)
    events = market.do(Kind.AMEND, account_idx=0, order_id=order_id, qty_lots=3)
    assert said(events) == [
        (EventKind.AMENDED, 0, 3, 0),
        (EventKind.CANCELLED, Code.AMENDED_BELOW_FILLED, 2, 0),
    ]


def test_an_amendment_to_what_is_there_is_refused():
    market = Market()
    order_id = market.rested(0, Side.SELL, 5, 2000)
    events = market.do(Kind.AMEND, account_idx=0, order_id=order_id, qty_lots=5, price_ticks=2000)
    assert codes(events) == [Code.AMEND_CHANGES_NOTHING]
