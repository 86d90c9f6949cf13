"""A fill of a quote, counted for its group's protection; whatever trades a quote calls this."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import QUOTE_GROUP_SHIFT
from matching.limits import QUOTE_GROUPS

HITS = 8  # bit of META.aftermath: a protection was hit


@kernel
def reaches(limit, value):
    """Return whether a value has come to a limit, of which 0 is none."""
    return limit != 0 and value >= limit


@cold_kernel
def note_quote_fill(s, account_idx, flags, side, lots):
    """Count a fill of a quote; when that comes to a limit, the group is frozen and noted."""
    meta = s.meta[0]
    group = (np.int64(flags) >> QUOTE_GROUP_SHIFT) % QUOTE_GROUPS
    place = QUOTE_GROUPS * np.int64(account_idx) + group
    mmp = s.mmps[place]
    if mmp["window_ns"] == 0 or mmp["frozen"] != 0:
        return
    if mmp["fills"] == 0 or meta["now_ns"] - mmp["start_ns"] >= mmp["window_ns"]:
        mmp["start_ns"] = meta["now_ns"]
        mmp["qty_lots"] = 0
        mmp["delta_lots"] = 0
        mmp["fills"] = 0
    mmp["fills"] += 1
    if mmp["qty_max_lots"] != 0:
        mmp["qty_lots"] += lots
    if mmp["delta_max_lots"] != 0:
        mmp["delta_lots"] += lots * (1 - 2 * side)
    hit = reaches(mmp["qty_max_lots"], mmp["qty_lots"])
    hit |= reaches(mmp["delta_max_lots"], abs(mmp["delta_lots"]))
    hit |= reaches(mmp["fills_max"], mmp["fills"])
    if hit:
        mmp["frozen"] = 1
        note_hit(s, place)


@kernel
def note_hit(s, place):
    """Put a group at the end of the list of those hit in this command."""
    meta = s.meta[0]
    if meta["mmp_hit"] == 0:
        meta["mmp_hit"] = place + 1
    else:
        s.mmps[meta["mmp_hit_last"] - 1]["next_hit"] = place + 1
    meta["mmp_hit_last"] = place + 1
    meta["aftermath"] |= HITS
