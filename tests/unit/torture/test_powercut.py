"""The power cut itself: it takes what was not synced, and nothing else."""

import subprocess
import sys
from random import Random

import pytest

from tests.torture.powercut import PowerCut, compiler

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or compiler() is None, reason="needs Linux and a C compiler"
)

PROGRAM = """
import os, sys
def put(name, offset, text, synced, flags=0):
    fd = os.open(f"{sys.argv[1]}/{name}", os.O_WRONLY | os.O_CREAT | flags)
    os.pwrite(fd, text, offset)
    if synced:
        os.fdatasync(fd)
    os.close(fd)
put("kept", 0, b"aaaa", True)
put("overwritten", 0, b"aaaa", True)
put("overwritten", 2, b"bbbb", False)
put("overwritten", 1, b"c", False)
put("new", 0, b"aaaa", False)
put("late", 0, b"aa", False)
put("late", 2, b"aa", True)
"""
SYNCED_BY_ITSELF = """
put("alone", 0, b"aaaa", False, os.O_DSYNC)
put("between", 0, b"aaaa", True)
put("between", 0, b"bb", False)
put("between", 1, b"cc", False, os.O_DSYNC)
put("between", 2, b"dd", False)
put("beyond", 0, b"aa", False)
put("beyond", 2, b"bb", False, os.O_SYNC)
"""


class Always(Random):
    """A power cut that takes everything it may."""

    def random(self) -> float:
        return 0.0


@pytest.fixture
def watched(tmp_path):
    folder = tmp_path / "watched"
    folder.mkdir()
    return folder


def run(cut: PowerCut, watched, program: str = PROGRAM) -> None:
    command = [sys.executable, "-c", program, watched]
    subprocess.run(command, check=True, env=cut.environment, timeout=120)


def test_what_was_not_synced_is_lost_and_what_was_is_kept(tmp_path, watched):
    cut = PowerCut(tmp_path, watched)
    run(cut, watched)
    assert (watched / "overwritten").read_bytes() == b"acbbbb"
    assert cut.cut(Always()) == 3
    kept = {path.name: path.read_bytes() for path in watched.iterdir()}
    assert kept == {"kept": b"aaaa", "overwritten": b"aaaa", "new": b"", "late": b"aaaa"}


def test_a_write_that_syncs_itself_is_kept_and_saves_no_other(tmp_path, watched):
    cut = PowerCut(tmp_path, watched)
    run(cut, watched, PROGRAM.partition('put("kept')[0] + SYNCED_BY_ITSELF)
    assert (watched / "between").read_bytes() == b"bcdd"
    assert cut.cut(Always()) == 3
    kept = {path.name: path.read_bytes() for path in watched.iterdir()}
    assert kept == {"alone": b"aaaa", "between": b"acca", "beyond": b"\0\0bb"}


def test_a_tail_may_be_lost_instead_of_all(tmp_path, watched):
    cut = PowerCut(tmp_path, watched)
    seen = set()
    for seed in range(40):
        run(cut, watched)
        cut.cut(Random(seed))
        seen.add((watched / "overwritten").read_bytes())
        (watched / "overwritten").unlink()
    assert seen == {b"aaaa", b"aabbbb", b"acbbbb"}


def test_files_elsewhere_are_not_touched(tmp_path, watched):
    cut = PowerCut(tmp_path, watched)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run(cut, elsewhere)
    assert cut.cut(Always()) == 0
    assert (elsewhere / "overwritten").read_bytes() == b"acbbbb"
