"""Orders that end with a call or a day are listed, end in turn, and nobody looks for them."""

import pytest

from matching.codes import CallPhase, Code, EventKind, Flag, Kind, OrderType, Side, Tif, TriggerBy
from matching.engine import Engine, Sizes
from matching.state import LIFE_LISTS
from tests.unit.matching.small import MARK_TICKS, SIZES, Market

EVENTS = 4
FEW_EVENTS = Sizes(
    price_bits=12, accounts=8, contracts=4, positions=64, orders=256, client_ids=256, scenarios=8,
    command_events=EVENTS,
)  # fmt: skip
TO_AN_END = [
    (Tif.GFN, Kind.START_CALL, {"state": CallPhase.MANUAL}, Code.AUCTION_STARTED),
    (Tif.DAY, Kind.SETTLE, {"price_ticks": MARK_TICKS}, Code.ORDER_EXPIRED),
]


def listed(engine: Engine) -> list[Tif]:
    """Return the times in force of which contract 0 has orders that are not over."""
    heads = engine.state.life_lists[: LIFE_LISTS - 2]["head"].tolist()
    return [Tif(Tif.GFA + place) for place, head in enumerate(heads) if head]


def ended(events) -> list[tuple[int, int]]:
    """Return id and reason of the orders that ended."""
    gone = events[events["kind"] == EventKind.CANCELLED]
    return list(zip(gone["order_id"].tolist(), gone["code"].tolist(), strict=True))


def bid(market: Market, tif: Tif, ticks: int = MARK_TICKS - 5) -> int:
    return market.rested(0, Side.BUY, 2, ticks, tif=tif)


def test_a_plain_order_is_not_listed_and_a_call_ends_nothing():
    market = Market(SIZES)
    bid(market, Tif.GTC)
    assert listed(market.engine) == []
    assert ended(market.do(Kind.START_CALL, state=CallPhase.MANUAL)) == []


@pytest.mark.parametrize(("tif", "kind", "fields", "code"), TO_AN_END)
def test_those_listed_end_oldest_first_whatever_their_price_and_nobody_else(
    tif, kind, fields, code
):
    market = Market(SIZES)
    bid(market, Tif.GTC)
    ids = [bid(market, tif, MARK_TICKS - ticks) for ticks in (5, 9, 2)]
    assert listed(market.engine) == [tif]
    assert ended(market.do(kind, **fields)) == [(order_id, code) for order_id in ids]
    assert listed(market.engine) == []
    assert market.engine.next_expiry_ns == market.engine.state.meta[0]["next_call_ns"]
    market.engine.check()


@pytest.mark.parametrize(("tif", "kind", "fields", "code"), TO_AN_END)
def test_more_than_a_command_may_cancel_go_behind_the_next_by_a_restored_engine_too(
    tif, kind, fields, code
):
    market = Market(FEW_EVENTS)
    ids = [bid(market, tif) for _ in range(3 * EVENTS)]
    gone = ended(market.do(kind, **fields))
    assert len(gone) == EVENTS - 1
    while len(gone) < len(ids):
        market.engine.check()
        market.engine = Engine.restore(market.engine.save(), FEW_EVENTS)
        assert market.engine.next_expiry_ns == market.engine.now_ns
        before = len(gone)
        gone += ended(market.do(Kind.TICK))
        assert len(gone) > before
    assert gone == [(order_id, code) for order_id in ids]
    market.do(Kind.TICK)
    assert market.engine.state.meta[0]["aftermath"] == 0
    market.engine.check()


def test_an_order_of_yesterday_may_trade_until_its_turn_and_one_of_today_stays():
    market = Market(FEW_EVENTS)
    yesterday = [bid(market, Tif.DAY) for _ in range(2 * EVENTS)]
    market.do(Kind.SETTLE, price_ticks=MARK_TICKS)
    events = market.order(1, Side.SELL, 2, MARK_TICKS - 5)
    traded = events[events["kind"] == EventKind.TRADE]["maker_order_id"].tolist()
    assert traded == [yesterday[EVENTS - 1]]
    today = bid(market, Tif.DAY)
    for _ in range(4):
        market.do(Kind.TICK)
    assert [market.engine.order_row(idx) is not None for idx in (yesterday[-1], today)] == [
        False,
        True,
    ]
    assert listed(market.engine) == [Tif.DAY]
    market.engine.check()


def test_an_amendment_moves_an_order_of_yesterday_into_a_life_of_its_own():
    market = Market(FEW_EVENTS)
    ids = [bid(market, Tif.DAY) for _ in range(2 * EVENTS)]
    market.do(Kind.SETTLE, price_ticks=MARK_TICKS)
    kept, moved = ids[-1], ids[-2]
    market.do(Kind.AMEND, account_idx=0, order_id=kept, tif=Tif.GTC, flags=Flag.NEW_TIF)
    for _ in range(4):
        market.do(Kind.TICK)
    assert market.engine.order_row(kept) is not None
    assert market.engine.order_row(moved) is None
    market.engine.check()


def test_orders_for_a_call_end_with_it():
    market = Market(SIZES)
    market.do(Kind.START_CALL, state=CallPhase.MANUAL)
    order_id = bid(market, Tif.GFA)
    assert listed(market.engine) == [Tif.GFA]
    assert ended(market.do(Kind.END_CALL)) == [(order_id, Code.AUCTION_ENDED)]
    assert listed(market.engine) == []


def stop(market: Market, tif: Tif) -> int:
    """Place a stop that sells at a lower mark, and return its id."""
    events = market.do(
        Kind.PLACE, account_idx=0, side=Side.SELL, qty_lots=2, tif=tif,
        order_type=OrderType.STOP_LIMIT, price_ticks=MARK_TICKS + 5, state=TriggerBy.MARK,
        amount_usd_micros=MARK_TICKS - 1,
    )  # fmt: skip
    return int(events[0]["order_id"])


def test_a_stop_for_trading_waits_through_a_call_and_is_listed_when_it_enters():
    market = Market(SIZES)
    order_id = stop(market, Tif.GFN)
    assert ended(market.do(Kind.START_CALL, state=CallPhase.MANUAL)) == []
    market.do(Kind.END_CALL)
    assert listed(market.engine) == []
    entered = market.do(Kind.MARK, price_ticks=MARK_TICKS - 1)
    assert EventKind.TRIGGERED in entered["kind"] and listed(market.engine) == [Tif.GFN]
    gone = ended(market.do(Kind.START_CALL, state=CallPhase.MANUAL))
    assert gone == [(order_id, Code.AUCTION_STARTED)]
    market.engine.check()


@pytest.mark.parametrize("mark_ticks", [MARK_TICKS, MARK_TICKS - 1])
def test_a_stop_for_the_day_ends_with_it_waiting_or_entered(mark_ticks: int):
    market = Market(SIZES)
    order_id = stop(market, Tif.DAY)
    market.do(Kind.MARK, price_ticks=mark_ticks)
    market.engine.check()
    gone = ended(market.do(Kind.SETTLE, price_ticks=MARK_TICKS))
    assert gone == [(order_id, Code.ORDER_EXPIRED)]
    market.engine.check()


def test_the_checks_find_an_order_that_nobody_lists():
    market = Market(SIZES)
    bid(market, Tif.DAY)
    market.engine.check()
    market.engine.state.life_lists["head"] = 0
    market.engine.state.life_lists["tail"] = 0
    with pytest.raises(AssertionError, match="nobody looks for order"):
        market.engine.check()
