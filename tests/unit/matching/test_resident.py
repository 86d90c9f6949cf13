"""Memory that is there beforehand is the same memory."""

import mmap
import sys
from pathlib import Path

import pytest

from matching.engine import Engine
from matching.resident import make_resident
from matching.sizes import Sizes
from matching.state import new_state
from tests.unit.matching.small import SIZES, random_run


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE


def test_an_engine_whose_memory_is_there_is_the_same_engine_at_any_time():
    plain, early, late = Engine(SIZES), Engine(SIZES), Engine(SIZES)
    early.make_resident(1 << 20, 1 << 20)
    rows = random_run(60, seed=3)
    for idx, row in enumerate(rows):
        if idx == len(rows) // 2:
            late.make_resident(1 << 20, 1 << 20)  # what is there already stays as it is
        events = plain.apply(row).tobytes()
        assert early.apply(row).tobytes() == events
        assert late.apply(row).tobytes() == events
    assert plain.state_hash() == early.state_hash() == late.state_hash()
    late.check()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_books_of_orders_are_there_and_those_of_stops_are_not():
    state = new_state(Sizes(accounts=2, contracts=64, positions=3, orders=2, client_ids=2))
    before = resident_bytes()
    make_resident(state, 0, 1 << 40)
    there, all_books = resident_bytes() - before, state.levels.nbytes
    assert all_books // 4 <= there < all_books // 2
    state.levels["head"][: 2 * 64 * ((1 << 16) + 27 * 64)] = 1  # the books of orders, no page more
    assert resident_bytes() - before < there + (4 << 20)


def test_what_is_asked_for_may_be_more_than_there_is():
    state = new_state(SIZES)
    make_resident(state, 1 << 40, 1 << 40)
    assert not state.orders.view("<i8").any() and not state.levels.view("<i8").any()
