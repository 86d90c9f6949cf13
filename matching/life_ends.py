"""Orders whose time is over are cancelled: as many as a command may, the oldest first.

What is left goes behind the next commands, before anything else follows from them; until its turn
an order may still trade, as one whose date has passed may before the next tick.
"""

import numpy as np

from matching._jit import cold_kernel
from matching.codes import Code, Tif
from matching.emit import has_worked
from matching.lifetimes import OVER, life_list
from matching.limits import LIVES
from matching.trade import drop_order


@cold_kernel
def end_over(s, contract_idx, tif, code, first_event):
    """Cancel what is over of a contract and a time in force, if the command may begin it."""
    over = s.life_lists[life_list(contract_idx, tif) + OVER]
    while over["head"] != 0 and not has_worked(s, first_event):
        drop_order(s, np.int64(over["head"]), code)


@cold_kernel
def end_lives(s, contract_idx, first_event):
    """Cancel what is over of a contract: for a call that has begun, then for a day."""
    end_over(s, contract_idx, np.int64(Tif.GFN), Code.AUCTION_STARTED, first_event)
    end_over(s, contract_idx, np.int64(Tif.DAY), Code.ORDER_EXPIRED, first_event)


@cold_kernel
def end_all_of(s, contract_idx, tif, code):
    """Cancel all orders of a time in force."""
    row = s.life_lists[life_list(contract_idx, tif)]
    while row["head"] != 0:
        drop_order(s, np.int64(row["head"]), code)


@cold_kernel
def life_step(s, first_event):
    """Go on with the first contract in which something is over, or find that nothing is.

    Nothing is over in the contracts before META.lives_first.
    """
    meta = s.meta[0]
    contract_idx = np.int64(meta["lives_first"])
    while contract_idx < meta["contracts_count"]:
        calls = life_list(contract_idx, np.int64(Tif.GFN)) + OVER
        days = life_list(contract_idx, np.int64(Tif.DAY)) + OVER
        if (s.life_lists[calls]["head"] | s.life_lists[days]["head"]) != 0:
            break
        contract_idx += 1
    meta["lives_first"] = contract_idx
    if contract_idx == meta["contracts_count"]:
        meta["aftermath"] &= ~LIVES
        return
    end_lives(s, contract_idx, first_event)
