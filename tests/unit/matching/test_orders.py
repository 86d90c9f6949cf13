"""Orders rest, are cancelled by their owner alone, and go all at once."""

import pytest

from matching.codes import Code, EventKind, Kind, Side
from tests.unit.matching.small import Market, codes, said


def test_an_order_that_rests_says_so_and_its_cancel_takes_it_off():
    market = Market()
    events = market.order(0, Side.BUY, 4, 1990)
    assert said(events) == [(EventKind.ACCEPTED, 0, 4, 4)]
    events = market.do(Kind.CANCEL, account_idx=0, order_id=events[0]["order_id"])
    assert said(events) == [(EventKind.CANCELLED, Code.CANCELLED_BY_USER, 4, 0)]
    assert market.engine.depth(0, Side.BUY, 1) == []


def test_the_order_of_another_account_is_unknown():
    market = Market()
    order_id = market.rested(0, Side.BUY, 4, 1990)
    assert codes(market.do(Kind.CANCEL, account_idx=1, order_id=order_id)) == [Code.ORDER_UNKNOWN]
    assert market.engine.order_row(order_id) is not None


def test_an_order_is_cancelled_by_its_client_id():
    market = Market()
    order_id = market.rested(0, Side.BUY, 4, 1990, client="mine")
    assert market.do(Kind.CANCEL, account_idx=0, client="mine")[0]["order_id"] == order_id


@pytest.mark.parametrize(("state", "gone"), [(0, [0, 1, 2]), (1, [0, 2]), (2, [1])])
def test_a_mass_cancel_takes_the_sides_it_names_oldest_first(state: int, gone: list[int]):
    market = Market()
    ids = [
        market.rested(0, side, 1, ticks)
        for side, ticks in ((Side.BUY, 1990), (Side.SELL, 2010), (Side.BUY, 1991))
    ]
    market.rested(1, Side.BUY, 1, 1990)
    events = market.do(Kind.MASS_CANCEL, account_idx=0, contract_idx=-1, state=state)
    assert said(events[:1]) == [(EventKind.MASS_CANCELLED, 0, len(gone), 0)]
    assert events["order_id"].tolist()[1:] == [ids[place] for place in gone]
    market.engine.check()
