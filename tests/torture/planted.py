"""`python -m tests.torture.planted BUG ...`: the command line with a bug planted in it.

What no storm has found was not searched for: each of these must be caught.
"""

import asyncio
import runpy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from exchange.io import embedded, ledger
from exchange.io.batch import Batch
from exchange.io.journal_postgres import PostgresJournal
from exchange.rules.cleared import Effects
from tests.torture.exchange import Victim

COMMIT_LATER_S: Final = 0.02
POST_LATER_S: Final = 0.1  # wide enough for most kills to fall into
CLEARING: Final = ["-m", "exchange.services.clearing"]


def acknowledge_before_commit() -> None:
    """A batch counts as appended at once; it is committed a little later."""
    commit = PostgresJournal.append
    last: list[asyncio.Task[None]] = []

    async def append(self: PostgresJournal, batch: Batch) -> None:
        before = last.pop() if last else None

        async def later() -> None:
            if before is not None:
                await before
            await asyncio.sleep(COMMIT_LATER_S)
            await commit(self, batch)

        last.append(asyncio.create_task(later()))

    PostgresJournal.append = append  # type: ignore[method-assign]


def commit_without_sync() -> None:
    """Postgres confirms what it has not written yet, and nobody asks it whether it does."""
    embedded._SETTINGS["synchronous_commit"] = "off"

    async def see_nothing(connection: object) -> None:
        return None

    from exchange.io import journal_postgres

    journal_postgres._see_durable = see_nothing  # type: ignore[assignment]


async def place_before(self: ledger.Ledger, effects: Effects) -> None:
    """The place is committed before the work, in a transaction of its own."""
    await self.prepare(effects)
    await self._move(effects)
    await asyncio.sleep(POST_LATER_S)
    async with self._connection.transaction():
        await self._fill(effects)


async def place_after(self: ledger.Ledger, effects: Effects) -> None:
    """The place is committed after the work, in a transaction of its own."""
    await self.prepare(effects)
    async with self._connection.transaction():
        await self._fill(effects)
    await asyncio.sleep(POST_LATER_S)
    await self._move(effects)


async def slow_but_whole(self: ledger.Ledger, effects: Effects) -> None:
    """No bug: the transaction takes its time."""
    await self.prepare(effects)
    async with self._connection.transaction():
        await self._move(effects)
        await asyncio.sleep(POST_LATER_S)
        await self._fill(effects)


def slow_but_right() -> None:
    """No bug: commits take as long as in the planted ones, and all wait for them."""
    commit = PostgresJournal.append

    async def append(self: PostgresJournal, batch: Batch) -> None:
        await asyncio.sleep(COMMIT_LATER_S)
        await commit(self, batch)

    PostgresJournal.append = append  # type: ignore[method-assign]
    in_clearing("clearing_slow_but_whole")()


def in_clearing(bug: str) -> Callable[[], None]:
    """Have the node start its clearing with a bug."""

    def plant() -> None:
        start = subprocess.Popen.__init__

        def init(self: Any, command: Any, *args: Any, **options: Any) -> None:
            if list(command[1:3]) == CLEARING:
                command = [command[0], "-m", "tests.torture.planted", bug, *command[3:]]
            start(self, command, *args, **options)

        subprocess.Popen.__init__ = init  # type: ignore[method-assign]

    return plant


def as_clearing(write: Callable[..., Any]) -> Callable[[], None]:
    """Be clearing, with another way to write its transactions."""

    def plant() -> None:
        ledger.Ledger.write = write  # type: ignore[method-assign]
        sys.argv[1:1] = CLEARING

    return plant


@dataclass(frozen=True, slots=True)
class Bug:
    """How a bug is planted, and which kill shows it; none for the part of another bug."""

    plant: Callable[[], None]
    shown_by: Victim | None = None


BUGS: Final = {
    "acknowledge_before_commit": Bug(acknowledge_before_commit, Victim.NODE),
    "commit_without_sync": Bug(commit_without_sync, Victim.POSTGRES),
    "place_before": Bug(in_clearing("clearing_place_before"), Victim.CLEARING),
    "place_after": Bug(in_clearing("clearing_place_after"), Victim.CLEARING),
    "slow_but_right": Bug(slow_but_right),
    "clearing_slow_but_whole": Bug(as_clearing(slow_but_whole)),
    "clearing_place_before": Bug(as_clearing(place_before)),
    "clearing_place_after": Bug(as_clearing(place_after)),
}


def main() -> None:
    BUGS[sys.argv.pop(1)].plant()
    if sys.argv[1:3] == CLEARING:
        del sys.argv[1:3]
        runpy.run_module(CLEARING[1], run_name="__main__", alter_sys=True)
        return
    from wellhead.cli import main as wellhead

    wellhead()


if __name__ == "__main__":
    main()
