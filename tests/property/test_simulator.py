"""Engine, mirror and oracle agree on seeded markets, and the markets reach every refusal."""

from collections import Counter
from random import Random

import numpy as np
import pytest
from numba import config

from matching.codes import Code, Cycle, EventKind, Kind
from matching.engine import Engine
from matching.wire import COMMAND
from tests.oracle.engine import Oracle
from tests.sim.__main__ import main
from tests.sim.engine import sizes_of
from tests.sim.everybody import everybody
from tests.sim.market import Market
from tests.sim.profile import profile_of
from tests.sim.run import rows_of, simulate

SEEDS = range(1, 21)
CORRECTING = 35  # a seed whose market is corrected
RARE = (50, 48)  # a move that makes insolvent, and a cover that is needed
COMMANDS = 1_000 if config.DISABLE_JIT else 2_000


@pytest.fixture(scope="module")
def seen() -> Counter[int]:
    """Run the oracle alone on the seeds; return how often each code occurred."""
    codes: Counter[int] = Counter()
    for seed in (*SEEDS, *RARE):
        codes += simulate(seed, 8_000, lambda capacity: []).codes
    return codes


@pytest.mark.parametrize("seed", SEEDS if not config.DISABLE_JIT else SEEDS[:8])
def test_engine_and_mirror_agree_with_the_oracle(seed):
    report = simulate(seed, COMMANDS, everybody)
    assert report.commands == COMMANDS


# A leg of 32 combinations: more contracts than these markets list (test_combinations.py has it);
# 64 pegs in one contract: more than mostly rest at a time (test_pegs_full.py has them);
# a quarter of a billion lots in a cascade (test_cascade.py).
TOO_LARGE_FOR_A_SEED = {Code.LEG_COMBINATIONS_FULL, Code.PEGS_FULL, Code.CASCADE_TOO_LARGE}


def test_every_code_occurs(seen):
    assert {code for code in Code if seen[code] == 0} <= TOO_LARGE_FOR_A_SEED


@pytest.mark.parametrize("seed", [CORRECTING])
def test_corrections_that_are_taken_are_agreed_on_by_everybody(seed):
    commands, _ = drawn(seed, COMMANDS)
    oracle = Oracle(profile_of(Random(seed), seed).capacity)
    events = np.concatenate([oracle.apply(commands[at : at + 1]) for at in range(COMMANDS)])
    taken = (events["kind"] == EventKind.COLLECTED) & (events["order_id"] == Cycle.CORRECTION)
    assert taken.any()
    assert simulate(seed, COMMANDS, everybody).commands == COMMANDS


def test_a_seed_always_draws_the_same_market():
    first, second = (simulate(9, 500, lambda capacity: []) for _ in range(2))
    assert (first.codes, first.kinds) == (second.codes, second.kinds)
    assert simulate(10, 500, lambda capacity: []).codes != first.codes


def drawn(seed: int, count: int) -> tuple[np.ndarray, Engine]:
    """Return a seed's commands, and an empty engine for them."""
    rng = Random(seed)
    profile = profile_of(rng, seed)
    oracle = Oracle(profile.capacity)
    market = Market(rng, profile, oracle.ex)
    commands = np.zeros(count, COMMAND)
    for place in range(count):
        commands[place] = rows_of([market.next()])[0]
        oracle.apply(commands[place : place + 1])
    return commands, Engine(sizes_of(profile.capacity))


@pytest.mark.parametrize("seed", [3, 4])
def test_batch_boundaries_never_change_the_outcome(seed):
    commands, whole = drawn(seed, COMMANDS // 2)
    parts = Engine(whole.sizes)
    events = whole.apply(commands)
    behind_swaps = np.flatnonzero(commands["kind"] == Kind.SWAP_SCENARIOS) + 1
    cuts = sorted({*Random(seed).sample(range(len(commands)), 20), *behind_swaps.tolist()})
    pieces = []
    for piece in np.split(commands, cuts):
        pieces.append(parts.apply(piece))
        parts.state_hash()  # takes everybody's margin anew at once; the whole one is never asked
    assert np.concatenate(pieces).tobytes() == events.tobytes()
    assert parts.state_hash() == whole.state_hash()


def test_a_refusal_is_one_event_and_changes_nothing_but_time():
    commands, engine = drawn(5, COMMANDS // 2)
    twin = Engine(engine.sizes)
    refused = 0
    for place in range(len(commands)):
        events = engine.apply(commands[place : place + 1])
        harmless = commands[place : place + 1].copy()
        if events[0]["kind"] == EventKind.REFUSED and commands[place]["origin_id"] == 0:
            assert len(events) == 1
            refused += 1
            quiet = np.zeros(1, COMMAND)
            quiet["seq"], quiet["ts_ns"] = harmless["seq"], harmless["ts_ns"]
            quiet["kind"], quiet["account_idx"] = Kind.CANCEL, -1
            harmless = quiet
        twin.apply(harmless)
    assert refused > 20
    assert twin.state_hash() == engine.state_hash()


def test_the_command_line_says_what_a_seed_did(capsys):
    assert main(["--seed", "2", "--commands", "100", "--codes"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("seed 2: 100 commands, ")
    assert "MARGIN_INSUFFICIENT" in out
