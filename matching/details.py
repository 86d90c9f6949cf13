"""What few orders have beside their record: a DETAIL in the same slot, if the flags say DETAILED.

An order with `display_lots` is an iceberg: `shown_lots` of its `leaves_lots` are in sight, the
rest is hidden. Lots that trade are shown ones; lots lost for any other reason are hidden ones
first.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import DETAILED
from matching.peg_list import remove_peg


@cold_kernel
def clear_detail(s, order_idx):
    """Zero the detail of an order that is gone."""
    detail = s.details[order_idx]
    detail["display_lots"] = 0
    detail["shown_lots"] = 0
    if detail["peg"] != 0:
        remove_peg(s, order_idx)
    detail["peg"] = 0
    detail["offset_ticks"] = 0
    detail["order_type"] = 0
    detail["trigger"] = 0
    detail["place"] = 0
    detail["link_id"] = 0
    detail["child_id"] = 0
    detail["parent_id"] = 0
    detail["limit_ticks"] = 0
    detail["extreme_ticks"] = 0
    detail["next_aside"] = 0
    detail["prev_aside"] = 0
    detail["more_lots"] = 0
    detail["listed"] = 0
    s.orders[order_idx]["flags"] = 0


@kernel
def display_of(s, order_idx):
    """Return how many lots an order shows at a time, 0 for all."""
    if (s.orders[order_idx]["flags"] & DETAILED) == 0:
        return 0
    return s.details[order_idx]["display_lots"]


@kernel
def visible_lots(s, order_idx):
    """Return how many lots of a resting order are in sight."""
    order = s.orders[order_idx]
    if (order["flags"] & DETAILED) != 0 and s.details[order_idx]["display_lots"] != 0:
        return np.int64(s.details[order_idx]["shown_lots"])
    return np.int64(order["leaves_lots"])


@cold_kernel
def show(s, order_idx, display_lots):
    """Let an order show at most so many lots from now, 0 for all it has.

    Returns: what it shows now, 0 if that is all it has
    """
    order = s.orders[order_idx]
    detail = s.details[order_idx]
    order["flags"] |= DETAILED
    detail["display_lots"] = display_lots
    detail["shown_lots"] = min(display_lots, order["leaves_lots"])
    return detail["shown_lots"]


@cold_kernel
def clip_shown(s, order_idx):
    """Keep what shows within what is left, after lots were lost for any reason but a trade."""
    detail = s.details[order_idx]
    detail["shown_lots"] = min(detail["shown_lots"], s.orders[order_idx]["leaves_lots"])
