"""Price, then time, at the maker's price; what is not filled at once is dropped."""

from matching.codes import Code, EventKind, Side, Stp, Tif
from tests.unit.matching.small import Market, said


def test_the_best_price_fills_first_and_the_oldest_of_a_price():
    market = Market()
    dear = market.rested(0, Side.SELL, 2, 2001)
    first = market.rested(1, Side.SELL, 3, 2000)
    second = market.rested(2, Side.SELL, 1, 2000)
    events = market.order(3, Side.BUY, 5, 2001)
    assert said(events) == [
        (EventKind.ACCEPTED, 0, 5, 0),
        (EventKind.TRADE, 0, 3, 0),
        (EventKind.TRADE, 0, 1, 0),
        (EventKind.TRADE, 0, 1, 1),
    ]
    assert events["maker_order_id"].tolist() == [0, first, second, dear]
    assert events["price_ticks"].tolist() == [2001, 2000, 2000, 2001]
    assert market.engine.position(3, 0)[:3] == (5, 0, 0)
    market.engine.check()


def test_a_fill_or_kill_one_lot_short_trades_nothing():
    market = Market()
    market.rested(0, Side.SELL, 2, 2000)
    assert said(market.order(1, Side.BUY, 3, 2000, tif=Tif.FOK)) == [
        (EventKind.ACCEPTED, 0, 3, 0),
        (EventKind.CANCELLED, Code.FOK_NOT_FILLABLE, 3, 0),
    ]


def test_the_rest_of_an_immediate_order_is_dropped():
    market = Market()
    market.rested(0, Side.SELL, 2, 2000)
    assert said(market.order(1, Side.BUY, 3, 2000, tif=Tif.IOC)) == [
        (EventKind.ACCEPTED, 0, 3, 0),
        (EventKind.TRADE, 0, 2, 0),
        (EventKind.CANCELLED, Code.IOC_REMAINDER, 1, 0),
    ]


def test_decrement_takes_the_same_lots_off_both_own_orders():
    market = Market()
    market.rested(0, Side.SELL, 5, 2000)
    assert said(market.order(0, Side.BUY, 2, 2000, stp=Stp.DECREMENT)) == [
        (EventKind.ACCEPTED, 0, 2, 0),
        (EventKind.CANCELLED, Code.SELF_TRADE_PREVENTED, 2, 3),
        (EventKind.CANCELLED, Code.SELF_TRADE_PREVENTED, 2, 0),
    ]
