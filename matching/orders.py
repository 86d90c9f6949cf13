"""Orders as commands: place, cancel, amend, mass cancel."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.admit import Order, admit, check_words
from matching.book import key_of
from matching.clear import cancel_orders, say_cancelled
from matching.client_ids import check_client_id, find_client_order, has_client_id, register
from matching.codes import (
    COMBINED,
    MARKET_ORDER,
    TIE_FLAGS,
    AccountState,
    Code,
    EventKind,
    OrderType,
    Tif,
)
from matching.details import show
from matching.emit import emit, emit_order
from matching.legs import add_leg_positions, check_combination_order
from matching.lifetimes import note_life
from matching.match import emit_drops, execute
from matching.pegs import follow
from matching.pool import (
    add_position,
    find_order,
    find_position,
    free_order_slot,
    take_order_slot,
)
from matching.prices import entry_key
from matching.rest import new_order_id, rest
from matching.stops import hold_stop, is_stop
from matching.ties import check_ties, tie
from matching.trade import cancel_whole
from matching.words import high_half, low_half


@kernel
def new_order(s, cmd, has_client):
    """Return a PLACE command as an order."""
    account_idx = np.int64(cmd["account_idx"])
    contract_idx = np.int64(cmd["contract_idx"])
    side = np.int64(cmd["side"])
    book_idx = 2 * contract_idx + side
    contract = s.contracts[contract_idx]
    flags = np.int64(cmd["flags"])
    if contract["legs_count"] != 0:
        flags |= COMBINED
    if cmd["order_type"] == OrderType.MARKET and cmd["tif"] == Tif.GFA:
        flags |= MARKET_ORDER
    return Order(
        account_idx=account_idx,
        contract_idx=contract_idx,
        position_idx=find_position(s, account_idx, contract_idx),
        book_idx=book_idx,
        key=entry_key(s, cmd, book_idx),
        qty_lots=np.int64(cmd["qty_lots"]),
        tick_value=np.int64(contract["tick_value_usd_micros"]),
        order_type=np.int64(cmd["order_type"]),
        tif=np.int64(cmd["tif"]),
        stp=np.int64(cmd["stp"]),
        flags=flags,
        display_lots=high_half(cmd["amount_usd_micros"]),
        min_lots=high_half(cmd["ref_id"]),
        held_lots=np.int64(0),
        held_loss_usd_micros=np.int64(0),
        client=has_client,
        by_legs=np.int64(contract["legs_count"] != 0) & np.int64(cmd["state"]),
    )


@cold_kernel
def place_generally(s, cmd):
    """Judge a new order, match it, rest what is left.

    Returns: Code.OK, or why it is refused; nothing is written then
    """
    meta = s.meta[0]
    if cmd["account_idx"] < 0 or cmd["account_idx"] >= meta["accounts_count"]:
        return Code.ACCOUNT_UNKNOWN
    if s.accounts[cmd["account_idx"]]["state"] == AccountState.FROZEN:
        return Code.ACCOUNT_FROZEN
    if cmd["contract_idx"] < 0 or cmd["contract_idx"] >= meta["contracts_count"]:
        return Code.CONTRACT_UNKNOWN
    has_client = has_client_id(cmd)
    if has_client != 0:
        code = check_client_id(s, cmd)
        if code != Code.OK:
            return code
    if is_stop(cmd["order_type"]):
        return hold_stop(s, cmd, new_order(s, cmd, has_client))
    contract = s.contracts[cmd["contract_idx"]]
    code = check_words(s, cmd, contract)
    if code == Code.OK and contract["legs_count"] != 0:
        code = check_combination_order(cmd)
    if code != Code.OK:
        return code
    order = new_order(s, cmd, has_client)
    if (order.flags & TIE_FLAGS) != 0:
        code = check_ties(s, cmd, order)
        if code != Code.OK:
            return code
    code, lots = admit(s, order, True)
    if code != Code.OK:
        return code
    # From here the order must succeed.
    enter(s, cmd, order, lots)
    return Code.OK


@kernel
def enter(s, cmd, order, lots):
    """Give an admitted order its slot and id, execute it, and rest what is left."""
    order_idx = take_order_slot(s)
    order_id = new_order_id(s, order_idx)
    position_idx = order.position_idx
    if position_idx == 0:
        position_idx = add_position(s, order.account_idx, order.contract_idx)
        add_leg_positions(s, order.account_idx, order.contract_idx)
    client_idx = np.int64(0)
    if order.client != 0:
        client_idx = register(s, cmd, order_id)
    reply = s.meta[0]["events_count"]
    emit_order(
        s, EventKind.ACCEPTED, Code.OK, order.account_idx, order.book_idx, order_id,
        key_of(s, order.book_idx & 1, order.key), order.qty_lots, 0,
    )  # fmt: skip
    leaves_lots, traded_lots, lost_lots, dropped_lots, stopped = execute(
        s, order, order_id, position_idx, lots
    )
    if leaves_lots > 0:
        s.events[reply]["leaves_lots"] = leaves_lots
        rest(s, cmd, order, order_idx, order_id, position_idx, client_idx, leaves_lots, traded_lots)
        note_life(s, order_idx, order.tif)
        if order.display_lots != 0:
            s.events[reply]["amount_usd_micros"] = show(s, order_idx, order.display_lots)
        if order.order_type == OrderType.PEGGED:
            follow(s, order_idx, np.int64(cmd["state"]), low_half(cmd["ref_id"]))
    if (order.flags & TIE_FLAGS) != 0:
        tie(s, cmd, order, order_idx, order_id, position_idx, leaves_lots, traded_lots)
    if leaves_lots == 0:
        free_order_slot(s, order_idx)
    clipped = order.qty_lots - lots
    if (clipped | lost_lots | dropped_lots) != 0:
        emit_drops(s, order, order_id, leaves_lots, clipped, lost_lots, dropped_lots, stopped)


@kernel
def named_order(s, cmd):
    """Return the slot of the order that a command names by either id, 0 for none of its account."""
    order_id = np.int64(cmd["order_id"])
    if order_id == 0 and has_client_id(cmd) != 0:
        order_id = find_client_order(s, cmd)
    return find_order(s, np.int64(cmd["account_idx"]), order_id)


@cold_kernel
def cancel(s, cmd):
    """Cancel one order, named by either id."""
    if cmd["account_idx"] < 0 or cmd["account_idx"] >= s.meta[0]["accounts_count"]:
        return Code.ACCOUNT_UNKNOWN
    order_idx = named_order(s, cmd)
    if order_idx == 0:
        return Code.ORDER_UNKNOWN
    cancel_whole(s, order_idx, Code.CANCELLED_BY_USER)
    return Code.OK


@cold_kernel
def mass_cancel(s, cmd):
    """Cancel an account's orders: all, or of one contract, or of one side (`state` is side + 1).

    With `order_id`, behind that order: where the reply to the last such command says to go on.
    """
    meta = s.meta[0]
    if cmd["account_idx"] < 0 or cmd["account_idx"] >= meta["accounts_count"]:
        return Code.ACCOUNT_UNKNOWN
    if cmd["contract_idx"] < -1 or cmd["contract_idx"] >= meta["contracts_count"]:
        return Code.CONTRACT_UNKNOWN
    if cmd["state"] < 0 or cmd["state"] > 2:
        return Code.SIDE_INVALID
    reply = emit(s, EventKind.MASS_CANCELLED, cmd["account_idx"], cmd["contract_idx"])
    account_idx, contract_idx = np.int64(cmd["account_idx"]), np.int64(cmd["contract_idx"])
    count, more, behind_id = cancel_orders(
        s, account_idx, contract_idx, np.int64(cmd["state"]), np.int64(cmd["order_id"]),
        Code.CANCELLED_BY_MASS_CANCEL,
    )  # fmt: skip
    say_cancelled(s, reply, account_idx, count, more, behind_id)
    return Code.OK
