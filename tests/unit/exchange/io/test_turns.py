"""Processes that give way to whoever trades, and those that are woken soon."""

import ctypes
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.io import turns
from exchange.io.turns import SHORT_TURN_NS, give_way, take_short_turns

GIVES_WAY = """
import os
from pathlib import Path
from exchange.io.turns import give_way
give_way(7)
give_way(3)
group = Path("/proc/self/autogroup")
print(os.nice(0), group.read_text().split()[-1] if group.exists() else "none")
"""

HASTENS = """
import os, subprocess, sys
from exchange.io.turns import take_short_turns
from tests.unit.exchange.io.test_turns import turn_ns
os.nice(4)
done = take_short_turns()
child = "from tests.unit.exchange.io.test_turns import turn_ns; print(turn_ns())"
of_child = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout
print(int(done), turn_ns(), of_child.strip(), os.nice(0))
"""


def turn_ns() -> int:
    """Return what the system says of our turns; 0 where it says nothing."""
    said = ctypes.create_string_buffer(48)
    if ctypes.CDLL(None).syscall(turns._SCHED_SETATTR["x86_64"] + 1, 0, said, 48, 0):
        return 0
    return struct.unpack("=IIQiIQQQ", said.raw)[5]


def run(script: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        start_new_session=True,
    )  # fmt: skip
    return done.stdout.split()


def test_a_process_that_gives_way_does_so_with_its_session_too_and_never_takes_it_back():
    nice, of_session = run(GIVES_WAY)
    assert int(nice) == max(7, os.nice(0))
    assert of_session in (nice, "none")


def test_another_process_of_ours_gives_way_and_one_that_is_gone_harms_nobody():
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        give_way(6, other.pid)
        nice = os.getpriority(os.PRIO_PROCESS, other.pid)
        assert nice == max(6, os.nice(0))
        group = Path(f"/proc/{other.pid}/autogroup")
        assert not group.exists() or group.read_text().split()[-1] == str(nice)
    finally:
        other.kill()
        other.wait()
    give_way(6, other.pid)
    assert not take_short_turns(other.pid)


def test_a_session_that_may_not_change_just_now_is_asked_again(monkeypatch):
    asked: list[str] = []

    class Group:
        def write_text(self, text: str) -> None:
            asked.append(text)
            if len(asked) < 3:
                raise BlockingIOError("planted")

    monkeypatch.setattr(turns, "GROUP_PAUSE_S", 0.0)
    turns._group_gives_way(Group(), 5)  # type: ignore[arg-type]
    assert asked == ["5", "5", "5"]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the number of the call is another")
def test_short_turns_are_for_one_process_and_not_for_what_it_starts():
    done, own_ns, childs_ns, nice = run(HASTENS)
    assert int(nice) == min(19, 4 + os.nice(0))
    if done == "1":  # else the system did not let us
        assert int(own_ns) in (SHORT_TURN_NS, 0), "an older Linux says nothing of turns"
        assert not int(own_ns) or childs_ns != own_ns


def test_an_unknown_machine_goes_on_without(monkeypatch):
    monkeypatch.setattr(turns.platform, "machine", lambda: "abacus")
    assert not take_short_turns()


@pytest.mark.parametrize("name", ["clearing", "surveillance", "webhooks"])
def test_every_follower_gives_way(name: str):
    root = Path(__file__).resolve().parents[4]
    text = (root / "exchange" / "services" / name / "__main__.py").read_text()
    assert "nice=" in text
