"""Children that give way to whoever trades."""

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
