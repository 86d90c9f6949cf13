"""The tasks of a node: each must live as long as the node, so the end of one ends all."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from exchange.io.tasks import end_tasks

_log = structlog.get_logger(__name__)


class Crew:
    """Tasks by name. When one fails, `stop` is set and `error` says why."""

    def __init__(self, stop: asyncio.Event) -> None:
        self.stop = stop
        self.error: BaseException | None = None
        self._tasks: dict[str, asyncio.Task[Any]] = {}

    def start(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something until `end`; its failure is the node's."""
        assert name not in self._tasks, f"two tasks are {name}: one would never be ended"
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks[name] = task
        return task

    def fail(self, error: BaseException) -> None:
        """End the node because of an error; the first one counts."""
        if self.error is None:
            self.error = error
        self.stop.set()

    async def end(self, *names: str) -> None:
        """Cancel tasks by name, or all, and wait for them."""
        chosen = [self._tasks.pop(n) for n in (names or tuple(self._tasks)) if n in self._tasks]
        await end_tasks(chosen)  # a failure is in `error` already

    async def wait(self, name: str, timeout_s: float) -> bool:
        """Wait for a task to end by itself; False if it has not."""
        task = self._tasks.get(name)
        if task is None:
            return True
        done, _ = await asyncio.wait({task}, timeout=timeout_s)
        return bool(done)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            _log.error("task_failed", task=task.get_name(), error=repr(error), exc_info=error)
            self.fail(error)
