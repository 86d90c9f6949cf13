import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.book_side import BookSide
from exchange.rules.settlement import (
    PRICE_LIMITS,
    STEP_BPS,
    TRADED_LOTS_MIN,
    WINDOW_NS,
    Price,
    PriceRule,
    Quoted,
    Traded,
    day_limit_bps,
    is_worth_marking,
    mark_price,
    mid_ticks,
    settlement_price,
    step_ticks,
    within_day_ticks,
)
from exchange.rules.tape import FEW_EVENTS, SLICE_NS, Tape
from exchange.rules.tenors import NS_PER_DAY, NS_PER_SECOND
from matching.codes import EventKind, Side
from matching.wire import COMMAND, EVENT

NOON = 20_000 * NS_PER_DAY


NONE = Quoted(0, 0)
NOTHING = Traded(0, 0, 0)
LIMITS_BPS = tuple(limit.day_bps for limit in PRICE_LIMITS)


def traded(last_ticks: int, lots: int = TRADED_LOTS_MIN) -> Traded:
    """Some lots, all at one price."""
    return Traded(lots, lots * last_ticks, last_ticks)


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
    assert mark_price(Quoted(bid, ask), traded(last) if last else NOTHING, mark) == price


@pytest.mark.parametrize(
    ("lots", "tick_lots", "price"),
    [
        (TRADED_LOTS_MIN, 20_004, Price(2000, PriceRule.VWAP)),
        (TRADED_LOTS_MIN, 20_005, Price(2000, PriceRule.VWAP)),  # a tie goes to the even tick
        (TRADED_LOTS_MIN, 20_006, Price(2001, PriceRule.VWAP)),
        (TRADED_LOTS_MIN - 1, 18_000, Price(2105, PriceRule.MID)),
    ],
)
def test_SETL_002_settlement_takes_the_vwap_when_enough_traded(
    lots: int, tick_lots: int, price: Price
) -> None:
    assert settlement_price(Quoted(2100, 2110), Traded(lots, tick_lots, 2000), 1500) == price


def test_SETL_003_without_trades_or_a_close_book_the_mark_settles() -> None:
    assert settlement_price(Quoted(0, 2110), NOTHING, 1500) == Price(1500, PriceRule.MARK)


@pytest.mark.parametrize(
    ("quoted", "lots", "closing", "price"),
    [
        ((0, 0), 9, 1990, Price(1990, PriceRule.CLOSING)),
        ((2000, 2010), 9, 1990, Price(2000, PriceRule.CLOSING)),
        ((2000, 2010), 9, 2050, Price(2010, PriceRule.CLOSING)),
        ((2000, 2010), 10, 1990, Price(2003, PriceRule.VWAP)),
        ((2000, 2010), 9, 0, Price(2005, PriceRule.MID)),
    ],
)
def test_SETL_009_a_closing_call_settles_who_traded_too_little(
    quoted: tuple[int, int], lots: int, closing: int, price: Price
) -> None:
    traded = Traded(lots, lots * 2003, 2003)
    assert settlement_price(Quoted(*quoted), traded, 1500, closing) == price


def test_SETL_004_the_weighted_price_of_a_published_example() -> None:
    # NYMEX CL, active month: 10,584 lots at a weighted 50.58 settle at 50.58.
    assert settlement_price(NONE, Traded(10_584, 10_584 * 5058, 5058), 1).ticks == 5058


def test_SETL_005_a_trade_of_few_lots_makes_no_mark() -> None:
    few = traded(1900, TRADED_LOTS_MIN - 1)
    assert mark_price(NONE, few, 1500) == Price(1500, PriceRule.MARK)


@pytest.mark.parametrize(
    ("thin", "firm", "day_bps"),
    [
        (Quoted(2000, 2010), Quoted(1995, 2015), LIMITS_BPS[1]),
        (Quoted(2000, 2010), Quoted(1500, 2500), LIMITS_BPS[0]),  # deep, and far apart
        (Quoted(2000, 2010), Quoted(1995, 0), LIMITS_BPS[0]),  # deep on one side
        (NONE, NONE, LIMITS_BPS[0]),
    ],
)
def test_SETL_006_the_deeper_the_book_the_farther_prices_may_go(
    thin: Quoted, firm: Quoted, day_bps: int
) -> None:
    assert day_limit_bps([thin, firm]) == day_bps


