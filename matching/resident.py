"""Memory that is there before the first command needs it.

A page that is touched for the first time takes the kernel microseconds, a huge one up to
milliseconds on a virtual machine. It is the start that is to pay for that, not an order.
"""

import mmap
from typing import Final

import numpy as np

from matching.state import BOOKS_OF_CONTRACT, SPARSE, State

ORDER_BOOKS: Final = 2  # of a contract: they come first, those of stops behind all of them


def make_resident(state: State, front_bytes: int, books_bytes: int) -> None:
    """Have the front of every array in memory, and that of the books of orders.

    `front_bytes` is for each array that fills from the front. `books_bytes` is for each of the
    three arrays of which a book uses a few pages: with 0 those come as they are touched.
    """
    for name, array in zip(State._fields, state, strict=True):
        if name in SPARSE:
            _touch(array, min(books_bytes, array.nbytes * ORDER_BOOKS // BOOKS_OF_CONTRACT))
        else:
            _touch(array, front_bytes)


def _touch(array: np.ndarray, size: int) -> None:
    """Read a byte of each of the first pages, and write it back."""
    array.view("<i1")[:size][:: mmap.PAGESIZE] += 0
