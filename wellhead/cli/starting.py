"""How a start is shown: each stage once, with a bar where its length is known."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from wellhead.cli import out

STAGES = {
    "migration": "making the tables",
    "kernels": "loading the matching kernels (compiled once a version)",
    "feed kernels": "loading the kernel that reads feeds",
    "recovery": "replaying the journal",
    "views": "reading the market",
    "listing": "listing contracts",
    "stopping": "stopping: committing, saving the state",
}


class StartProgress:
    """Called with each stage of a node's start; the last of these is "ready"."""

    def __init__(self, *, as_json: bool = False) -> None:
        self._began_s = time.monotonic()
        self._stage = ""
        self._quiet = as_json
        self._bars: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._end_bars()

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Show that `done` of `total` of a stage is done."""
        if self._quiet or (self._stage == "stopping" and stage != "stopped"):
            return  # what a thread of the start still says is over
        if stage.startswith("migration "):
            stage, done, total = "migration", 0, 0  # there are many, and each takes an instant
        if stage == "ready":
            self._end_bars()
            seconds = time.monotonic() - self._began_s
            out.note(f"ready after {seconds:.1f} s")
        elif stage == "stopped":
            self._end_bars()
            out.note("stopped; all data are kept")
        elif sys.stderr.isatty():
            self._show_bar(stage, done, total)
        elif stage != self._stage:
            out.note(STAGES.get(stage, stage))
        self._stage = stage

    def _show_bar(self, stage: str, done: int, total: int) -> None:
        if self._bars is None:
            columns = (
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                TimeElapsedColumn(),
            )
            self._bars = Progress(*columns, console=out.console(stderr=True), transient=False)
            self._bars.start()
            self._task = None
        if stage != self._stage or self._task is None:
            self._finish_task()
            self._task = self._bars.add_task(STAGES.get(stage, stage), total=total or None)
        self._bars.update(self._task, completed=done, total=total or None)

    def _finish_task(self) -> None:
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, total=1, completed=1)

    def _end_bars(self) -> None:
        if self._bars is not None:
            self._finish_task()
            self._bars.stop()
            self._bars = None
