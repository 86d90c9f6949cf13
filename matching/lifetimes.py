"""Which times in force may rest in a contract, so that nobody looks for those that cannot.

A word a contract, never saved: a bit stays set until all orders of its kind have ended while no
stop waits. A bit too many costs a look at the book, a bit too few would leave orders behind; what
a command causes is the same with any.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import Tif


@kernel
def note_life(s, contract_idx, tif):
    """Remember that an order, or a stop, of a time in force has come to a contract."""
    if tif != Tif.GTC:
        s.lives[contract_idx] |= np.int64(1) << tif


@kernel
def may_hold(s, contract_idx, tif):
    """Return whether an order of a time in force may rest or wait in a contract."""
    return (s.lives[contract_idx] >> tif) & 1 != 0


@cold_kernel
def none_left(s, contract_idx, tif):
    """Forget a time in force whose orders have all ended; a stop that waits may yet enter."""
    if s.watches[contract_idx]["stops"] == 0:
        s.lives[contract_idx] &= ~(np.int64(1) << tif)
