"""Waiting for clearing: one question for all, an answer as soon as it is there, no endless wait."""

import asyncio
from collections.abc import Iterator

import pytest

from exchange.io.reached import POLL_S, Reached


class Clearing:
    """Posts a command each time it is asked."""

    def __init__(self, posted: int = 0) -> None:
        self.posted = posted
        self.asked = 0

    async def ask(self) -> int:
        self.asked += 1
        await asyncio.sleep(0)
        self.posted += 1
        return self.posted


async def test_hundreds_that_wait_ask_as_often_as_one() -> None:
    clearing = Clearing()
    reached = Reached(clearing.ask)
    found = await asyncio.gather(*(reached.wait(1 + number % 4, 1.0) for number in range(400)))
    assert clearing.asked == 4
    assert all(shown >= 1 + number % 4 for number, shown in enumerate(found))


async def test_what_is_known_to_be_posted_is_not_asked_again() -> None:
    clearing = Clearing(posted=7)
    reached = Reached(clearing.ask)
    assert await reached.wait(8, 1.0) == 8
    assert await reached.wait(5, 1.0) == 8 and clearing.asked == 1


async def test_what_a_crash_took_back_is_not_shown_as_posted() -> None:
    clearing = Clearing(posted=99)
    reached = Reached(clearing.ask)
    assert await reached.wait(100, 1.0) == 100
    clearing.posted = 90
    await asyncio.sleep(2 * POLL_S)
    assert await reached.wait(95, 5.0) == 95


async def test_who_waits_for_too_long_is_told_how_far_it_is() -> None:
    clearing = Clearing()
    shown = await Reached(clearing.ask).wait(1_000, 5 * POLL_S)
    assert 1 <= shown == clearing.asked <= 8


async def test_one_that_is_cancelled_leaves_the_others_waiting() -> None:
    clearing = Clearing()
    reached = Reached(clearing.ask)
    first = asyncio.create_task(reached.wait(3, 1.0))
    second = asyncio.create_task(reached.wait(3, 1.0))
    await asyncio.sleep(POLL_S / 2)
    first.cancel()
    assert await second == 3
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_database_that_fails_is_said_to_all_and_asked_again() -> None:
    answers: Iterator[int | Exception] = iter([ConnectionError("gone"), 2])

    async def ask() -> int:
        await asyncio.sleep(0)
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    reached = Reached(ask)
    both = await asyncio.gather(*(reached.wait(2, 1.0) for _ in range(2)), return_exceptions=True)
    assert [type(one) for one in both] == [ConnectionError, ConnectionError]
    assert await reached.wait(2, 1.0) == 2
