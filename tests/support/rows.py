"""Command and event rows written by hand, for tests."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from matching.wire import COMMAND, EVENT, pack_text

SECOND_NS = 1_000_000_000


def command(kind: int, *, client: str = "", symbol: str = "", **fields: int) -> np.ndarray:
    """Return one COMMAND row; `client` and `symbol` are packed into its four words."""
    row = np.zeros(1, COMMAND)
    row["kind"] = kind
    for name, word in zip("abcd", pack_text(client or symbol), strict=True):
        row[f"client_{name}"] = word
    for name, value in fields.items():
        row[name] = value
    return row


def stamped(commands: Iterable[np.ndarray], seq: int = 1, ts_ns: int = SECOND_NS) -> np.ndarray:
    """Return the rows as one batch with seq and ts_ns stamped, one nanosecond apart."""
    batch = np.concatenate([np.zeros(0, COMMAND), *commands])
    batch["seq"] = np.arange(seq, seq + len(batch))
    batch["ts_ns"] = np.arange(ts_ns, ts_ns + len(batch))
    return batch


def events(*rows: dict[str, Any]) -> np.ndarray:
    """Return EVENT rows from dictionaries."""
    out = np.zeros(len(rows), EVENT)
    for place, row in enumerate(rows):
        for name, value in row.items():
            out[place][name] = value
    return out
