"""End tasks for certain: a library may swallow the first cancellation. Compute in slices."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final, TypeVar

T = TypeVar("T")
AGAIN_S: Final = 0.5
SLICE: Final = 4


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, again and again, until all have ended; what they raise stays in them."""
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_S)


async def in_slices(items: Iterable[T]) -> list[T]:
    """Return all items of something slow; others of this loop have their turn in between."""
    found: list[T] = []
    for item in items:
        found.append(item)
        if len(found) % SLICE == 0:
            await asyncio.sleep(0)
    return found
