"""Open deals: their list by end, recycled slots, what is saved, and what a block leaves alone."""

from typing import Any

import numpy as np
import pytest

from matching.codes import Code, DealKind, EventKind, Kind, Side
from matching.engine import Engine, Sizes
from matching.limits import DEALS_PER_ACCOUNT_MAX, REQUEST_WINDOW_NS, REQUESTS_PER_WINDOW_MAX
from tests.support.rows import command
from tests.unit.matching.small import MARK_TICKS, Market, codes

HOUR_NS = 3600 * 1_000_000_000
SMALL = Sizes(
    price_bits=12, accounts=8, contracts=4, positions=64, orders=256, client_ids=256, scenarios=8,
    deals=4,
)  # fmt: skip


@pytest.fixture
def market() -> Market:
    return with_blocks(Market())


def with_blocks(market: Market) -> Market:
    market.swap()
    market.do(Kind.SET_BLOCKS, qty_lots=10, order_id=200)
    return market


def propose(market: Market, account: int = 0, whom: int = 1, **fields: Any) -> np.ndarray:
    usual = {"qty_lots": 10, "price_ticks": MARK_TICKS, "expires_ns": HOUR_NS}
    return market.do(Kind.PROPOSE, account_idx=account, ref_id=whom, **usual | fields)


def accept(market: Market, proposed: np.ndarray, account: int = 1) -> np.ndarray:
    return market.do(Kind.ACCEPT, account_idx=account, order_id=int(proposed[0]["order_id"]))


def test_deals_end_in_order_of_their_time_and_then_of_their_id(market):
    ends = [HOUR_NS + later for later in (5, 3, 5, 9, 1)]
    ids = [int(propose(market, expires_ns=end)[0]["order_id"]) for end in ends]
    assert market.engine.next_expiry_ns == HOUR_NS + 1
    ended = market.do(Kind.TICK, at_ns=HOUR_NS + 5)
    assert ended[0]["qty_lots"] == 4
    assert ended[1:]["order_id"].tolist() == [ids[4], ids[1], ids[0], ids[2]]
    assert codes(ended[1:]) == [Code.DEAL_EXPIRED] * 4
    assert market.engine.next_expiry_ns == HOUR_NS + 9
    market.engine.check()


def test_the_next_tick_is_due_for_whatever_ends_first(market):
    market.rested(0, Side.BUY, 1, 1990, tif=3, expires_ns=2 * HOUR_NS)
    assert market.engine.next_expiry_ns == 2 * HOUR_NS
    propose(market, expires_ns=HOUR_NS)
    assert market.engine.next_expiry_ns == HOUR_NS
    propose(market, expires_ns=3 * HOUR_NS)
    market.do(Kind.TICK, at_ns=HOUR_NS)
    assert market.engine.next_expiry_ns == 2 * HOUR_NS


def test_slots_are_used_again_and_ids_never(market):
    ids = set()
    for _ in range(50):
        proposed = propose(market)
        ids.add(int(proposed[0]["order_id"]))
        market.do(Kind.DECLINE, account_idx=1, order_id=int(proposed[0]["order_id"]))
    assert len(ids) == 50 and {deal_id % (1 << 20) for deal_id in ids} == {1}


def test_an_account_has_so_many_deals_open_and_no_more(market):
    for _ in range(DEALS_PER_ACCOUNT_MAX):
        assert codes(propose(market)) == [Code.OK]
    assert codes(propose(market)) == [Code.DEAL_LIMIT]
    assert codes(propose(market, account=2)) == [Code.OK]


def test_a_full_pool_refuses():
    market = with_blocks(Market(SMALL))
    for account in (0, 1, 2):
        assert codes(propose(market, account=account, whom=3)) == [Code.OK]
    assert codes(propose(market, account=3, whom=0)) == [Code.DEALS_FULL]


def test_requests_for_quotes_are_counted_by_the_minute_of_core_time(market):
    start_ns = 10 * REQUEST_WINDOW_NS

    def ask(at_ns: int, account: int = 0) -> list[int]:
        asked = market.do(
            Kind.REQUEST_QUOTES, account_idx=account, qty_lots=5, at_ns=at_ns,
            expires_ns=at_ns + 1,
        )  # fmt: skip
        market.do(Kind.TICK, at_ns=at_ns + 1)
        return codes(asked)

    for count in range(REQUESTS_PER_WINDOW_MAX):
        assert ask(start_ns + 2 * count) == [Code.OK]
    assert ask(start_ns + 100) == [Code.REQUEST_RATE_LIMIT]
    assert ask(start_ns + 102, account=1) == [Code.OK]
    assert ask(start_ns + REQUEST_WINDOW_NS) == [Code.OK]


def test_a_block_leaves_the_book_the_last_price_and_the_range_alone(market):
    market.rested(2, Side.SELL, 5, 2010)
    market.order(3, Side.BUY, 1, 2010)
    before = market.engine.contract_row(0)
    day = market.engine.state.days[0].copy()
    traded = accept(market, propose(market, price_ticks=2030, state=DealKind.EFP))
    assert traded["kind"].tolist() == [EventKind.EFP_TRADE]
    after = market.engine.contract_row(0)
    assert after["last_trade_ticks"] == before["last_trade_ticks"] == 2010
    assert after["mark_ticks"] == before["mark_ticks"]
    assert after["open_interest_lots"] == before["open_interest_lots"] + 10
    assert market.engine.state.days[0] == day
    assert market.engine.depth(0, Side.SELL, 5) == [(2010, 4, 1)]
    market.engine.check()


def test_a_saved_market_goes_on_with_its_deals(market):
    first, later = propose(market), propose(market, expires_ns=HOUR_NS // 2)
    market.order(2, Side.BUY, 1, MARK_TICKS)
    market.order(3, Side.SELL, 1, MARK_TICKS)
    twin = Engine.restore(market.engine.save(), market.engine.sizes)
    assert twin.next_expiry_ns == HOUR_NS // 2
    assert twin.state_hash() == market.engine.state_hash()
    row = command(Kind.ACCEPT, account_idx=1, order_id=int(first[0]["order_id"]))
    row["seq"], row["ts_ns"] = market.engine.last_seq + 1, market.engine.now_ns
    assert twin.apply(row).tobytes() == market.engine.apply(row).tobytes()
    assert twin.state_hash() == market.engine.state_hash()
    assert codes(accept(market, later)) == [Code.OK]


def test_a_refused_acceptance_names_the_deal_and_leaves_it_open(market):
    proposed = propose(market)
    market.do(Kind.SET_ACCOUNT, account_idx=0, state=1)
    refused = accept(market, proposed)
    assert codes(refused) == [Code.INITIATOR_NOT_ALLOWED]
    assert refused[0]["order_id"] == proposed[0]["order_id"]
    market.do(Kind.SET_ACCOUNT, account_idx=0, state=0)
    assert codes(accept(market, proposed)) == [Code.OK]
