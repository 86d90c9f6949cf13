"""Rows read as tuples say what numpy says."""

import numpy as np
import pytest

from exchange.rules.rows import command_rows, event_rows
from matching.wire import COMMAND, EVENT

READERS = [(COMMAND, command_rows), (EVENT, event_rows)]


@pytest.mark.parametrize(("record", "reader"), READERS)
def test_each_row_is_a_tuple_of_its_fields(record, reader):
    rng = np.random.default_rng(7)
    rows = rng.integers(0, 256, 5 * record.itemsize, dtype=np.uint8).view(record)
    assert list(reader(rows)) == rows.tolist()


@pytest.mark.parametrize(("record", "reader"), READERS)
def test_every_second_row_and_no_row_can_be_read(record, reader):
    rows = np.zeros(4, record)
    rows["seq"] = range(4)
    assert [row[0] for row in reader(rows[::2])] == [0, 2]
    assert list(reader(rows[:0])) == []


def test_rows_of_the_other_kind_are_not_read():
    with pytest.raises(AssertionError):
        command_rows(np.zeros(1, EVENT))
    with pytest.raises(AssertionError):
        event_rows(np.zeros(1, COMMAND))
