"""Pegs: bounded in number, moved once a command, the same after a restart."""

from matching.codes import Code, EventKind, Kind, OrderType, Peg, Side
from matching.engine import Engine
from matching.limits import PEGS_MAX
from matching.wire import pack_halves
from tests.unit.matching.small import SIZES, Market


def pegged(market: Market, account_idx: int, side: Side, peg: Peg, offset: int = 0):
    return market.do(
        Kind.PLACE, account_idx=account_idx, side=side, qty_lots=1, order_type=OrderType.PEGGED,
        state=peg, ref_id=pack_halves(offset, 0),
    )  # fmt: skip


def test_a_contract_has_only_so_many_pegs():
    market = Market()
    market.rested(0, Side.BUY, 1, 1990)
    ids = [int(pegged(market, 1, Side.BUY, Peg.BID)[0]["order_id"]) for _ in range(PEGS_MAX)]
    assert pegged(market, 1, Side.BUY, Peg.BID)[0]["code"] == Code.PEGS_FULL
    market.do(Kind.CANCEL, account_idx=1, order_id=ids[7])
    assert pegged(market, 1, Side.BUY, Peg.BID)[0]["kind"] == EventKind.ACCEPTED
    market.engine.check()


def test_all_pegs_move_behind_one_command_the_oldest_first():
    market = Market()
    low = market.rested(0, Side.BUY, 1, 1990)
    ids = [int(pegged(market, 1, Side.BUY, Peg.BID, -n)[0]["order_id"]) for n in range(5)]
    events = market.rested(0, Side.BUY, 1, 1995) and market.do(
        Kind.CANCEL, account_idx=0, order_id=low
    )
    assert events[0]["kind"] == EventKind.CANCELLED and len(events) == 1, "the best bid stays"
    events = market.order(0, Side.BUY, 1, 1996)
    moved = events[events["kind"] == EventKind.REPRICED]
    assert moved["order_id"].tolist() == ids
    assert moved["price_ticks"].tolist() == [1996, 1995, 1994, 1993, 1992]


def test_pegs_have_the_same_future_after_a_restart():
    market = Market()
    market.rested(0, Side.BUY, 5, 1990)
    market.rested(0, Side.SELL, 5, 2010)
    for side in (Side.BUY, Side.SELL, Side.BUY):
        pegged(market, 1, side, Peg.MID, 1)
    twin = Market()
    twin.engine = Engine.restore(market.engine.save(), SIZES)
    for one in (market, twin):
        one.order(2, Side.BUY, 1, 1993)
        one.order(2, Side.SELL, 3, 1990)
        one.engine.check()
    assert market.engine.state_hash() == twin.engine.state_hash()


def test_a_market_without_pegs_has_nothing_to_follow_up():
    market = Market()
    market.rested(0, Side.BUY, 5, 1990)
    order_id = int(pegged(market, 1, Side.BUY, Peg.BID)[0]["order_id"])
    market.do(Kind.CANCEL, account_idx=1, order_id=order_id)
    market.order(2, Side.SELL, 1, 1990)
    meta = market.engine.state.meta[0]
    assert (meta["aftermath"], meta["pegs_first"]) == (0, 0)
