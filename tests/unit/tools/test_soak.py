"""A soak says how far it is, ends where it was told to, and can be gone on with."""

import pytest

from tests.sim import __main__ as sim
from tests.sim.progress import Progress, clock
from tests.sim.run import Report


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Simulate nothing, and note the seed and length of each run."""
    runs: list[tuple[int, int]] = []

    def simulate(seed: int, count: int, followers: object) -> Report:
        runs.append((seed, count))
        return Report(seed, commands=count)

    monkeypatch.setattr(sim, "simulate", simulate)
    return runs


def test_a_total_is_reached_exactly_with_a_fresh_seed_a_run(ran, capsys):
    assert sim.main(["--total", "50", "--commands", "20", "--seed", "7"]) == 0
    assert ran == [(7, 20), (8, 20), (9, 10)]
    lines = [line for line in capsys.readouterr().out.splitlines() if "next seed" in line]
    assert lines[0].startswith("20 commands of 50 in 1 runs, ") and "left; next seed 8" in lines[0]
    assert lines[-1].startswith("50 commands of 50 in 3 runs, ") and "left" not in lines[-1]


def test_minutes_end_a_total_that_would_take_longer(ran):
    assert sim.main(["--total", "1000", "--commands", "20", "--minutes", "1e-9"]) == 0
    assert len(ran) == 1


def test_without_either_there_is_one_run_and_no_progress(ran, capsys):
    assert sim.main(["--commands", "20"]) == 0
    assert len(ran) == 1 and "next seed" not in capsys.readouterr().out


def test_pace_and_time_left_are_those_of_the_commands_so_far():
    progress = Progress(50_000_000)
    progress.add(500_000)
    line = progress.line(100.0, 12)
    assert "500,000 commands of 50,000,000 in 1 runs, 5,000/s, 2 h 45 min left" in line
    assert clock(59 * 60 + 40) == "1 h 00 min"
