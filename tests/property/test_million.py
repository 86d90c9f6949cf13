"""A million commands in fifty markets: engine, mirror and naive engine agree on all they cause.

Long runs reach what short ones do not: that a corrected settlement moves the daily limit showed
only when a market had been corrected and then moved as far, thousands of commands later.
"""

from typing import Final

import pytest
from numba import config

from tests.sim.everybody import everybody
from tests.sim.run import simulate

SEEDS: Final = range(21, 71)  # all of them correct settlements (FIRST_SEEDS in profile.py)
COMMANDS: Final = 20_000
assert len(SEEDS) * COMMANDS >= 1_000_000


@pytest.mark.slow
@pytest.mark.skipif(config.DISABLE_JIT, reason="a million commands need the JIT")
@pytest.mark.parametrize("seed", SEEDS)
def test_events_books_and_saved_states_agree_in_long_runs(seed):
    assert simulate(seed, COMMANDS, everybody).commands == COMMANDS
