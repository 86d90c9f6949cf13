"""What becomes of committed batches in a process: first the front, then whoever listens."""

from collections.abc import Callable
from typing import Final

from exchange.io.batch import Batch
from exchange.io.bus import Bus
from exchange.io.follow import follow
from exchange.io.journal import JournalReader
from exchange.rules.mirror import Mirror

OnBatch = Callable[[Batch], None]


class Following:
    """Gives every committed batch to everyone in this process, in order, each once."""

    def __init__(
        self, mirror: Mirror, apply: OnBatch, foresee: OnBatch, listeners: list[OnBatch]
    ) -> None:
        """Begin where the mirror is; `apply` brings it to the end of a batch."""
        self.foresee: Final = foresee
        self._apply = apply
        self._listeners = listeners
        self._last_seq = mirror.seq

    def take(self, batch: Batch) -> None:
        """Give a batch at once if it is the next; any other comes by `run`, after those before."""
        if batch.first_seq == self._last_seq + 1:
            self._give(batch)

    async def run(self, journal: JournalReader, bus: Bus) -> None:
        """Give batches as they come, without end.

        Errors:
            JournalGap, JournalDamaged: the journal contradicts itself.
        """
        async for batch in follow(journal, self._last_seq, bus):
            if batch.last_seq > self._last_seq:
                self._give(batch)

    def _give(self, batch: Batch) -> None:
        self._last_seq = batch.last_seq
        self._apply(batch)
        for listener in self._listeners:
            listener(batch)
