"""Halves of a command's words, as kernels read them; `wire.py` says what they hold."""

import numpy as np

from matching._jit import kernel

LOW_HALF = (1 << 32) - 1


@kernel
def low_half(word):
    """Return the low 32 bits of a word, signed."""
    return (np.int64(word) << 32) >> 32


@kernel
def high_half(word):
    """Return the high 32 bits of a word, signed."""
    return np.int64(word) >> 32


@kernel
def two_halves(low, high):
    """Return a word of two numbers of 32 bits, as two fields of a record lie side by side."""
    return (np.int64(low) & LOW_HALF) | (np.int64(high) << 32)
