"""`python -m tests.torture.planted BUG ...`: the command line with a bug planted in it.

What no storm has found was not searched for: each of these must be caught.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Final

from exchange.io.batch import Batch
from exchange.io.journal_postgres import PostgresJournal

COMMIT_LATER_S: Final = 0.02


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


BUGS: Final[dict[str, Callable[[], None]]] = {
    "acknowledge_before_commit": acknowledge_before_commit,
}


def main() -> None:
    from wellhead.cli import main as wellhead

    BUGS[sys.argv.pop(1)]()
    wellhead()


if __name__ == "__main__":
    main()
