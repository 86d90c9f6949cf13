"""A contract's day, from one settlement to the next: its range of prices, and what a block may be.

The range is that of the trades of the book; blocks are judged by it and never move it.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import Code
from matching.limits import BLOCK_RANGE_BPS_MAX, BPS, QTY_LOTS_MAX


@kernel
def widen_day(s, contract_idx, price_ticks):
    """Take the price of a trade into the day's range."""
    day = s.days[contract_idx]
    if price_ticks > day["high_ticks"]:
        day["high_ticks"] = price_ticks
    if price_ticks < day["low_ticks"] or day["low_ticks"] == 0:
        day["low_ticks"] = price_ticks


@kernel
def new_day(s, contract_idx):
    """Begin a day in which nothing has traded."""
    s.days[contract_idx]["low_ticks"] = 0
    s.days[contract_idx]["high_ticks"] = 0


@kernel
def check_block_rule(min_lots, range_bps):
    """Refuse a rule for blocks that is not sound."""
    if min_lots < 0 or min_lots > QTY_LOTS_MAX or range_bps < 0 or range_bps > BLOCK_RANGE_BPS_MAX:
        return Code.BLOCK_RULE_INVALID
    return Code.OK


@kernel
def set_block_rule(s, contract_idx, min_lots, range_bps):
    """Write what a contract takes as a block."""
    s.days[contract_idx]["block_min_lots"] = min_lots
    s.days[contract_idx]["block_range_bps"] = range_bps


@cold_kernel
def check_block(s, contract_idx, price_ticks, qty_lots):
    """Refuse a block that is too small, or priced beyond the day's range.

    While nothing has traded since the last settlement, the mark is the range.
    """
    day = s.days[contract_idx]
    if day["block_min_lots"] == 0:
        return Code.BLOCKS_NOT_ALLOWED
    if qty_lots < day["block_min_lots"]:
        return Code.BLOCK_TOO_SMALL
    low_ticks, high_ticks = day["low_ticks"], day["high_ticks"]
    if low_ticks == 0:
        low_ticks = high_ticks = s.contracts[contract_idx]["mark_ticks"]
    range_bps = day["block_range_bps"]
    least_ticks = low_ticks - low_ticks * range_bps // BPS
    most_ticks = high_ticks + high_ticks * range_bps // BPS
    if price_ticks < np.int64(least_ticks) or price_ticks > np.int64(most_ticks):
        return Code.BLOCK_PRICE_OUT_OF_RANGE
    return Code.OK
