"""What one command may do: its bounds, and that what is beyond them is neither lost nor crossed."""

import pytest

from matching.codes import Code, EventKind, Kind, Side, Stp, Tif, Timer, TradingState
from matching.engine import Sizes
from matching.limits import LOOK_AHEAD_SHARE, TAKER_MAKERS_MAX
from matching.wire import pack_halves
from tests.unit.matching.small import Market, codes

MAKERS, CANCELS, EVENTS = 8, 4, 5
SIZES = Sizes(
    price_bits=12, accounts=8, contracts=4, positions=64, orders=256, client_ids=256, scenarios=8,
    taker_makers=MAKERS, account_cancels=CANCELS, command_events=EVENTS,
)  # fmt: skip


def market() -> Market:
    return Market(SIZES)


def ladder(one: Market, count: int, account_idx: int = 1) -> list[int]:
    """Rest sells of one lot, each a tick higher; return their ids."""
    return [one.rested(account_idx, Side.SELL, 1, 2001 + place) for place in range(count)]


@pytest.mark.parametrize("tif", [Tif.GTC, Tif.GTD, Tif.DAY, Tif.IOC])
def test_what_a_taker_has_left_behind_its_last_maker_ends_and_never_rests_crossed(tif: Tif):
    one = market()
    ladder(one, MAKERS + 2)
    until_ns = one.engine.now_ns + 10**12 if tif == Tif.GTD else 0
    events = one.order(0, Side.BUY, 20, 2100, tif=tif, expires_ns=until_ns)
    assert events["kind"].tolist()[1:-1] == [EventKind.TRADE] * MAKERS
    assert (events[-1]["code"], events[-1]["qty_lots"]) == (Code.MAKERS_LIMIT, 20 - MAKERS)
    assert events[0]["leaves_lots"] == 0
    assert one.engine.depth(0, Side.BUY, 1) == []
    one.engine.check()


def test_an_amended_order_and_a_side_of_a_quote_meet_no_more_makers_than_a_new_one():
    one = market()
    ladder(one, 3 * MAKERS)
    moved = one.rested(0, Side.BUY, 20, 1900)
    events = one.do(Kind.AMEND, account_idx=0, order_id=moved, price_ticks=2100, qty_lots=20)
    assert (events[-1]["code"], events[-1]["qty_lots"]) == (Code.MAKERS_LIMIT, 20 - MAKERS)
    assert one.engine.order_row(moved) is None
    events = one.do(
        Kind.QUOTE, account_idx=2, price_ticks=pack_halves(2100, 2200),
        qty_lots=pack_halves(20, 5),
    )  # fmt: skip
    dropped = events[events["code"] == Code.MAKERS_LIMIT]
    assert dropped["qty_lots"].tolist() == [20 - MAKERS]
    assert one.engine.depth(0, Side.SELL, 9)[-1] == (2200, 5, 1)
    one.engine.check()


def test_own_orders_that_are_taken_away_count_as_met():
    one = market()
    ladder(one, MAKERS, account_idx=0)
    one.rested(1, Side.SELL, 1, 2050)
    events = one.order(0, Side.BUY, 1, 2100, stp=Stp.CANCEL_OLDEST)
    assert codes(events)[1:] == [Code.SELF_TRADE_PREVENTED] * MAKERS + [Code.MAKERS_LIMIT]


def test_fill_or_kill_that_begins_gets_all_however_often_it_goes_round_a_level():
    one = market()
    for account_idx in (1, 2):
        one.order(
            account_idx, Side.SELL, 50, 2001, amount_usd_micros=pack_halves(0, 1)
        )  # fmt: skip
    assert MAKERS // LOOK_AHEAD_SHARE == 2
    events = one.order(0, Side.BUY, 99, 2001, tif=Tif.FOK)
    assert events[events["kind"] == EventKind.TRADE]["qty_lots"].sum() == 99
    one.order(1, Side.SELL, 1, 2001)
    one.order(2, Side.SELL, 50, 2002, amount_usd_micros=pack_halves(0, 1))
    for account_idx in (1, 2):
        one.rested(account_idx, Side.SELL, 1, 2002)
    short = one.order(0, Side.BUY, 10, 2002, tif=Tif.FOK)
    assert codes(short) == [Code.OK, Code.FOK_NOT_FILLABLE]


def test_a_share_of_the_makers_covers_the_times_that_one_is_met():
    assert TAKER_MAKERS_MAX % LOOK_AHEAD_SHARE == 0
    assert LOOK_AHEAD_SHARE > 3  # a display, a part of a round, and one whole round of the level


def test_a_timer_goes_on_with_the_next_tick_until_nothing_is_left():
    one = market()
    ladder(one, 2 * CANCELS + 1, account_idx=0)
    one.do(Kind.CANCEL_ALL_AFTER, account_idx=0, state=Timer.MEMBER, expires_ns=10)
    due_ns = one.engine.now_ns + 10
    left = []
    while one.engine.account_row(0)["open_orders"]:
        assert one.engine.next_expiry_ns <= due_ns
        events = one.do(Kind.TICK, at_ns=max(due_ns, one.engine.now_ns))
        left += events[events["kind"] == EventKind.TIMER_FIRED]["leaves_lots"].tolist()
    assert left == [CANCELS + 1, 1, 0]
    assert one.engine.next_expiry_ns == 0
    one.engine.check()


def test_a_restored_engine_goes_on_with_what_ends():
    one = market()
    ladder(one, 3 * EVENTS)
    first = one.do(Kind.SET_STATE, contract_idx=0, state=TradingState.EXPIRED)
    assert len(first) == EVENTS
    again = type(one.engine).restore(one.engine.save(), SIZES)
    assert again.next_expiry_ns == one.engine.next_expiry_ns > 0
    ended = 0
    while again.account_row(1)["open_orders"]:
        assert again.next_expiry_ns > 0
        events = one.do(Kind.TICK)
        ended += int((events["code"] == Code.CONTRACT_ENDED).sum())
        again = type(one.engine).restore(one.engine.save(), SIZES)
        again.check()
    assert ended == 3 * EVENTS - (EVENTS - 1)
