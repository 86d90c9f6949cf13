"""Read the journal as it grows: batches without a gap, from wherever the reader is.

The bus brings them early; whatever it did not bring comes from the journal. Without a bus the
journal is asked again and again.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import structlog

from exchange.io.batch import Batch
from exchange.io.bus import Bus, Outlet
from exchange.io.errors import Unavailable
from exchange.io.journal import JournalReader

POLL_S: Final = 0.02  # between two looks at the journal without a bus
SILENCE_S: Final = 0.5  # a bus silent for so long is doubted
RETRY_S: Final = 0.2

_log = structlog.get_logger(__name__)


async def follow(
    journal: JournalReader, after_seq: int, bus: Bus | None = None
) -> AsyncIterator[Batch]:
    """Yield every batch after command `after_seq`, in order, each once; never ends.

    If `after_seq` is inside a batch, that batch comes first, whole. While the database does not
    answer it waits.

    Errors:
        JournalGap, JournalDamaged: the journal contradicts itself.
    """
    last_seq = after_seq
    outlet = bus.subscribe() if bus is not None else None
    try:
        while True:
            async for batch in _stored(journal, last_seq):
                last_seq = batch.last_seq
                yield batch
            if outlet is None:
                await asyncio.sleep(POLL_S)
                continue
            while (batch_or_none := await _next(outlet, last_seq)) is not None:
                last_seq = batch_or_none.last_seq
                yield batch_or_none
    finally:
        if bus is not None and outlet is not None:
            bus.unsubscribe(outlet)


async def _next(outlet: Outlet, last_seq: int) -> Batch | None:
    """Return the batch after a command; None when it is missing, or the bus is silent."""
    while (batch := await outlet.get(SILENCE_S)) is not None:
        if batch.last_seq <= last_seq:
            continue  # the journal gave it already
        return batch if batch.first_seq == last_seq + 1 else None
    if outlet.closed:
        await asyncio.sleep(POLL_S)  # the journal alone is left
    return None


async def _stored(journal: JournalReader, after_seq: int) -> AsyncIterator[Batch]:
    """Yield what the journal holds after a command; waits while it cannot be read."""
    last_seq = after_seq
    while True:
        try:
            async for batch in journal.read(last_seq):
                last_seq = batch.last_seq
                yield batch
        except Unavailable as error:
            _log.warning("journal_unreadable", error=str(error))
            await asyncio.sleep(RETRY_S)
        else:
            return
