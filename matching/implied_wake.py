"""Which combinations have to be looked at for implied trades behind the command.

Whoever comes trades at once with all that makes an implied price for it. What may let those meet
who rest already wakes the combination: another trading state, mark, band or guard, a peg that
moves, a bound that was reached. `implied_waits` is 1 then; 2 says that a leg's band or guard is in
the way: the next tick of the clock looks again.
"""

import numpy as np

from matching._jit import cold_kernel
from matching.legs import combination_of, leg_of
from matching.limits import IMPLIED

WAITS, BLOCKED = 1, 2


@cold_kernel
def wake_combination(s, contract_idx):
    """Have one combination looked at, if it has implied prices."""
    contract = s.contracts[contract_idx]
    if contract["legs_count"] != 0 and contract["implied"] != 0:
        contract["implied_waits"] = WAITS
        s.meta[0]["aftermath"] |= IMPLIED


@cold_kernel
def wake_implied(s, contract_idx):
    """Have a combination looked at, or all of which a contract is a leg."""
    wake_combination(s, contract_idx)
    for place in range(s.contracts[contract_idx]["combinations_count"]):
        wake_combination(s, combination_of(s, contract_idx, place))


@cold_kernel
def wake_blocked(s):
    """Have every combination looked at again that a band or a guard was in the way of."""
    for contract_idx in range(s.meta[0]["contracts_count"]):
        if s.contracts[contract_idx]["implied_waits"] == BLOCKED:
            wake_combination(s, np.int64(contract_idx))


@cold_kernel
def let_legs_know(s, contract_idx):
    """Have orders of the legs leave the straight line: an order of the combination rests."""
    for place in range(s.contracts[contract_idx]["legs_count"]):
        leg_idx = leg_of(s, contract_idx, place)["contract_idx"]
        s.contracts[leg_idx]["implied"] = 1
