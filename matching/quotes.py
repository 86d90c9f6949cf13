"""Two-sided quotes: one command replaces both sides of an account's quote of a contract.

First what stands is settled: a side at the same price and not larger keeps its place, any other
is cancelled. Then the new sides are judged and matched like orders, the buy side first; a side
that is refused is gone, and the other one goes on.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.admit import Order, admit
from matching.book import key_of
from matching.client_ids import has_client_id
from matching.codes import (
    COMBINED,
    QUOTE_GROUP_SHIFT,
    AccountState,
    Code,
    EventKind,
    Flag,
    OrderType,
    Stp,
    Tif,
)
from matching.emit import emit, emit_cancelled, emit_order
from matching.legs import add_leg_positions
from matching.lots import change_lots
from matching.match import emit_drops, execute_apart
from matching.mmp import end_hit_groups, mmp_place, quote_of
from matching.pool import add_position, find_position, free_order_slot, take_order_slot
from matching.quote_fills import note_quote_fill
from matching.rest import new_order_id, rest
from matching.trade import cancel_lots, drop_order
from matching.words import high_half, low_half

NONE = np.int64(0)


@kernel
def of_side(word, side):
    """Return the half of a quote's word that is about one side."""
    return high_half(word) if side == 1 else low_half(word)


@kernel
def quote_flags(cmd, contract):
    """Return the flags that an order of a quote has."""
    combined = COMBINED if contract["legs_count"] != 0 else 0
    group = np.int64(cmd["state"]) << QUOTE_GROUP_SHIFT
    return Flag.QUOTE | np.int64(cmd["flags"]) | group | combined


@kernel
def check_side(s, cmd, contract, side):
    """Refuse a side that no state of the market could accept."""
    lots = of_side(cmd["qty_lots"], side)
    if lots < 0:
        return Code.QTY_NOT_POSITIVE
    if lots > contract["qty_max_lots"]:
        return Code.QTY_TOO_LARGE
    price_ticks = of_side(cmd["price_ticks"], side)
    if lots > 0 and (price_ticks < 1 or price_ticks > s.meta[0]["price_top"]):
        return Code.PRICE_INVALID
    return Code.OK


@kernel
def crossed(cmd):
    """Return whether a quote would buy at or above what it sells at."""
    both = low_half(cmd["qty_lots"]) > 0 and high_half(cmd["qty_lots"]) > 0
    return both and low_half(cmd["price_ticks"]) >= high_half(cmd["price_ticks"])


@cold_kernel
def check_quote_words(s, cmd, contract):
    """Refuse what no state of the market could accept."""
    if mmp_place(cmd) < 0:
        return Code.QUOTE_GROUP_INVALID
    if cmd["order_type"] != OrderType.LIMIT:
        return Code.ORDER_TYPE_INVALID
    if cmd["tif"] != Tif.GTC:
        return Code.TIF_INVALID
    if cmd["stp"] < Stp.NONE or cmd["stp"] > Stp.DECREMENT:
        return Code.STP_INVALID
    other_words = cmd["amount_usd_micros"] | cmd["ref_id"] | cmd["order_id"] | has_client_id(cmd)
    if (cmd["flags"] & ~Flag.POST_ONLY) != 0 or other_words != 0:
        return Code.FLAGS_INVALID
    if cmd["expires_ns"] != 0:
        return Code.EXPIRY_INVALID
    for side in range(2):
        code = check_side(s, cmd, contract, np.int64(side))
        if code != Code.OK:
            return code
    return Code.QUOTE_CROSSED if crossed(cmd) else Code.OK


@cold_kernel
def quote(s, cmd):
    """Replace an account's quote of a contract.

    Returns: Code.OK, or why the whole of it is refused; nothing is written then
    """
    meta = s.meta[0]
    if cmd["account_idx"] < 0 or cmd["account_idx"] >= meta["accounts_count"]:
        return Code.ACCOUNT_UNKNOWN
    withdraws = cmd["qty_lots"] == 0
    if not withdraws and s.accounts[cmd["account_idx"]]["state"] == AccountState.FROZEN:
        return Code.ACCOUNT_FROZEN
    if cmd["contract_idx"] < 0 or cmd["contract_idx"] >= meta["contracts_count"]:
        return Code.CONTRACT_UNKNOWN
    code = check_quote_words(s, cmd, s.contracts[cmd["contract_idx"]])
    if code != Code.OK:
        return code
    if not withdraws and s.mmps[mmp_place(cmd)]["frozen"] != 0:
        return Code.MMP_FROZEN
    # From here the command must succeed, whatever becomes of its sides.
    reply = emit(s, EventKind.QUOTED, cmd["account_idx"], cmd["contract_idx"])
    s.events[reply]["side"] = cmd["state"]
    replace_sides(s, cmd, reply)
    return Code.OK


@cold_kernel
def replace_sides(s, cmd, reply):
    """Settle what stands, then enter what is new.

    A slot that is spent by one side is freed at the end: its id must not come twice.
    """
    position_idx = find_position(s, np.int64(cmd["account_idx"]), np.int64(cmd["contract_idx"]))
    kept = NONE
    for side in range(2):
        kept |= settle_side(s, cmd, position_idx, np.int64(side), reply) << side
    spent_idx = NONE
    for side in range(2):
        if (kept >> side) & 1 == 0 and of_side(cmd["qty_lots"], np.int64(side)) > 0:
            ended_idx = enter_side(s, cmd, np.int64(side))
            if spent_idx != 0 and ended_idx != 0:
                free_order_slot(s, spent_idx)
            if ended_idx != 0:
                spent_idx = ended_idx
    if spent_idx != 0:
        free_order_slot(s, spent_idx)


