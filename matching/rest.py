"""An order comes to rest: its id, its record, its place in the book and among its account's."""

import numpy as np

from matching._jit import kernel
from matching.book import link_last
from matching.codes import Tif
from matching.expiry import add_expiry
from matching.limits import ORDERS_MAX
from matching.pool import own


@kernel
def new_order_id(s, order_idx):
    """Return the id of an order that this command puts into a slot."""
    return s.meta[0]["seq"] * ORDERS_MAX + order_idx


@kernel
def rest(s, cmd, order, order_idx, order_id, position_idx, client_idx, leaves_lots, traded_lots):
    """Write the record of a new order and put it at the back of its level."""
    record = s.orders[order_idx]
    record["leaves_lots"] = leaves_lots
    record["filled_lots"] = traded_lots
    record["key"] = order.key
    record["book_idx"] = order.book_idx
    record["order_id"] = order_id
    record["position_idx"] = position_idx
    record["account_idx"] = order.account_idx
    record["expires_ns"] = cmd["expires_ns"]
    record["client_idx"] = client_idx
    record["flags"] = order.flags
    record["tif"] = order.tif
    record["stp"] = order.stp
    link_last(s, order_idx, order.book_idx, order.key)
    own(s, order_idx, order.account_idx, position_idx)
    if order.tif == Tif.GTD:
        add_expiry(s, np.int64(cmd["expires_ns"]), order_id)
