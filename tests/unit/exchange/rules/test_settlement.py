import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.settlement import (
    VWAP_LOTS_MIN,
    WINDOW_NS,
    Price,
    PriceRule,
    Traded,
    is_worth_marking,
    mark_price,
    mid_ticks,
    settlement_price,
)
from exchange.rules.tape import SLICE_NS, Tape
from exchange.rules.tenors import NS_PER_DAY, NS_PER_SECOND
from matching.codes import EventKind
from matching.wire import COMMAND, EVENT

NOON = 20_000 * NS_PER_DAY


@pytest.mark.parametrize(
    ("bid", "ask", "last", "mark", "price"),
    [
        (2000, 2010, 0, 1500, Price(2005, PriceRule.MID)),
        (2000, 2010, 1900, 1500, Price(2005, PriceRule.MID)),
        (2001, 2002, 0, 1500, Price(2002, PriceRule.MID)),  # a tie goes to the even tick
        (1, 3, 0, 9, Price(2, PriceRule.MID)),  # two ticks are close at any price
        (1000, 2010, 1900, 1500, Price(1900, PriceRule.LAST_TRADE)),
        (1000, 1800, 1900, 1500, Price(1800, PriceRule.LAST_TRADE)),
        (1950, 9000, 1900, 1500, Price(1950, PriceRule.LAST_TRADE)),
        (0, 0, 1900, 1500, Price(1900, PriceRule.LAST_TRADE)),
        (1950, 0, 1900, 1500, Price(1950, PriceRule.LAST_TRADE)),
        (1950, 0, 0, 1500, Price(1500, PriceRule.MARK)),
        (0, 0, 0, 1500, Price(1500, PriceRule.MARK)),
    ],
)
def test_SETL_001_a_mark_follows_the_first_rule_that_applies(
    bid: int, ask: int, last: int, mark: int, price: Price
) -> None:
    assert mark_price(bid, ask, last, mark) == price


@pytest.mark.parametrize(
    ("lots", "tick_lots", "price"),
    [
        (VWAP_LOTS_MIN, 20_004, Price(2000, PriceRule.VWAP)),
        (VWAP_LOTS_MIN, 20_005, Price(2000, PriceRule.VWAP)),  # a tie goes to the even tick
        (VWAP_LOTS_MIN, 20_006, Price(2001, PriceRule.VWAP)),
        (VWAP_LOTS_MIN - 1, 18_000, Price(2105, PriceRule.MID)),
    ],
)
def test_SETL_002_settlement_takes_the_vwap_when_enough_traded(
    lots: int, tick_lots: int, price: Price
) -> None:
    assert settlement_price(2100, 2110, Traded(lots, tick_lots, 2000), 1500) == price


def test_SETL_003_without_trades_or_a_close_book_the_mark_settles() -> None:
    assert settlement_price(0, 2110, Traded(0, 0, 0), 1500) == Price(1500, PriceRule.MARK)


def test_SETL_004_the_weighted_price_of_a_published_example() -> None:
    # NYMEX CL, active month: 10,584 lots at a weighted 50.58 settle at 50.58.
    traded = Traded(10_584, 10_584 * 5058, 5058)
    assert settlement_price(0, 0, traded, 1).ticks == 5058


@given(*(st.integers(0, 65_535) for _ in range(3)), st.integers(1, 65_535))
def test_a_mark_never_leaves_a_book_it_was_made_from(
    bid: int, ask: int, last: int, mark: int
) -> None:
    price = mark_price(bid, ask, last, mark)
    assert price.ticks > 0
    if price.rule is not PriceRule.MARK and bid < ask:
        assert bid <= price.ticks <= ask
    if mid_ticks(bid, ask):
        assert price.rule is PriceRule.MID


def test_small_moves_wait_for_the_whole_minute() -> None:
    assert not is_worth_marking(2000, 2001, whole_minute=False)
    assert is_worth_marking(2000, 2002, whole_minute=False)
    assert is_worth_marking(2000, 2001, whole_minute=True)
    assert not is_worth_marking(2000, 2000, whole_minute=True)


def batch(seq: int, ts_ns: int, kind: EventKind, price: int = 0, lots: int = 0, idx: int = 3):
    """One command with one event."""
    command, event = np.zeros(1, COMMAND), np.zeros(1, EVENT)
    command["seq"], command["ts_ns"] = seq, ts_ns
    event["seq"], event["kind"], event["contract_idx"] = seq, kind, idx
    event["price_ticks"], event["qty_lots"] = price, lots
    return command, event


def test_TAPE_001_the_window_holds_half_an_hour_and_no_more() -> None:
    tape = Tape()
    tape.observe(*batch(1, NOON - WINDOW_NS - 1, EventKind.TRADE, 9999, 50))
    tape.observe(*batch(2, NOON - WINDOW_NS, EventKind.TRADE, 2000, 10))
    tape.observe(*batch(3, NOON - 1, EventKind.TRADE, 2010, 30))
    tape.observe(*batch(4, NOON, EventKind.TRADE, 1, 1000))
    assert tape.window(3, NOON) == Traded(40, 80_300, 2010)
    assert tape.window(4, NOON) == Traded(0, 0, 0)


def test_TAPE_002_a_batch_seen_twice_counts_once() -> None:
    tape = Tape()
    for _ in range(2):
        tape.observe(*batch(1, NOON - 1, EventKind.TRADE, 2000, 10))
    assert tape.window(3, NOON).lots == 10


def test_TAPE_003_last_trades_grow_old() -> None:
    tape = Tape()
    tape.observe(*batch(1, NOON, EventKind.TRADE, 2000, 10))
    assert tape.last_ticks(3, NOON + WINDOW_NS - SLICE_NS) == 2000
    assert tape.last_ticks(3, NOON + WINDOW_NS + SLICE_NS) == 0
    assert tape.last_ticks(4, NOON) == 0


def test_TAPE_004_a_listing_and_a_settlement_set_the_settlement_price() -> None:
    tape = Tape()
    assert tape.settled_ns(3) == 0
    tape.observe(*batch(1, NOON, EventKind.LISTED, 2000))
    assert tape.settled_ns(3) == NOON
    tape.observe(*batch(2, NOON + NS_PER_SECOND, EventKind.SETTLED, 2000))
    assert tape.settled_ns(3) == NOON + NS_PER_SECOND


@given(st.lists(st.tuples(st.integers(0, 7200), st.integers(1, 3000), st.integers(1, 50))))
def test_TAPE_005_the_window_is_the_sum_of_its_trades(trades: list[tuple[int, int, int]]) -> None:
    tape = Tape()
    for seq, (second, price, lots) in enumerate(sorted(trades), 1):
        tape.observe(*batch(seq, NOON + second * NS_PER_SECOND, EventKind.TRADE, price, lots))
    now = max((second for second, *_ in trades), default=0) // 10 * 10 + 10
    inside = [(p, n) for second, p, n in trades if now - 1800 <= second < now]
    traded = tape.window(3, NOON + now * NS_PER_SECOND)
    assert traded.lots == sum(n for _, n in inside)
    assert traded.tick_lots == sum(p * n for p, n in inside)
