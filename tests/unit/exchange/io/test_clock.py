"""Clocks never go back."""

import pytest

from exchange.io.clock import ManualClock, SystemClock


def test_the_systems_clock_stands_still_while_the_machines_is_behind(monkeypatch):
    times = iter([100, 90, 95, 101])
    monkeypatch.setattr("time.time_ns", lambda: next(times))
    clock = SystemClock(50)
    assert [clock.now_ns() for _ in range(4)] == [100, 100, 100, 101]


def test_it_never_shows_less_than_its_floor():
    assert SystemClock(1 << 62).now_ns() == 1 << 62


def test_a_manual_clock_moves_when_told():
    clock = ManualClock(5)
    assert (clock.now_ns(), clock.advance(3), clock.now_ns()) == (5, 8, 8)
    with pytest.raises(AssertionError):
        clock.advance(-1)
