"""The bitmap of a ladder finds the next level as a sorted list does."""

from bisect import bisect_left
from random import Random

import pytest

from matching._jit import entry_kernel
from matching.book import next_key
from matching.codes import Kind, Side
from matching.engine import Sizes
from matching.state import view_state
from tests.unit.matching.small import Market


@entry_kernel
def following(state, book_idx, key):
    """Return the first key at or behind `key` with orders."""
    return next_key(view_state(state), book_idx, key)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("bits", [12, 16, 18])
def test_next_key_agrees_with_a_sorted_list(bits: int, side: Side):
    sizes = Sizes(bits, accounts=4, contracts=1, positions=8, orders=256, client_ids=2, scenarios=8)
    market, pick, top = Market(sizes), Random(bits), (1 << bits) - 1
    market.do(Kind.DEPOSIT, account_idx=0, amount_usd_micros=1 << 50)
    handle, resting = market.engine._handle.value, {}
    for step in range(300):
        if resting and pick.random() < 0.4:
            key = pick.choice(list(resting))
            market.do(Kind.CANCEL, account_idx=0, order_id=resting.pop(key))
        else:
            key = min(top - 1, pick.choice((pick.randrange(1, 200), pick.randrange(1, top))))
            ticks = key if side == Side.SELL else top - key
            if key not in resting:
                resting[key] = market.rested(0, side, 1, ticks)
        keys = sorted(resting) + [top + 1]
        assert market.engine.state.books[side]["best_key"] == keys[0]
        for probe in (0, top, key, key ^ 1, pick.randrange(top)):
            expected = keys[bisect_left(keys, probe)]
            assert following(handle, int(side), probe) == expected, (step, probe)
    market.engine.check()


def test_a_level_is_a_queue_and_depth_adds_it_up():
    market = Market()
    market.rested(0, Side.BUY, 2, 1990)
    market.rested(1, Side.BUY, 3, 1990)
    market.rested(2, Side.BUY, 1, 1991)
    assert market.engine.depth(0, Side.BUY, 5) == [(1991, 1, 1), (1990, 5, 2)]
    assert market.engine.depth(0, Side.SELL, 5) == []