@cold_kernel
def settle_side(s, cmd, position_idx, side, reply):
    """Keep what stands of a side where it is, or cancel it; return 1 if it stays.

    The reply names what stays: `order_id` the buy side, `maker_order_id` the sell side.
    """
    if position_idx == 0:
        return NONE
    order_idx = quote_of(s, position_idx, side)
    if order_idx == 0:
        return NONE
    record = s.orders[order_idx]
    lots = of_side(cmd["qty_lots"], side)
    if lots == 0:
        drop_order(s, order_idx, Code.QUOTE_WITHDRAWN)
        return NONE
    same_price = record["key"] == key_of(s, side, of_side(cmd["price_ticks"], side))
    flags = quote_flags(cmd, s.contracts[cmd["contract_idx"]])
    same_words = record["flags"] == flags and record["stp"] == cmd["stp"]
    if same_price and same_words and lots <= record["leaves_lots"]:
        if lots < record["leaves_lots"]:
            cancel_lots(s, order_idx, record["leaves_lots"] - lots, Code.QUOTE_REPLACED)
        if side == 1:
            s.events[reply]["maker_order_id"] = record["order_id"]
        else:
            s.events[reply]["order_id"] = record["order_id"]
        return np.int64(1)
    drop_order(s, order_idx, Code.QUOTE_REPLACED)
    return NONE


@kernel
def quote_order(s, cmd, side):
    """Return one side of a quote as an order."""
    account_idx, contract_idx = np.int64(cmd["account_idx"]), np.int64(cmd["contract_idx"])
    contract = s.contracts[contract_idx]
    return Order(
        account_idx=account_idx,
        contract_idx=contract_idx,
        position_idx=find_position(s, account_idx, contract_idx),
        book_idx=2 * contract_idx + side,
        key=key_of(s, side, of_side(cmd["price_ticks"], side)),
        qty_lots=of_side(cmd["qty_lots"], side),
        tick_value=np.int64(contract["tick_value_usd_micros"]),
        order_type=np.int64(OrderType.LIMIT),
        tif=np.int64(Tif.GTC),
        stp=np.int64(cmd["stp"]),
        flags=np.int64(quote_flags(cmd, contract)),
        display_lots=NONE,
        min_lots=NONE,
        held_lots=NONE,
        held_loss_usd_micros=NONE,
        client=NONE,
        by_legs=np.int64(contract["legs_count"] != 0),
    )


@cold_kernel
def enter_side(s, cmd, side):
    """Judge one side like an order, match it, rest what is left.

    Returns: the slot that it spent and that is to be freed, 0 for none
    """
    order = quote_order(s, cmd, side)
    price_ticks = of_side(cmd["price_ticks"], side)
    code, lots = Code.MMP_FROZEN, order.qty_lots
    if s.mmps[mmp_place(cmd)]["frozen"] == 0:
        code, lots = admit(s, order, True)
    if code != Code.OK:
        emit_order(
            s, EventKind.QUOTE_REFUSED, code, order.account_idx, order.book_idx, NONE, price_ticks,
            order.qty_lots, NONE,
        )  # fmt: skip
        return NONE
    order_idx = take_order_slot(s)
    order_id = new_order_id(s, order_idx)
    position_idx = order.position_idx
    if position_idx == 0:
        position_idx = add_position(s, order.account_idx, order.contract_idx)
        add_leg_positions(s, order.account_idx, order.contract_idx)
    reply = s.meta[0]["events_count"]
    emit_order(
        s, EventKind.ACCEPTED, Code.OK, order.account_idx, order.book_idx, order_id, price_ticks,
        lots, NONE,
    )  # fmt: skip
    leaves_lots, traded_lots, lost_lots, dropped_lots, stopped = execute_apart(
        s, order, order_id, position_idx, lots
    )
    gone_lots = NONE
    if s.mmps[mmp_place(cmd)]["frozen"] != 0 and leaves_lots > 0:
        # A leg of an implied trade was of this very group: its quotes are gone by now.
        gone_lots, leaves_lots = leaves_lots, NONE
        change_lots(
            s, order.account_idx, position_idx, order.book_idx, order.key, -gone_lots, NONE, NONE
        )
    if leaves_lots > 0:
        s.events[reply]["leaves_lots"] = leaves_lots
        rest(s, cmd, order, order_idx, order_id, position_idx, NONE, leaves_lots, traded_lots)
        name_quote(s, position_idx, side, order_idx)
    if (lost_lots | dropped_lots) != 0:
        emit_drops(s, order, order_id, leaves_lots, NONE, lost_lots, dropped_lots, stopped)
    if gone_lots > 0:
        emit_cancelled(
            s, Code.MMP_TRIGGERED, order.account_idx, order.book_idx, order_id, price_ticks,
            gone_lots, NONE,
        )  # fmt: skip
    if traded_lots > 0:
        note_quote_fill(s, order.account_idx, order.flags, side, traded_lots)
    end_hit_groups(s)
    return order_idx if leaves_lots == 0 else NONE


@kernel
def name_quote(s, position_idx, side, order_idx):
    """Remember which order is the side of an account's quote."""
    if side == 1:
        s.positions[position_idx]["quote_sell_idx"] = order_idx
    else:
        s.positions[position_idx]["quote_buy_idx"] = order_idx
