"""An order comes to rest: its id, its record, its place in the book and among its account's."""

import numpy as np

from matching._jit import kernel
from matching._raw import put_word
from matching.book import link_last
from matching.codes import Tif
from matching.expiry import add_expiry
from matching.limits import ORDERS_MAX
from matching.pool import own
from matching.words import two_halves

ALL_FLAGS = 0xFFFF


@kernel
def new_order_id(s, order_idx):
    """Return the id of an order that this command puts into a slot."""
    return s.meta[0]["seq"] * ORDERS_MAX + order_idx


@kernel
def rest(s, cmd, order, order_idx, order_id, position_idx, client_idx, leaves_lots, traded_lots):
    """Write the record of a new order and put it at the back of its level."""
    record = s.orders[order_idx]
    put_word(record, "leaves_lots", two_halves(leaves_lots, traded_lots))
    put_word(record, "key", two_halves(order.key, order.book_idx))
    record["order_id"] = order_id
    put_word(record, "position_idx", two_halves(position_idx, order.account_idx))
    record["expires_ns"] = cmd["expires_ns"]
    modes = (order.flags & ALL_FLAGS) | order.tif << 16 | order.stp << 24
    put_word(record, "client_idx", two_halves(client_idx, modes))
    link_last(s, order_idx, order.book_idx, order.key)
    own(s, order_idx, order.account_idx, position_idx)
    if order.tif == Tif.GTD:
        add_expiry(s, np.int64(cmd["expires_ns"]), order_id)
