"""The bench of worst cases: each case's command does the work that it names, and is measured."""

from pathlib import Path

import numpy as np
import pytest
from numba import config

from exchange.services import bench_worst
from exchange.services.bench_cases import CASES, Case
from exchange.services.bench_inside import TimedRunner
from exchange.services.bench_market import LATER_NS
from exchange.services.bench_orders import sweep_levels
from exchange.services.replay import Runner, open_feed, read_chunks, read_header
from matching.codes import Code, EventKind

FEED = Path(__file__).parents[3] / "integration" / "feeds" / "synthetic_20k.bin.xz"
COUNT = 12


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_command_of_a_case_does_its_work_and_leaves_a_sound_market(case: Case):
    market, row, count = case.build(COUNT)
    market.stamped(row, LATER_NS)
    events = market.engine.apply(row)
    assert events[0]["kind"] != EventKind.REFUSED
    assert len(events) > case.events_per_thing * count == case.events_per_thing * COUNT
    market.engine.check()


def test_a_sweep_trades_once_at_each_price():
    market, row, _ = sweep_levels(COUNT)
    market.stamped(row, LATER_NS)
    events = market.engine.apply(row)
    trades = events[events["kind"] == EventKind.TRADE]
    assert len(np.unique(trades["price_ticks"])) == COUNT
    assert market.engine.depth(0, 1, 1) == []


def test_fill_or_kill_looks_and_leaves_every_order():
    (case,) = (case for case in CASES if case.name.startswith("fill or kill"))
    market, row, _ = case.build(COUNT)
    events = market.engine.apply(market.stamped(row, LATER_NS))
    assert Code.FOK_NOT_FILLABLE in events["code"] and EventKind.TRADE not in events["kind"]
    assert len(market.engine.depth(0, 1, 2 * COUNT)) == COUNT


def test_a_command_that_is_refused_is_no_figure():
    def spent_market(count: int):
        market, row, _ = sweep_levels(count)
        row["qty_lots"] = 0
        return market, row, count

    with pytest.raises(AssertionError, match="made up"):
        bench_worst.once(Case("made up", spent_market, COUNT, "nothing"), COUNT)


def test_a_command_that_did_too_little_is_no_figure():
    with pytest.raises(AssertionError, match="made up"):
        bench_worst.once(Case("made up", sweep_levels, COUNT, "levels", 9), COUNT)


def test_a_quick_figure_says_how_small_it_was():
    case = Case("made up", sweep_levels, 1200, "levels", 1, 0, "9 levels")
    found = bench_worst.measure(case, 1, quick=True)
    assert found["workload"] == "one command; 12 levels"
    assert len(found["runs"]) == 1 and found["runs"][0] > 0
    assert (found["limit"], found["goal"]) == ("9 levels", 1000)


def test_a_command_that_is_bounded_may_leave_the_rest():
    case = Case("made up", sweep_levels, COUNT, "levels", 2, COUNT // 2)
    assert bench_worst.once(case, COUNT) > 0


def test_reading_the_counter_changes_nothing():
    ends = []
    for timed in (True, False):
        with open_feed(FEED) as file:
            header = read_header(file)
            chunk = next(iter(read_chunks(file, header)))[:1500]
            runner = (TimedRunner if timed else Runner)(header, 50, margin=True)
            if isinstance(runner, TimedRunner):
                runner.spent = np.zeros(len(chunk), "<i8")
            list(runner.run(chunk))
            if isinstance(runner, TimedRunner) and not config.DISABLE_JIT:
                assert (runner.spent > 0).all()
            ends.append((runner.engine.state_hash(), int(runner.replay.tally[0]["refused"])))
    assert ends[0] == ends[1]
