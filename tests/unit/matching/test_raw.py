"""Several fields of a record are read and written as one word, with the JIT and without."""

from typing import NamedTuple

import numpy as np
import pytest

from matching._jit import entry_kernel
from matching._memory import handle_of, viewer
from matching._raw import put_either, put_word, word_at
from matching.wire import EVENT, ORDER
from matching.words import two_halves


class Rows(NamedTuple):
    """Two arrays that kernels see."""

    events: np.ndarray
    orders: np.ndarray


view_rows = viewer("Rows", {"events": EVENT, "orders": ORDER})


def some_rows() -> Rows:
    """Return two records of each kind, with no byte of them zero."""
    rows = Rows(np.zeros(2, EVENT), np.zeros(2, ORDER))
    for array in rows:
        array.view("u1")[:] = np.arange(1, array.nbytes + 1, dtype="u1") | 1
    return rows


@entry_kernel
def head_of(handle):
    """Return the word of the second event that begins with its kind."""
    return word_at(view_rows(handle).events[1], "kind")


@entry_kernel
def put_head(handle, low, high):
    """Write that word."""
    put_word(view_rows(handle).events[1], "kind", two_halves(low, high))


@entry_kernel
def put_one(handle, condition, value):
    """Write a field of the first order, or another field of the second."""
    orders = view_rows(handle).orders
    put_either(condition != 0, orders[0], "next_own", orders[1], "prev", value)


def test_a_word_is_read_from_the_field_on():
    rows = some_rows()
    assert head_of(handle_of(rows).value) == rows.events.view("<i8")[8 + 1]


@pytest.mark.parametrize("low", [0, 0x00640115, 0xFFFFFFFF, -2])
@pytest.mark.parametrize("high", [0, 7, -1, (1 << 31) - 1, -(1 << 31)])
def test_a_word_is_written_over_all_its_fields_and_no_other(low: int, high: int):
    rows, expected = some_rows(), some_rows()
    put_head(handle_of(rows).value, low, high)
    raw = (low & 0xFFFFFFFF).to_bytes(4, "little") + high.to_bytes(4, "little", signed=True)
    expected.events.view("u1")[64 + 8 : 64 + 16] = np.frombuffer(raw, "u1")
    assert rows.events.tobytes() == expected.events.tobytes()


@pytest.mark.parametrize(("condition", "row", "name"), [(1, 0, "next_own"), (0, 1, "prev")])
def test_one_of_two_fields_is_written(condition: int, row: int, name: str):
    rows, expected = some_rows(), some_rows()
    put_one(handle_of(rows).value, condition, -5)
    expected.orders[name][row] = -5
    assert rows.orders.tobytes() == expected.orders.tobytes()
