"""A contract has so many pegged orders and no more."""

import pytest

from matching.codes import Code, OrderType, Peg, Side
from matching.limits import PEGS_MAX
from tests.unit.matching.small import MARK_TICKS, Market, codes


@pytest.mark.parametrize("peg", list(Peg))
def test_one_peg_too_many_is_refused_and_a_plain_order_is_not(peg):
    market = Market()
    market.rested(0, Side.BUY, 1, MARK_TICKS - 5)
    market.rested(0, Side.SELL, 1, MARK_TICKS + 5)
    pegged = {"order_type": OrderType.PEGGED, "state": peg, "ref_id": (-3) & 0xFFFFFFFF}
    for _ in range(PEGS_MAX):
        assert codes(market.order(1, Side.BUY, 1, 0, **pegged))[0] == Code.OK
    assert codes(market.order(1, Side.BUY, 1, 0, **pegged)) == [Code.PEGS_FULL]
    market.rested(1, Side.BUY, 1, MARK_TICKS - 9)
    market.engine.check()
