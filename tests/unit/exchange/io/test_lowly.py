"""Children that give way to whoever trades, and how many files a process may open."""

import subprocess
import sys
from pathlib import Path

import pytest

SAYS = """
import os
from pathlib import Path
from exchange.io.lowly import give_way
give_way(7)
group = Path("/proc/self/autogroup")
print(os.nice(0), group.read_text().split()[-1] if group.exists() else "none")
"""

OPENS = """
import os, resource, sys
from exchange.io.lowly import allow_open_files
soft, hard, most = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
allowed = allow_open_files(most)
held = [os.open(os.devnull, os.O_RDONLY) for _ in range(allowed - 40)]
print(allowed)
"""


def test_a_process_that_gives_way_does_so_with_its_session_too():
    found = subprocess.run(
        [sys.executable, "-c", SAYS], capture_output=True, text=True, check=True,
        start_new_session=True,
    ).stdout.split()  # fmt: skip
    assert found[0] == "7"
    assert found[1] in ("7", "none")


@pytest.mark.parametrize("name", ["clearing", "surveillance", "webhooks"])
def test_every_follower_gives_way(name: str):
    root = Path(__file__).resolve().parents[4]
    text = (root / "exchange" / "services" / name / "__main__.py").read_text()
    assert "nice=" in text


@pytest.mark.parametrize(
    ("soft", "hard", "most", "found"),
    [(64, 400, 200, 200), (64, 100, 200, 100), (150, 400, 100, 150)],
)
def test_a_process_may_open_more_files_but_never_more_than_the_system_lets_it(
    soft: int, hard: int, most: int, found: int
):
    said = subprocess.run(
        [sys.executable, "-c", OPENS, str(soft), str(hard), str(most)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(said.stdout) == found
