"""Our engine in batches of 256 rows that wait in memory, without margin.

The rows are those of a run with one row a call: the same commands, so the same ids.
"""

from typing import Any

import numpy as np

from tools.peers.ours import one_row

BATCH = 256


class Recorder(one_row.Book):
    """Keeps every row that it applies."""

    def __init__(self, *, margin: bool) -> None:
        super().__init__(margin=margin)
        self.rows: list[np.ndarray] = []

    def apply_one(self, *words: int) -> np.ndarray:
        """Apply one command, and keep its row."""
        events = super().apply_one(*words)
        self.rows.append(self.row.copy())
        return events


class Book(one_row.Book):
    """Takes batches."""

    def __init__(self, *, margin: bool = False) -> None:
        super().__init__(margin=margin)
        self.margin = margin

    def prepare(self, commands: list[tuple[int, int, int, int, int]]) -> list[tuple[int, Any]]:
        """Return the batches: how many rows, and the rows."""
        recorder = Recorder(margin=self.margin)
        for kind, order_id, side, price, quantity in commands:
            if kind:
                recorder.cancel(order_id)
            else:
                recorder.add(order_id, side, price, quantity)
        self.ours = recorder.ours
        rows = np.concatenate(recorder.rows)
        pieces = [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]
        return [(len(piece), piece) for piece in pieces]

    def apply(self, rows: np.ndarray) -> None:
        """Apply one batch."""
        self.found.append(self.engine.apply(rows))
