"""Every test has the same name whoever collects it: workers of one run compare their lists."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.house import ROOT

pytestmark = pytest.mark.slow
LIST = ("-m", "pytest", "--collect-only", "-q", "-n", "0", "-p", "no:cacheprovider")


def collected(folder: Path, hash_seed: str) -> list[str]:
    """Return the names of a folder's tests, as a process of its own lists them."""
    found = subprocess.run(
        [sys.executable, *LIST, str(folder)],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in found.stdout.splitlines() if "::" in line]


def test_two_processes_name_the_same_tests_at_different_times() -> None:
    first, second = (collected(ROOT / "tests", seed) for seed in ("1", "2"))
    assert len(first) > 1_000
    assert first == second


def test_a_name_that_holds_the_time_is_found(tmp_path: Path) -> None:
    text = "import time, pytest\n@pytest.mark.parametrize('at', [time.time_ns()])\n"
    text += "def test_it(at): ..."
    (tmp_path / "test_it.py").write_text(text)
    assert collected(tmp_path, "1") != collected(tmp_path, "2")
