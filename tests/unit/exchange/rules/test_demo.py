from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.catalogue import listed_contracts
from exchange.rules.contracts import parse_symbol
from exchange.rules.demo import (
    MAKERS,
    PRICE_TICKS_LAST,
    TAKERS,
    Rng,
    Walk,
    activity_bps,
    maker_quotes,
    taker_order,
)
from matching.codes import Side

ON = date(2026, 11, 22)
MARCH = parse_symbol("H100-USE-2027M03")
_CONTRACTS = st.sampled_from(listed_contracts(ON))
_RNG = st.builds(Rng, st.integers(0, 2**64 - 1))
_PRICES = st.integers(1, PRICE_TICKS_LAST)


def test_the_same_seed_gives_the_same_quotes() -> None:
    one, after_one = maker_quotes(MAKERS[0], MARCH, 2620, 0, ON, Rng(7))
    two, after_two = maker_quotes(MAKERS[0], MARCH, 2620, 0, ON, Rng(7))
    other, _ = maker_quotes(MAKERS[0], MARCH, 2620, 0, ON, Rng(8))
    assert one == two and after_one == after_two
    assert one != other


def test_draws_are_even() -> None:
    rng, seen = Rng(1), Counter[int]()
    for _ in range(6000):
        number, rng = rng.draw(1, 6)
        seen[number] += 1
    assert sorted(seen) == [1, 2, 3, 4, 5, 6]
    assert all(900 < count < 1100 for count in seen.values())


@given(st.sampled_from(MAKERS), _CONTRACTS, _PRICES, st.integers(-2000, 2000), _RNG)
def test_quotes_are_sound_and_never_cross_themselves(style, contract, fair, held, rng) -> None:
    quotes, _ = maker_quotes(style, contract, fair, held, ON, rng)
    bids = [q.price_ticks for q in quotes if q.side == Side.BUY]
    asks = [q.price_ticks for q in quotes if q.side == Side.SELL]
    assert all(0 < q.price_ticks <= PRICE_TICKS_LAST and q.qty_lots > 0 for q in quotes)
    assert max(bids, default=0) < min(asks, default=PRICE_TICKS_LAST + 1)
    assert not (bids and held >= style.limit_lots)
    assert not (asks and held <= -style.limit_lots)


def test_a_long_maker_quotes_lower() -> None:
    flat, _ = maker_quotes(MAKERS[0], MARCH, 2620, 0, ON, Rng(7))
    long, _ = maker_quotes(MAKERS[0], MARCH, 2620, 200, ON, Rng(7))
    assert all(a.price_ticks > b.price_ticks for a, b in zip(flat, long, strict=True))


@given(st.sampled_from(TAKERS), _CONTRACTS, st.integers(-1000, 1000), _RNG)
def test_a_taker_takes_the_best_price_and_goes_back_at_its_limit(style, contract, held, rng):
    order, _ = taker_order(style, contract, 2000, 2010, held, rng)
    if order is not None:
        assert order.price_ticks == (2010 if order.side == Side.BUY else 2000)
        assert order.qty_lots > 0
        assert not (order.side == Side.BUY and held >= style.limit_lots)
        assert not (order.side == Side.SELL and held <= -style.limit_lots)
    assert taker_order(style, contract, 0, 0, held, rng)[0] is None


def test_a_taker_trades_about_as_often_as_it_should() -> None:
    rng, trades = Rng(3), 0
    for _ in range(4000):
        order, rng = taker_order(TAKERS[0], MARCH, 2000, 2010, 0, rng)
        trades += order is not None
    assert 1100 < trades < 1300


def test_the_fair_price_wanders_and_comes_back() -> None:
    walk, rng, offsets = Walk(), Rng(5), []
    for _ in range(20_000):
        walk, rng = walk.step(rng)
        offsets.append(walk.offset_ppm)
    assert 6_000 < max(offsets) < 40_000
    assert -40_000 < min(offsets) < -6_000
    assert abs(sum(offsets)) < 20_000 * 1_000
    assert Walk(10_000).fair_ticks(2_000) == 2_020


@pytest.mark.parametrize(
    ("symbol", "bps"), [("H100-USE-2026M11D23", 9_836), ("H100-USE-2027M03", 3_773)]
)
def test_the_front_is_looked_at_more_often(symbol: str, bps: int) -> None:
    assert activity_bps(parse_symbol(symbol), ON) == bps
