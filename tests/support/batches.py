"""Batches of made-up commands and events, valid in form only."""

import numpy as np

from exchange.io.batch import Batch
from matching.codes import EventKind, Kind
from matching.wire import COMMAND, EVENT


def batch(first_seq: int, count: int = 1, ts_ns: int = 1_000) -> Batch:
    """Return `count` TICKs with one event each."""
    commands = np.zeros(count, COMMAND)
    commands["kind"] = Kind.TICK
    commands["seq"] = np.arange(first_seq, first_seq + count)
    commands["ts_ns"] = ts_ns + commands["seq"]
    events = np.zeros(count, EVENT)
    events["kind"] = EventKind.TICKED
    events["seq"] = commands["seq"]
    return Batch(first_seq, commands, events)


def same(one: Batch, other: Batch) -> bool:
    """Say whether two batches hold the same bytes."""
    return (
        one.first_seq == other.first_seq
        and one.commands.tobytes() == other.commands.tobytes()
        and one.events.tobytes() == other.events.tobytes()
    )
