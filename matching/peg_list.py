"""Which orders of a contract are pegged, oldest first, and which contracts' pegs have to move.

Whatever comes to rest in the book of such a contract, or leaves it, puts the contract into a queue,
once; so do a new mark, band or trading state. `pegs.py` works the queue off, behind the command's
own work.
"""

from matching._jit import cold_kernel, kernel
from matching.codes import DETAILED
from matching.limits import PEGS, PEGS_MAX


@kernel
def is_peg(s, order_idx):
    """Return whether an order follows other orders' prices."""
    if (s.orders[order_idx]["flags"] & DETAILED) == 0:
        return False
    return s.details[order_idx]["peg"] != 0


@cold_kernel
def wake_pegs(s, contract_idx):
    """Let the pegs of a contract be looked at, if it has any and does not wait for that yet."""
    meta, contract = s.meta[0], s.contracts[contract_idx]
    if contract["pegs"] == 0 or contract["peg_waits"] != 0:
        return
    contract["peg_waits"] = 1
    contract["peg_next"] = 0
    if meta["pegs_last"] != 0:
        s.contracts[meta["pegs_last"] - 1]["peg_next"] = contract_idx + 1
    else:
        meta["pegs_first"] = contract_idx + 1
    meta["pegs_last"] = contract_idx + 1
    meta["aftermath"] |= PEGS


@cold_kernel
def next_waking(s):
    """Take the first contract out of the queue; its pegs wake nobody while they move."""
    meta = s.meta[0]
    contract_idx = meta["pegs_first"] - 1
    meta["pegs_first"] = s.contracts[contract_idx]["peg_next"]
    s.contracts[contract_idx]["peg_next"] = 0
    if meta["pegs_first"] == 0:
        meta["pegs_last"] = 0
        meta["aftermath"] &= ~PEGS
    return contract_idx


@kernel
def count_pegs(s, contract_idx, count):
    """Write how many pegs a contract has: both books know it, so that links can see it."""
    s.contracts[contract_idx]["pegs"] = count
    s.books[2 * contract_idx]["pegs"] = count
    s.books[2 * contract_idx + 1]["pegs"] = count


@cold_kernel
def add_peg(s, order_idx):
    """Put a new pegged order at the end of its contract's list: its id is the highest."""
    contract_idx = s.orders[order_idx]["book_idx"] >> 1
    count = s.contracts[contract_idx]["pegs"]
    assert count < PEGS_MAX
    s.pegs[contract_idx * PEGS_MAX + count] = order_idx
    count_pegs(s, contract_idx, count + 1)


@cold_kernel
def remove_peg(s, order_idx):
    """Take a pegged order out of its contract's list."""
    contract_idx = s.orders[order_idx]["book_idx"] >> 1
    first, left = contract_idx * PEGS_MAX, s.contracts[contract_idx]["pegs"] - 1
    place = 0
    while s.pegs[first + place] != order_idx:
        assert place < left
        place += 1
    while place < left:
        s.pegs[first + place] = s.pegs[first + place + 1]
        place += 1
    s.pegs[first + left] = 0
    count_pegs(s, contract_idx, left)


@cold_kernel
def insert_peg(s, order_idx):
    """Put a pegged order of a restored state where its id belongs."""
    contract_idx = s.orders[order_idx]["book_idx"] >> 1
    first, place = contract_idx * PEGS_MAX, s.books[2 * contract_idx]["pegs"]
    count_pegs(s, contract_idx, place + 1)
    order_id = s.orders[order_idx]["order_id"]
    while place > 0 and s.orders[s.pegs[first + place - 1]]["order_id"] > order_id:
        s.pegs[first + place] = s.pegs[first + place - 1]
        place -= 1
    s.pegs[first + place] = order_idx
