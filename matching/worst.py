"""Changes of W, an account's worst loss by scenario."""

from matching._jit import kernel


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
def shift_resting(s, account_idx, book_idx, lots):
    """Add resting lots of one side to the account's W."""
    side = book_idx & 1
    shift_worst(s, account_idx, book_idx >> 1, lots * side, lots * (1 - side))
