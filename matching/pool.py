"""Slots: orders from a recycled pool, each account's orders in a list, positions by table."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching._raw import put_either, put_word
from matching.codes import DETAILED
from matching.details import clear_detail
from matching.limits import ORDERS_MAX

SLOT_MASK = ORDERS_MAX - 1
GOLDEN_32 = 0x9E3779B1  # 2^32 over the golden section
LOW_32 = (1 << 32) - 1


@kernel
def count_trading(s):
    """Say how many contracts the straight line may trade: none while the exchange is halted."""
    meta = s.meta[0]
    meta["contracts_trading"] = 0 if meta["halted"] != 0 else meta["contracts_count"]


@kernel
def order_slots_left(s):
    """Return whether a slot can be taken."""
    meta = s.meta[0]
    return meta["orders_free"] != 0 or meta["orders_used"] < meta["orders_max"] - 1


@kernel
def take_order_slot(s):
    """Return a slot: the one freed last, else the next that was never used."""
    meta = s.meta[0]
    order_idx = meta["orders_free"]
    if order_idx != 0:
        meta["orders_free"] = s.orders[order_idx]["next"]
    else:
        order_idx = meta["orders_used"] + 1
        meta["orders_used"] = order_idx
    assert order_idx < meta["orders_max"]
    return order_idx


@kernel
def free_order_slot(s, order_idx):
    """Give a slot back."""
    meta = s.meta[0]
    order = s.orders[order_idx]
    if (order["flags"] & DETAILED) != 0:
        clear_detail(s, order_idx)
    order["order_id"] = 0
    order["next"] = meta["orders_free"]
    meta["orders_free"] = order_idx


@kernel
def find_order(s, account_idx, order_id):
    """Return the slot of an account's open order, 0 for none."""
    order_idx = order_id & SLOT_MASK
    if order_idx > s.meta[0]["orders_used"] or order_id <= 0:
        return 0
    order = s.orders[order_idx]
    if order["order_id"] != order_id or order["account_idx"] != account_idx:
        return 0
    return order_idx


@kernel
def own(s, order_idx, account_idx, position_idx):
    """Append an order to its position's list, and count it."""
    position = s.positions[position_idx]
    order = s.orders[order_idx]
    tail = position["order_tail"]
    put_word(order, "next_own", np.int64(tail) << 32)  # none behind it
    position["order_tail"] = order_idx
    put_either(tail != 0, s.orders[tail], "next_own", position, "order_head", order_idx)
    s.accounts[account_idx]["open_orders"] += 1
    s.meta[0]["orders_open"] += 1
    if order["client_idx"] != 0:
        s.meta[0]["client_ids_open"] += 1


@kernel
def disown(s, order_idx, account_idx, position_idx):
    """Take an order out of its position's list, and count it off."""
    position = s.positions[position_idx]
    order = s.orders[order_idx]
    following = order["next_own"]
    before = order["prev_own"]
    put_either(before != 0, s.orders[before], "next_own", position, "order_head", following)
    put_either(following != 0, s.orders[following], "prev_own", position, "order_tail", before)
    s.accounts[account_idx]["open_orders"] -= 1
    s.meta[0]["orders_open"] -= 1
    if order["client_idx"] != 0:
        s.meta[0]["client_ids_open"] -= 1


@kernel
def first_place(s, account_idx, contract_idx):
    """Return where in the table a position is looked for first, whatever the indices.

    The accounts of a contract lie side by side, so that a contract's part of the table is small
    and without gaps; contracts are spread by the golden section, which keeps them apart evenly.
    """
    mask = s.meta[0]["position_mask"]
    fraction = (contract_idx * GOLDEN_32) & LOW_32
    return (account_idx + ((fraction * (mask + 1)) >> 32)) & mask


@kernel
def position_place(s, account_idx, contract_idx):
    """Return where in the table a position is, or is to be put.

    What collides goes on with a step of its own.
    """
    mask = s.meta[0]["position_mask"]
    place = first_place(s, account_idx, contract_idx)
    while s.position_table[place] != 0:
        position = s.positions[s.position_table[place]]
        if position["account_idx"] == account_idx and position["contract_idx"] == contract_idx:
            return place
        place = (place + 2 * (account_idx + 64 * contract_idx) + 1) & mask
    return place


@kernel
def find_position(s, account_idx, contract_idx):
    """Return the slot of a position, 0 for none."""
    return np.int64(s.position_table[position_place(s, account_idx, contract_idx)])


@cold_kernel
def add_position(s, account_idx, contract_idx):
    """Return a new position's slot, at the end of its account's and its contract's list."""
    meta = s.meta[0]
    position_idx = meta["positions_count"] + 1
    assert position_idx < meta["positions_max"]
    meta["positions_count"] = position_idx
    position = s.positions[position_idx]
    position["account_idx"] = account_idx
    position["contract_idx"] = contract_idx
    s.position_table[position_place(s, account_idx, contract_idx)] = position_idx
    account = s.accounts[account_idx]
    contract = s.contracts[contract_idx]
    if account["position_tail"] != 0:
        s.positions[account["position_tail"]]["next_of_account"] = position_idx
    else:
        account["position_head"] = position_idx
    account["position_tail"] = position_idx
    if contract["position_tail"] != 0:
        s.positions[contract["position_tail"]]["next_of_contract"] = position_idx
    else:
        contract["position_head"] = position_idx
    contract["position_tail"] = position_idx
    return position_idx
