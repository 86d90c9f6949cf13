"""Copies of events: in memory used before, but never in memory that somebody still looks at."""

import gc

import numpy as np

from matching.outputs import KEPT_MAX, LARGE_BYTES, Outputs
from matching.wire import EVENT

COUNT = LARGE_BYTES // EVENT.itemsize


def rows(number: int, count: int = COUNT) -> np.ndarray:
    events = np.zeros(count, EVENT)
    events["order_id"] = number
    return events


def copied(outputs: Outputs, events: np.ndarray) -> np.ndarray:
    return outputs.copy(memoryview(events.view("i1")).cast("B"))  # type: ignore[arg-type]


def place(array: np.ndarray) -> int:
    return int(array.ctypes.data)


def test_what_somebody_holds_is_not_written_again():
    outputs, held = Outputs(COUNT), []
    for number in range(3 * KEPT_MAX):
        held.append(copied(outputs, rows(number)))
    assert [set(one["order_id"].tolist()) for one in held] == [{n} for n in range(3 * KEPT_MAX)]
    assert len({place(one) for one in held}) == len(held)


def test_a_part_of_it_is_held_too():
    outputs = Outputs(COUNT)
    part = copied(outputs, rows(1))[5:7]["order_id"]
    gc.collect()
    for number in range(2, 9):
        copied(outputs, rows(number))
    assert part.tolist() == [1, 1]


def test_memory_is_used_again_once_nobody_does():
    outputs = Outputs(COUNT)
    first = copied(outputs, rows(1))
    where = place(first)
    del first
    again = copied(outputs, rows(2))
    assert place(again) == where


def test_few_events_are_copied_without_it():
    outputs = Outputs(16)
    events = rows(3, 9)
    copy = copied(outputs, events)
    events["order_id"] = 4
    assert copy.tobytes() == rows(3, 9).tobytes()


def test_more_than_it_was_made_for_have_room_too():
    outputs = Outputs(COUNT)
    small, large = copied(outputs, rows(1)), copied(outputs, rows(2, 3 * COUNT))
    assert set(small["order_id"].tolist()) == {1} and set(large["order_id"].tolist()) == {2}
    assert len(large) == 3 * COUNT
