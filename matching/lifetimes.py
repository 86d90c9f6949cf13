"""Orders that end when a call or a day does: listed by contract, so that nobody looks for them.

A list for each time in force, oldest first, of the orders that rest, and of stops for the day while
they wait. What has come to its end moves as a whole to a list of what is over, and is cancelled
from there, behind the command that ended it and behind the next ones (`life_ends.py`). Orders that
are good till cancelled or till a date are in none, and pay nothing: who is in one has a detail.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import DETAILED, Tif
from matching.limits import LIVES
from matching.state import LIFE_LISTS

FOR_AUCTION, OVER = int(Tif.GFA), 2  # the first list; from that of GFN or DAY to what is over of it
NONE = np.int64(0)


@kernel
def life_list(contract_idx, tif):
    """Return which of all lists holds the orders of a contract and a time in force."""
    return LIFE_LISTS * contract_idx + tif - FOR_AUCTION


@kernel
def note_life(s, order_idx, tif):
    """List an order that has come to rest, or a stop that waits, if it may end so."""
    if tif >= FOR_AUCTION and s.lives[order_idx]["which"] == 0:
        join_life(s, order_idx, np.int64(tif))


@cold_kernel
def join_life(s, order_idx, tif):
    """Put an order at the end of its list."""
    order, life = s.orders[order_idx], s.lives[order_idx]
    order["flags"] |= DETAILED
    which = life_list(np.int64(order["book_idx"]) >> 1, tif)
    row = s.life_lists[which]
    life["which"] = which + 1
    life["next"] = 0
    life["prev"] = row["tail"]
    if row["tail"] != 0:
        s.lives[row["tail"]]["next"] = order_idx
    else:
        row["head"] = order_idx
    row["tail"] = order_idx


@cold_kernel
def leave_life(s, order_idx):
    """Take an order out of the list it is in, if it is in any."""
    life = s.lives[order_idx]
    if life["which"] == 0:
        return
    which, before, following = life["which"] - 1, np.int64(life["prev"]), np.int64(life["next"])
    if before != 0:
        s.lives[before]["next"] = following
    elif s.life_lists[which]["head"] == order_idx:
        s.life_lists[which]["head"] = following
    else:
        s.life_lists[which + OVER]["head"] = following
    if following != 0:
        s.lives[following]["prev"] = before
    elif s.life_lists[which]["tail"] == order_idx:
        s.life_lists[which]["tail"] = before
    else:
        s.life_lists[which + OVER]["tail"] = before
    life["which"] = 0
    life["next"] = 0
    life["prev"] = 0


@cold_kernel
def wait_for_life(s, order_idx, tif):
    """List a stop that waits, with a time in force that is new: for the day, or not at all."""
    leave_life(s, order_idx)
    if tif == Tif.DAY:
        join_life(s, order_idx, np.int64(tif))


@cold_kernel
def let_end(s, contract_idx, tif):
    """Say that all orders of a time in force are over: they end behind the command."""
    meta = s.meta[0]
    row = s.life_lists[life_list(contract_idx, tif)]
    over = s.life_lists[life_list(contract_idx, tif) + OVER]
    if row["head"] == 0:
        return
    if over["tail"] != 0:
        s.lives[over["tail"]]["next"] = row["head"]
        s.lives[row["head"]]["prev"] = over["tail"]
    else:
        over["head"] = row["head"]
    over["tail"] = row["tail"]
    row["head"] = 0
    row["tail"] = 0
    if (meta["aftermath"] & LIVES) == 0 or contract_idx < meta["lives_first"]:
        meta["lives_first"] = contract_idx
    meta["aftermath"] |= LIVES
