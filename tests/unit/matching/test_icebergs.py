"""Icebergs: what shows, whose turn it is, and how few trades say it."""

import pytest

from matching.codes import EventKind, Flag, Kind, Side, Tif
from matching.engine import Engine
from matching.wire import pack_halves
from tests.unit.matching.small import SIZES, Market


def iceberg(market: Market, account_idx: int, lots: int, display: int, ticks: int = 2000) -> int:
    return market.rested(
        account_idx, Side.SELL, lots, ticks, amount_usd_micros=pack_halves(0, display)
    )


def shown(market: Market, order_id: int) -> int:
    return int(market.engine.state.details[order_id & 0xFFFFF]["shown_lots"])


@pytest.mark.parametrize(("lots", "shows"), [(1, 3), (3, 1), (4, 4), (11, 1), (13, 1)])
def test_what_shows_after_a_fill_of_one_that_is_alone(lots, shows):
    market = Market()
    order_id = iceberg(market, 0, 14, 4)
    events = market.order(1, Side.BUY, lots, 2000)
    assert (events["kind"] == EventKind.TRADE).sum() == 1
    assert shown(market, order_id) == shows


def test_many_small_displays_are_few_trades():
    market = Market()
    makers = [iceberg(market, idx, 900, 1) for idx in range(3)]
    events = market.order(3, Side.BUY, 1000, 2000)
    trades = events[events["kind"] == EventKind.TRADE]
    assert trades["qty_lots"].sum() == 1000
    assert len(trades) <= 3 * len(makers)
    left = [int(market.engine.order_row(order_id)["leaves_lots"]) for order_id in makers]
    assert left == [900 - 334, 900 - 333, 900 - 333]
    market.engine.check()


def test_depth_never_shows_what_is_hidden():
    market = Market()
    iceberg(market, 0, 900, 5)
    iceberg(market, 1, 3, 3, ticks=2001)
    assert market.engine.depth(0, Side.SELL, 9) == [(2000, 5, 1), (2001, 3, 1)]
    assert market.engine.position(0, 0)[2] == 900, "margin counts all of it"


def test_a_fill_tells_what_shows_behind_it():
    market = Market()
    order_id = iceberg(market, 0, 9, 4)
    events = market.order(1, Side.BUY, 6, 2000)
    assert events[events["kind"] == EventKind.TRADE]["amount_usd_micros"].tolist() == [2]
    assert shown(market, order_id) == 2


def test_a_freed_slot_keeps_nothing_of_an_iceberg():
    market = Market()
    order_id = iceberg(market, 0, 9, 4)
    market.do(Kind.CANCEL, account_idx=0, order_id=order_id)
    plain = market.rested(0, Side.SELL, 7, 2000)
    assert plain & 0xFFFFF == order_id & 0xFFFFF
    assert market.engine.depth(0, Side.SELL, 9) == [(2000, 7, 1)]
    market.engine.check()


def test_an_iceberg_survives_a_restart():
    market = Market()
    first, second = iceberg(market, 0, 9, 4), iceberg(market, 1, 9, 2)
    market.order(2, Side.BUY, 5, 2000)
    copy = Engine.restore(market.engine.save(), SIZES)
    assert copy.state_hash() == market.engine.state_hash()
    assert copy.depth(0, Side.SELL, 1) == market.engine.depth(0, Side.SELL, 1)
    assert {shown(market, first), shown(market, second)} == {4, 1}


def test_an_end_that_was_amended_many_times_is_one_entry_at_a_time():
    market = Market()
    order_id = market.rested(0, Side.SELL, 5, 2000)
    for later in range(3 * SIZES.orders):
        now = market.engine.now_ns
        market.do(
            Kind.AMEND, account_idx=0, order_id=order_id, flags=Flag.NEW_TIF, tif=Tif.GTD,
            expires_ns=now + 1_000_000 + later,
        )  # fmt: skip
    market.engine.check()
    end = int(market.engine.order_row(order_id)["expires_ns"])
    market.do(Kind.TICK, at_ns=end - 1)
    assert market.engine.order_row(order_id) is not None
    market.do(Kind.TICK, at_ns=end)
    assert market.engine.order_row(order_id) is None
