"""Self-trade prevention, and what a reduce-only maker may still trade."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import Code, Stp
from matching.trade import drop_lots, drop_order


@cold_kernel
def prevent_self_trade(s, stp, maker_idx, left_lots):
    """Do what the taker's mode says to its own resting order; return what the taker loses."""
    if stp == Stp.CANCEL_NEWEST:
        return left_lots
    maker_lots = np.int64(s.orders[maker_idx]["leaves_lots"])
    if stp == Stp.DECREMENT:
        lost_lots = min(left_lots, maker_lots)
        drop_lots(s, maker_idx, lost_lots, Code.SELF_TRADE_PREVENTED)
        return lost_lots
    drop_lots(s, maker_idx, maker_lots, Code.SELF_TRADE_PREVENTED)
    return left_lots if stp == Stp.CANCEL_BOTH else np.int64(0)


@kernel
def newer_of(s, one_idx, other_idx):
    """Return which of two resting orders came last."""
    return one_idx if s.orders[one_idx]["order_id"] > s.orders[other_idx]["order_id"] else other_idx


@cold_kernel
def prevent_between(s, one_idx, other_idx):
    """Do what the mode of the newer of two resting orders says to both."""
    newer_idx = newer_of(s, one_idx, other_idx)
    older_idx = one_idx + other_idx - newer_idx
    stp = np.int64(s.orders[newer_idx]["stp"])
    newer_lots = np.int64(s.orders[newer_idx]["leaves_lots"])
    lost_lots = prevent_self_trade(s, stp, older_idx, newer_lots)
    if lost_lots > 0:
        drop_lots(s, newer_idx, lost_lots, Code.SELF_TRADE_PREVENTED)


@cold_kernel
def reducible_lots(s, maker_idx, taker_position_idx, taker_traded_lots):
    """Return how much a reduce-only order may trade now.

    The taker's trades of this command are booked at its end: they are added here if the maker
    is the same account's.
    """
    maker = s.orders[maker_idx]
    side = maker["book_idx"] & 1
    opposite_lots = s.positions[maker["position_idx"]]["qty_lots"] * (2 * side - 1)
    if maker["position_idx"] == taker_position_idx:
        opposite_lots += taker_traded_lots
    return max(np.int64(0), opposite_lots)


@cold_kernel
def end_idle(s, maker_idx):
    """Cancel a reduce-only order that has nothing to reduce."""
    drop_order(s, maker_idx, Code.REDUCE_ONLY_CLIPPED)
