"""Changes of W, an account's worst loss by scenario.

A new matrix changes W of everybody, and a command has no time for everybody: so W is taken anew
when somebody asks for it first (`freshen`), from what the account has then. Until that, fills and
orders still shift what is there, which nobody reads; it is overwritten whole, so not even a wrap
of it means anything.
"""

import numpy as np

from matching._jit import cold_kernel, entry_kernel, kernel
from matching.state import view_state

NO_MATRIX = np.int64(-1)


@kernel
def shift_worst(s, account_idx, contract_idx, up_lots, down_lots):
    """Add a change of lots to the account's W."""
    meta = s.meta[0]
    scenarios_max = meta["scenarios_max"]
    worst = account_idx * scenarios_max
    shocks = contract_idx * scenarios_max
    for scenario in range(meta["scenarios_count"]):
        profit = s.shocks[shocks + scenario]
        lots = up_lots if profit > 0 else -down_lots
        s.worst[worst + scenario] += profit * lots


@kernel
def forget_worst(s, account_idx):
    """Have W of an account taken anew: of positions that changed without it."""
    s.worst_swaps[account_idx] = NO_MATRIX


@cold_kernel
def freshen(s, account_idx):
    """Take W of an account anew if it is of an older matrix, or forgotten: of its positions."""
    meta = s.meta[0]
    if s.worst_swaps[account_idx] == meta["swaps"]:
        return
    s.worst_swaps[account_idx] = meta["swaps"]
    first = account_idx * meta["scenarios_max"]
    for place in range(first, first + meta["scenarios_max"]):
        s.worst[place] = 0
    position_idx = np.int64(s.accounts[account_idx]["position_head"])
    while position_idx != 0:
        position = s.positions[position_idx]
        up_lots = np.int64(position["sell_lots"] - position["qty_lots"])
        down_lots = np.int64(position["buy_lots"] + position["qty_lots"])
        if up_lots != 0 or down_lots != 0:
            shift_worst(s, account_idx, np.int64(position["contract_idx"]), up_lots, down_lots)
        position_idx = np.int64(position["next_of_account"])


@entry_kernel
def freshen_all(state):
    """Take W of every account anew that is of an older matrix: before all of them are read."""
    s = view_state(state)
    for account_idx in range(s.meta[0]["accounts_count"]):
        freshen(s, np.int64(account_idx))
