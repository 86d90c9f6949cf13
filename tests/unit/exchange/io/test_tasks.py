"""Waiting and stepping: no cancellation is lost, no wake is missed."""

import asyncio

import pytest

from exchange.io import tasks
from exchange.io.tasks import keep_stepping, set_within, taking_back

LONG_S = 600.0


async def test_a_wait_ends_at_its_time_or_at_the_event():
    event = asyncio.Event()
    assert not await set_within(event, 0.0)
    event.set()
    assert await set_within(event, LONG_S)


async def test_a_wait_that_is_cancelled_at_the_very_event_is_cancelled():
    event = asyncio.Event()
    task = asyncio.create_task(set_within(event, LONG_S))
    await asyncio.sleep(0)
    event.set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_steps_go_on_after_an_error_of_the_world_and_when_woken():
    wake, failed, steps = asyncio.Event(), [], []

    async def step() -> None:
        steps.append(len(steps))
        wake.set()
        if len(steps) == 1:
            raise ConnectionError("gone")
        if len(steps) == 3:
            raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await keep_stepping(step, LONG_S, failed.append, (ConnectionError,), wake)
    assert [str(one) for one in failed] == ["gone"]
    assert len(steps) == 3


async def test_others_have_their_turn_in_what_is_long(monkeypatch):
    seen: list[str] = []

    async def other() -> None:
        while len(seen) < 6:
            seen.append("other")
            await asyncio.sleep(0)

    def items():
        for number in range(3):
            seen.append("item")
            yield number

    monkeypatch.setattr(tasks, "HOLD_S", -1.0)  # any time at all is long enough
    task = asyncio.create_task(other())
    assert await tasks.in_turns(items()) == [0, 1, 2]
    await task
    assert seen == ["item", "other"] * 3
    monkeypatch.setattr(tasks, "HOLD_S", 3600.0)
    assert await tasks.in_turns(range(3)) == [0, 1, 2]


def test_what_was_noted_of_a_send_is_taken_back_only_when_it_fails():
    noted = {1}
    with taking_back(noted.clear):
        pass
    assert noted == {1}
    with pytest.raises(OSError, match="full"), taking_back(noted.clear):
        raise OSError("full")
    assert noted == set()
