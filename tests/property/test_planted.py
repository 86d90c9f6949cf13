"""The comparison itself is tested: every broken rule is noticed, a whole one is not."""

import pytest

from tests.oracle.engine import Oracle
from tests.property.planted import BUGS, Bug, PlantedFollower
from tests.sim.followers import Disagreement, OracleFollower
from tests.sim.run import simulate

COMMANDS = 1_500
SEEDS = range(1, 97)


def test_an_oracle_agrees_with_itself():
    for seed in (1, 2, 3):
        simulate(seed, COMMANDS, lambda capacity: [OracleFollower(Oracle(capacity))])


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name.replace(" ", "-"))
def test_a_planted_bug_is_noticed(bug: Bug):
    for seed in SEEDS:
        try:
            simulate(seed, COMMANDS, lambda capacity: [PlantedFollower(capacity, bug)])
        except Disagreement as found:
            assert f"SEED={seed}" in str(found)
            return
    pytest.fail(f"not noticed in {len(SEEDS)} runs: {bug.name}")
