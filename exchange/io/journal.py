"""The journal: one row per batch, chained by checksum, written by one leader at a time."""

from collections.abc import AsyncIterator
from typing import Protocol

from exchange.io.batch import Batch


class Journal(Protocol):
    """The only truth: what is in it happened, what is not did not."""

    async def append(self, batch: Batch) -> None:
        """Write the batch durably; afterwards, and only then, it may be shown to anyone.

        Errors:
            JournalUnavailable: not known whether it is written; append the same batch again.
            EpochLost: another process leads; this one must end.
            JournalGap: the batch does not follow the last one written.
        """
        ...

    async def head(self) -> int:
        """Return the number of the last committed command, 0 when there is none.

        Errors:
            JournalUnavailable: the database does not answer.
        """
        ...

    def read(self, after_seq: int = 0, until_seq: int | None = None) -> AsyncIterator[Batch]:
        """Return the batches with commands after `after_seq`, in order, each checked.

        The first may begin before: whole batches are given. Ends at the head of that moment.

        Errors:
            JournalUnavailable: the database does not answer.
            JournalGap, JournalDamaged: a row is missing or is not what was written.
        """
        ...
