"""What a process without the leader says: what it heard, or that the exchange is halted."""

import asyncio

import pytest

from exchange.io.bus_memory import MemoryBus
from exchange.io.errors import BusUnavailable
from exchange.io.status import Mode, Status
from exchange.services.node import watching


class ForgetfulBus(MemoryBus):
    """A bus that says what a test tells it to."""

    said: Status | None = None
    broken = False

    async def get_status(self) -> Status | None:
        if self.broken:
            raise BusUnavailable("nobody there")
        return self.said


@pytest.fixture
async def heard(monkeypatch):
    """Give a bus, and the status that is kept from it with a short patience."""
    monkeypatch.setattr(watching, "LOOK_S", 0.01)
    monkeypatch.setattr(watching, "SILENT_S", 0.2)
    bus, status = ForgetfulBus(), Status()
    task = asyncio.create_task(watching.keep_followers_status(status, bus))
    yield bus, status
    task.cancel()


async def test_what_the_leader_says_is_copied(heard):
    bus, status = heard
    bus.said = Status(mode=Mode.NORMAL, seq=7, updated_ns=1)
    await asyncio.sleep(0.05)
    assert (status.mode, status.seq) == (Mode.NORMAL, 7)


@pytest.mark.parametrize("broken", [False, True])
async def test_a_bus_wiped_or_away_for_a_moment_halts_nothing(heard, broken):
    bus, status = heard
    bus.said = Status(mode=Mode.NORMAL, updated_ns=1)
    await asyncio.sleep(0.05)
    bus.said, bus.broken = None, broken
    await asyncio.sleep(0.05)
    assert status.mode == Mode.NORMAL
    await asyncio.sleep(0.3)
    assert status.mode == Mode.HALTED


async def test_a_leader_that_repeats_itself_is_silent(heard):
    bus, status = heard
    bus.said = Status(mode=Mode.NORMAL, updated_ns=1)
    await asyncio.sleep(0.4)
    assert (status.mode, status.reason) == (Mode.HALTED, watching.SILENT_REASON)
    bus.said = Status(mode=Mode.NORMAL, updated_ns=2)
    await asyncio.sleep(0.05)
    assert status.mode == Mode.NORMAL


async def test_before_the_first_word_the_exchange_is_halted(heard):
    _, status = heard
    await asyncio.sleep(0.05)
    assert status.mode == Mode.HALTED
