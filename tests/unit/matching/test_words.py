"""Two numbers in one word: Python writes them, kernels read them."""

import numpy as np
import pytest

from matching._jit import entry_kernel
from matching.wire import halves, pack_halves
from matching.words import high_half, low_half

LEAST, MOST = -(1 << 31), (1 << 31) - 1


@entry_kernel
def both(word):
    return low_half(word), high_half(word)


@pytest.mark.parametrize("low", [LEAST, -1, 0, 1, MOST])
@pytest.mark.parametrize("high", [LEAST, -1, 0, 1, MOST])
def test_what_is_packed_is_read(low: int, high: int):
    word = pack_halves(low, high)
    assert halves(word) == (low, high)
    with np.errstate(over="ignore"):
        assert both(np.int64(word)) == (low, high)


@pytest.mark.parametrize("pair", [(MOST + 1, 0), (0, LEAST - 1)])
def test_what_does_not_fit_is_an_error(pair: tuple[int, int]):
    with pytest.raises(ValueError, match="half a word"):
        pack_halves(*pair)
