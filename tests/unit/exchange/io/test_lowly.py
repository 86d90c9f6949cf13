"""How many files a process may open."""

import subprocess
import sys

import pytest

OPENS = """
import os, resource, sys
from exchange.io.lowly import allow_open_files
soft, hard, most = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
allowed = allow_open_files(most)
held = [os.open(os.devnull, os.O_RDONLY) for _ in range(allowed - 40)]
print(allowed)
"""


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
