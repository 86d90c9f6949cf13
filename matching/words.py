"""Halves of a command's words, as kernels read them; `wire.py` says what they hold."""

import numpy as np

from matching._jit import kernel


@kernel
def low_half(word):
    """Return the low 32 bits of a word, signed."""
    return (np.int64(word) << 32) >> 32


@kernel
def high_half(word):
    """Return the high 32 bits of a word, signed."""
    return np.int64(word) >> 32