@pytest.mark.parametrize(
    ("price", "mark", "day_bps", "held"),
    [
        (2050, 2000, 300, 2050),
        (2061, 2000, 300, 2060),
        (1000, 2000, 300, 1940),
        (2900, 2300, 300, 2300),  # a deeper book had brought it there: no farther,
        (2100, 2300, 300, 2100),  # but back
        (2900, 2300, 2000, 2400),
    ],
)
def test_SETL_007_prices_keep_the_limit_of_the_day(
    price: int, mark: int, day_bps: int, held: int
) -> None:
    assert within_day_ticks(price, 2000, mark, day_bps) == held


def test_SETL_008_a_mark_moves_one_step_at_a_time() -> None:
    assert step_ticks(5000, 9000) == 5000 + 5000 * STEP_BPS // 10_000
    assert step_ticks(5000, 1) == 5000 - 5000 * STEP_BPS // 10_000
    assert step_ticks(5000, 5003) == 5003
    assert step_ticks(40, 90) == 41  # a tick at least, or it would never move


def test_the_rows_of_limits_ask_more_for_more() -> None:
    depths = [limit.depth_gpu_hours for limit in PRICE_LIMITS]
    assert depths == sorted(set(depths))
    assert list(LIMITS_BPS) == sorted(set(LIMITS_BPS))
    assert LIMITS_BPS[-1] < 10_000


PRICES = st.integers(1, 65_535)


@given(*(st.integers(0, 65_535) for _ in range(3)), PRICES)
def test_a_mark_never_leaves_a_book_it_was_made_from(
    bid: int, ask: int, last: int, mark: int
) -> None:
    quoted = Quoted(bid, ask)
    price = mark_price(quoted, traded(last) if last else NOTHING, mark)
    assert price.ticks > 0
    if price.rule is not PriceRule.MARK and bid < ask:
        assert bid <= price.ticks <= ask
    if mid_ticks(quoted):
        assert price.rule is PriceRule.MID


@given(PRICES, PRICES, PRICES, st.sampled_from(LIMITS_BPS))
def test_a_step_goes_towards_its_price_and_never_farther_out_than_the_limit(
    price: int, settle: int, mark: int, day_bps: int
) -> None:
    target = within_day_ticks(price, settle, mark, day_bps)
    after = step_ticks(mark, target)
    assert after > 0
    assert min(mark, target) <= after <= max(mark, target)
    assert abs(after - mark) <= max(1, mark * STEP_BPS // 10_000)
    out = max(1, settle * day_bps // 10_000)
    assert abs(after - settle) <= max(out, abs(mark - settle))


@given(st.dictionaries(st.integers(1, 60), st.integers(1, 9), max_size=20), st.integers(1, 100))
def test_the_price_of_a_depth_is_where_the_last_of_its_lots_stands(
    levels: dict[int, int], lots: int
) -> None:
    for side, best_first in ((Side.BUY, sorted(levels, reverse=True)), (Side.SELL, sorted(levels))):
        book = BookSide(side)
        for price, there_lots in levels.items():
            book.add(price, there_lots)
        singles = [price for price in best_first for _ in range(levels[price])]
        assert book.reach_ticks(lots) == (singles[lots - 1] if lots <= len(singles) else 0)


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


def test_TAPE_001_a_batch_of_many_events_says_what_its_parts_say() -> None:
    kinds = (EventKind.ACCEPTED, EventKind.TRADE, EventKind.CANCELLED)
    parts = [
        batch(1 + place, NOON - 1 - 200 + place, kinds[place % 3], 2000 + place, 10)
        for place in range(2 * FEW_EVENTS)
    ]
    one, whole = Tape(), Tape()
    for part in parts:
        one.observe(*part)
    whole.observe(*(np.concatenate(rows) for rows in zip(*parts, strict=True)))
    assert one.window(3, NOON) == whole.window(3, NOON) != Traded(0, 0, 0)
    assert one.seq == whole.seq == 2 * FEW_EVENTS


def test_TAPE_002_a_batch_seen_twice_counts_once() -> None:
    tape = Tape()
    for _ in range(2):
        tape.observe(*batch(1, NOON - 1, EventKind.TRADE, 2000, 10))
    assert tape.window(3, NOON).lots == 10


def test_TAPE_003_trades_grow_old() -> None:
    tape = Tape()
    tape.observe(*batch(1, NOON, EventKind.TRADE, 2000, 10))
    assert tape.window(3, NOON + WINDOW_NS).last_ticks == 2000
    assert tape.window(3, NOON + WINDOW_NS + SLICE_NS) == NOTHING
    assert tape.window(4, NOON) == NOTHING


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
    found = tape.window(3, NOON + now * NS_PER_SECOND)
    assert found.lots == sum(n for _, n in inside)
    assert found.tick_lots == sum(p * n for p, n in inside)
