"""A client order id is free again when it leaves a full ring, or after its day; not while open."""

from dataclasses import replace

from matching.codes import Code, Side, Tif
from matching.limits import CLIENT_ORDER_ID_TTL_NS
from tests.unit.matching.small import SIZES, Market, codes

RING_OF_THREE = replace(SIZES, client_ids=4)
REFUSED = [Code.CLIENT_ORDER_ID_REPEATED]


def closed(market: Market, client: str, lots: int = 1, at_ns: int = 0) -> list[int]:
    """Return the codes of an order that never rests, with a client id."""
    events = market.order(0, Side.BUY, lots, 1990, tif=Tif.IOC, client=client, at_ns=at_ns)
    return codes(events)


def test_a_full_ring_forgets_the_oldest_closed_order():
    market = Market(RING_OF_THREE)
    for client in "abcd":
        assert closed(market, client)[0] == Code.OK
    assert [closed(market, client) for client in "bcd"] == [REFUSED] * 3
    assert closed(market, "a")[0] == Code.OK
    assert closed(market, "b")[0] == Code.OK
    assert closed(market, "d") == REFUSED
    market.engine.check()


def test_an_open_order_outlives_younger_closed_ones():
    market = Market(RING_OF_THREE)
    order_id = market.rested(0, Side.BUY, 1, 1990, client="open")
    for client in "abcd":
        assert closed(market, client)[0] == Code.OK
    refused = market.order(0, Side.BUY, 1, 1990, client="open")
    assert (codes(refused), refused[0]["order_id"]) == (REFUSED, order_id)
    market.engine.check()


def test_another_body_under_a_used_id_is_a_conflict():
    market = Market()
    closed(market, "a")
    assert closed(market, "a", lots=2) == [Code.CLIENT_ORDER_ID_CONFLICT]


def test_an_id_is_free_after_its_day_and_not_a_nanosecond_before():
    market = Market()
    closed(market, "a")
    over_ns = market.engine.now_ns + CLIENT_ORDER_ID_TTL_NS
    assert closed(market, "a", at_ns=over_ns - 1) == REFUSED
    assert closed(market, "a", at_ns=over_ns)[0] == Code.OK
