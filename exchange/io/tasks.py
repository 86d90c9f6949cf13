"""Tasks of the loop: end them for certain, wait no longer than asked, compute in slices."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

T = TypeVar("T")
AGAIN_S: Final = 0.5
SLICE: Final = 4
HOLD_S: Final = 0.005  # for so long others of the loop may wait


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, again and again, until all have ended; what they raise stays in them.

    A library may swallow the first cancellation.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_S)


@contextmanager
def taking_back(undo: Callable[[], object]) -> Iterator[None]:
    """Take back what was noted of a send when that fails: the next step sends it."""
    try:
        yield
    except BaseException:
        undo()
        raise


async def in_slices(items: Iterable[T]) -> list[T]:
    """Return all items of something slow; others of this loop have their turn in between."""
    found: list[T] = []
    for item in items:
        found.append(item)
        if len(found) % SLICE == 0:
            await asyncio.sleep(0)
    return found


async def in_turns(items: Iterable[T]) -> list[T]:
    """Return all items of something long whose items are quick, as `in_slices` by the clock."""
    found: list[T] = []
    since_s = time.perf_counter()
    for item in items:
        found.append(item)
        if time.perf_counter() - since_s > HOLD_S:
            await asyncio.sleep(0)
            since_s = time.perf_counter()
    return found


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait until an event is set, but no longer than so many seconds; return whether it is set.

    `asyncio.wait_for` may swallow a cancellation; this does not.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


async def keep_stepping(
    step: Callable[[], Awaitable[object]],
    every_s: float,
    failed: Callable[[Exception], None],
    errors: tuple[type[Exception], ...],
    wake: asyncio.Event,
) -> None:
    """Step every so many seconds, and at once when woken, until cancelled.

    Args:
        failed: is told of one of `errors`, after which the next step goes on.
        wake: cleared once it has been heard.
    """
    while True:
        try:
            await step()
        except errors as error:
            failed(error)
        if await set_within(wake, every_s):
            wake.clear()
