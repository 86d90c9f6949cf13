"""What a process without the leader says: what it heard, or that the exchange is halted."""

import asyncio

import pytest
import structlog

from exchange.io.bus_memory import MemoryBus
from exchange.io.errors import BusUnavailable
from exchange.io.status import Mode, Status
from exchange.services.node import watching
from tests.support.waiting import until


class ForgetfulBus(MemoryBus):
    """A bus that says what a test tells it to."""

    said: Status | None = None
    broken = False
    asked = 0

    async def get_status(self) -> Status | None:
        self.asked += 1
        if self.broken:
            raise BusUnavailable("nobody there")
        return self.said

    async def looked(self) -> None:
        """Wait for the end of a look that begins from now on."""
        end = self.asked + 2
        await until(lambda: self.asked >= end, 0.001)


class FakeTime:
    """A clock that only a test moves."""

    now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
async def heard(monkeypatch):
    """Give a bus, the status that is kept from it, and the clock of its keeper."""
    monkeypatch.setattr(watching, "LOOK_S", 0.001)
    monkeypatch.setattr(watching, "time", clock := FakeTime())
    bus, status = ForgetfulBus(), Status()
    task = asyncio.create_task(watching.keep_followers_status(status, bus))
    yield bus, status, clock
    task.cancel()


async def test_what_the_leader_says_is_copied(heard):
    bus, status, _ = heard
    bus.said = Status(mode=Mode.NORMAL, seq=7, updated_ns=1)
    await bus.looked()
    assert (status.mode, status.seq) == (Mode.NORMAL, 7)


@pytest.mark.parametrize("broken", [False, True])
async def test_a_bus_wiped_or_away_for_a_moment_halts_nothing(heard, broken):
    bus, status, clock = heard
    bus.said = Status(mode=Mode.NORMAL, updated_ns=1)
    await bus.looked()
    bus.said, bus.broken = None, broken
    clock.now_s += watching.SILENT_S
    await bus.looked()
    assert status.mode == Mode.NORMAL
    clock.now_s += 0.1
    await bus.looked()
    assert status.mode == Mode.HALTED


async def test_a_leader_that_repeats_itself_is_silent(heard):
    bus, status, clock = heard
    bus.said = Status(mode=Mode.NORMAL, updated_ns=1)
    await bus.looked()
    assert status.mode == Mode.NORMAL
    clock.now_s += watching.SILENT_S + 0.1
    await bus.looked()
    assert (status.mode, status.reason) == (Mode.HALTED, watching.SILENT_REASON)
    bus.said = Status(mode=Mode.NORMAL, updated_ns=2)
    await bus.looked()
    assert status.mode == Mode.NORMAL


async def test_before_the_first_word_the_exchange_is_halted(heard):
    bus, status, _ = heard
    await bus.looked()
    assert status.mode == Mode.HALTED


async def test_a_clock_that_is_behind_is_told_once_and_shown_until_it_is_right(monkeypatch):
    monkeypatch.setattr(watching, "LOOK_S", 0.001)
    status, until_ns = Status(mode=Mode.NORMAL), [1_790_000_000 * 10**9]
    with structlog.testing.capture_logs() as logged:
        task = asyncio.create_task(watching.keep_clock_status(status, lambda: until_ns[0]))
        await until(lambda: "2026-09-21 14:13:20 UTC" in status.reason, 0.001)
        status.reason = ""  # as when the journal answers again
        await until(lambda: status.reason, 0.001)
        until_ns[0] = 0
        await until(lambda: not status.reason, 0.001)
        task.cancel()
    assert [(one["event"], one["log_level"]) for one in logged] == [
        ("clock_behind", "warning"), ("clock_caught_up", "info"),
    ]  # fmt: skip
