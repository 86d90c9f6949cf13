"""Orders end in order of (expiry, order id), none early."""

from random import Random

from matching.codes import Code, EventKind, Kind, Side, Tif
from matching.engine import Engine
from tests.unit.matching.small import Market, said

DAY_NS = 86_400 * 1_000_000_000


def test_a_tick_ends_what_is_due_by_time_then_by_id():
    market, pick = Market(), Random(4)
    ends = [DAY_NS + pick.randrange(20) for _ in range(60)]
    ids = [market.rested(0, Side.BUY, 1, 1990, tif=Tif.GTD, expires_ns=end_ns) for end_ns in ends]
    market.do(Kind.CANCEL, account_idx=0, order_id=ids[7])
    rows = sorted((end_ns, order_id) for end_ns, order_id in zip(ends, ids, strict=True))
    rows.remove((ends[7], ids[7]))
    for now_ns in (DAY_NS - 1, DAY_NS + 9, DAY_NS + 19):
        events = market.do(Kind.TICK, at_ns=now_ns)
        due = [row for row in rows if row[0] <= now_ns]
        assert said(events[:1]) == [(EventKind.TICKED, 0, len(due), 0)]
        assert events["order_id"].tolist()[1:] == [order_id for _, order_id in due]
        assert set(events["code"].tolist()[1:]) <= {Code.ORDER_EXPIRED}
        rows = rows[len(due) :]
        market.engine.check()
    assert (rows, market.engine.next_expiry_ns) == ([], 0)


def test_the_next_expiry_is_the_earliest():
    market = Market()
    for end_ns in (DAY_NS + 3, DAY_NS + 1, DAY_NS + 2):
        market.rested(0, Side.BUY, 1, 1990, tif=Tif.GTD, expires_ns=end_ns)
    assert market.engine.next_expiry_ns == DAY_NS + 1


def test_a_restored_engine_finds_the_entries_of_orders_that_are_gone_too():
    # A tick looks at so many of them at most, so what it ends depends on how many there are.
    market = Market()
    ends = [DAY_NS + place for place in range(9)]
    ids = [market.rested(0, Side.BUY, 1, 1990, tif=Tif.GTD, expires_ns=end_ns) for end_ns in ends]
    for order_id in ids[:-1]:
        market.do(Kind.CANCEL, account_idx=0, order_id=order_id)
    again = Engine.restore(market.engine.save(), market.engine.sizes)
    assert again.next_expiry_ns == market.engine.next_expiry_ns == DAY_NS
    heaps = [engine.state.expiries[: len(ids)].tobytes() for engine in (again, market.engine)]
    assert heaps[0] == heaps[1] and any(heaps[0])
    assert again.state_hash() == market.engine.state_hash()
    again.check()
