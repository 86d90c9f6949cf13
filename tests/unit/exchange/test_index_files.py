"""The history that ships: the same bytes in fresh processes, and those of the files in docs."""

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "index"
REBUILD = "from wellhead.cli import main; main()"


def rebuilt(folder: Path, seed: str) -> None:
    folder.mkdir()
    words = ["index", "rebuild", "--shipped", "--to", str(folder)]
    program = f"import sys; sys.argv = ['wellhead', *{words!r}]; {REBUILD}"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    subprocess.run(
        [sys.executable, "-c", program], env=environment, check=True, capture_output=True
    )


@pytest.mark.slow
def test_INDX_014_the_whole_history_has_the_same_bytes_in_two_fresh_processes(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    rebuilt(one, "1")
    rebuilt(two, "4242")
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in FOLDER.iterdir())
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name
        # How gzip packs is its own affair.
        read = gzip.decompress if name.endswith(".gz") else bytes
        assert read((one / name).read_bytes()) == read((FOLDER / name).read_bytes()), name


def test_the_page_says_the_digest_and_the_method_of_the_history():
    from exchange.rules.index.method import METHOD

    page = (ROOT / "docs" / "index.md").read_text()
    assert (FOLDER / "heads.csv").read_text().split()[-1].rpartition(",")[2] in page
    assert METHOD.name in page


def test_every_rule_of_the_page_has_a_test_and_every_test_a_rule():
    page = (ROOT / "docs" / "index.md").read_text()
    rules = set(re.findall(r"^\| (INDX_\d{3}) \|", page, re.MULTILINE))
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    held = set(re.findall(r"def test_(INDX_\d{3})", tests))
    assert rules == held == {f"INDX_{number:03d}" for number in range(1, 19)}
