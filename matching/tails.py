"""Expected shortfall: the mean of the n worst of a row of losses, by kind of scenario.

`IM0 = max(3/4 ES(now) + 1/4 ES(stress), ES(floor))`; the rows of now come first, then those of
stress, then those of the floor. Everything is rounded up and never below zero, so IM0 is
sub-additive: two portfolios together never need more than both apart.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.limits import BLEND_PARTS

NEVER = np.int64(-(1 << 62))  # below every loss
ONE = np.int64(1)


@kernel
def four_worst(a, b, c, d, loss):
    """Return the four largest of five, the largest first; four of them are in order."""
    if loss <= d:
        return a, b, c, d
    a, loss = max(a, loss), min(a, loss)
    b, loss = max(b, loss), min(b, loss)
    c, loss = max(c, loss), min(c, loss)
    return a, b, c, max(d, loss)


@kernel
def mean_of_worst(worst_count, a, b, c, d):
    """Return the mean of the first n of four, rounded up, floored at zero."""
    total = np.int64(0)
    if worst_count > 0:
        total += a
    if worst_count > 1:
        total += b
    if worst_count > 2:
        total += c
    if worst_count > 3:
        total += d
    return max(np.int64(0), -(-total // max(ONE, worst_count)))


@kernel
def tail_mean(s, worst, with_worst, shocks, first, end, up_lots, down_lots):
    """Return the mean of the n worst of the scenarios from `first` to `end`.

    Args:
        worst: where the W begins that the lots are added to
        with_worst: 1, or 0 for the lots alone
    """
    a = b = c = d = NEVER
    for scenario in range(first, end):
        profit = s.shocks[shocks + scenario]
        lots = up_lots if profit > 0 else -down_lots
        loss = s.worst[worst + scenario] * with_worst + profit * lots
        a, b, c, d = four_worst(a, b, c, d, loss)
    return mean_of_worst(min(s.meta[0]["worst_count"], end - first), a, b, c, d)


@cold_kernel
def blended(s, account_idx, with_worst, contract_idx, up_lots, down_lots):
    """Return IM0 of an account's W with lots of a contract added, or of the lots alone."""
    meta = s.meta[0]
    worst = account_idx * meta["scenarios_max"]
    shocks = contract_idx * meta["scenarios_max"]
    floor_first = meta["scenarios_count"] - meta["floor_count"]
    stress_first = floor_first - meta["stress_count"]
    none = np.int64(0)
    mean = tail_mean(s, worst, with_worst, shocks, none, stress_first, up_lots, down_lots)
    if stress_first != floor_first:
        stress = tail_mean(
            s, worst, with_worst, shocks, stress_first, floor_first, up_lots, down_lots
        )
        mean = -(-((BLEND_PARTS - 1) * mean + stress) // BLEND_PARTS)
    if meta["floor_count"] == 0:
        return mean
    end = meta["scenarios_count"]
    return max(mean, tail_mean(s, worst, with_worst, shocks, floor_first, end, up_lots, down_lots))
