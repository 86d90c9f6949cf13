"""What a saved state leaves out, made again from what it holds."""

import numpy as np

from matching._jit import entry_kernel, kernel
from matching.book import level_of, open_level
from matching.calls import wake_by
from matching.client_ids import chain_in
from matching.combinations import join_legs
from matching.contracts import set_mark_and_band
from matching.ending import wake_for_end
from matching.guards import set_guard_keys
from matching.peg_list import insert_peg, is_peg
from matching.pool import count_trading, position_place
from matching.state import view_state
from matching.triggers import empty_ladders
from matching.units import take_units
from matching.waiting import IN_LADDER, list_of, waits


@kernel
def rebuild_positions(s):
    """Fill the position table, in order of creation."""
    for position_idx in range(1, s.meta[0]["positions_count"] + 1):
        position = s.positions[position_idx]
        account_idx = np.int64(position["account_idx"])
        place = position_place(s, account_idx, np.int64(position["contract_idx"]))
        s.position_table[place] = position_idx


@kernel
def rebuild_level(s, order_idx):
    """Add an order to its level; its links are in its record."""
    order = s.orders[order_idx]
    book_idx = np.int64(order["book_idx"])
    if waits(s, order_idx):
        if s.details[order_idx]["place"] != IN_LADDER:
            return
        book_idx = 2 * s.meta[0]["contracts_max"] + list_of(s, order_idx)
    key = np.int64(order["key"])
    level = level_of(s, book_idx, key)
    if order["prev"] == 0:
        level["head"] = order_idx
    if order["next"] == 0:
        level["tail"] = order_idx
    open_level(s, book_idx, key)


@entry_kernel
def rebuild(state):
    """Make ladders and tables of an otherwise restored state."""
    s = view_state(state)
    meta = s.meta[0]
    for contract_idx in range(meta["contracts_count"]):
        s.contracts[contract_idx]["combinations_count"] = 0
    for contract_idx in range(meta["contracts_count"]):
        join_legs(s, np.int64(contract_idx))
        set_mark_and_band(s, contract_idx, s.contracts[contract_idx]["mark_ticks"])
        set_guard_keys(s, np.int64(contract_idx))
        wake_by(s, s.calls[contract_idx]["ends_ns"])
        wake_by(s, s.calls[contract_idx]["indicative_due_ns"])
        wake_for_end(s, np.int64(contract_idx))
        for book_idx in range(2 * contract_idx, 2 * contract_idx + 2):
            s.books[book_idx]["best_key"] = meta["price_top"] + 1
        empty_ladders(s, np.int64(contract_idx))
    take_units(s)
    for account_idx in range(meta["accounts_count"]):
        s.worst_swaps[account_idx] = meta["swaps"]
    count_trading(s)
    rebuild_positions(s)
    for order_idx in range(1, meta["orders_used"] + 1):
        order = s.orders[order_idx]
        if order["order_id"] != 0:
            rebuild_level(s, np.int64(order_idx))
            if is_peg(s, order_idx):
                insert_peg(s, np.int64(order_idx))
    if meta["expiries_count"] > 0:
        meta["next_expiry_ns"] = s.expiries[0]["expires_ns"]
    for entry_idx in range(1, meta["client_ids_used"] + 1):
        if s.client_ids[entry_idx]["order_id"] != 0:
            chain_in(s, np.int64(entry_idx))
