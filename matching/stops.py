"""Stops as commands: judged of themselves when they come, judged by the market when they enter.

A stop that comes needs room and a trigger that makes sense; margin, band and position are asked
for when it is triggered, as of any order that comes then.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.admit import check_slots, sound_expiry, why_halted
from matching.book import key_of
from matching.client_ids import register
from matching.codes import (
    DETAILED,
    MARKET_ORDER,
    RISES,
    TRAIL_IS_BPS,
    UNTRIGGERED,
    Code,
    EventKind,
    Flag,
    OrderType,
    Side,
    Stp,
    Tif,
    TradingState,
    TriggerBy,
)
from matching.expiry import add_expiry
from matching.lifetimes import wait_for_life
from matching.limits import TRAIL_BPS_MAX
from matching.pool import add_position, own, take_order_slot
from matching.rest import new_order_id
from matching.triggers import price_seen, see_price, trailed_ticks
from matching.waiting import SOURCE_MASK, emit_stop, into_ladder, open_by_id, rises, trail_in
from matching.words import high_half, low_half

STOP_FLAGS = int(Flag.REDUCE_ONLY | Flag.LINKED)
STATE_BITS = SOURCE_MASK | TRAIL_IS_BPS


@kernel
def is_stop(order_type):
    """Return whether an order of this type waits for a price."""
    return order_type >= OrderType.STOP and order_type <= OrderType.TAKE_PROFIT_LIMIT


@kernel
def has_limit(order_type):
    """Return whether a triggered order of this type enters with a limit."""
    return order_type == OrderType.STOP_LIMIT or order_type == OrderType.TAKE_PROFIT_LIMIT


@kernel
def trigger_of(order_type, side, state):
    """Return DETAIL.trigger: a stop gives way to the price, a take-profit waits for it to come."""
    takes_profit = order_type == OrderType.TAKE_PROFIT or order_type == OrderType.TAKE_PROFIT_LIMIT
    trigger = np.int64(state)
    if (side == Side.BUY) != takes_profit:
        trigger |= RISES
    return trigger


@kernel
def sound_stop_tif(tif, limited):
    """Return whether a stop may have a time in force; a market order only waits till it is told."""
    if tif == Tif.GTC or tif == Tif.GTD or tif == Tif.DAY:
        return True
    return limited and tif > Tif.GTC and tif < Tif.DAY and tif != Tif.GFA


@kernel
def check_stop_shape(s, cmd, contract):
    """Refuse a stop that could not enter as any order."""
    limited = has_limit(cmd["order_type"])
    if cmd["side"] != Side.BUY and cmd["side"] != Side.SELL:
        return Code.SIDE_INVALID
    if not sound_stop_tif(cmd["tif"], limited):
        return Code.TIF_INVALID
    if cmd["stp"] < Stp.NONE or cmd["stp"] > Stp.DECREMENT:
        return Code.STP_INVALID
    if (cmd["flags"] & ~STOP_FLAGS) != 0:
        return Code.FLAGS_INVALID
    if cmd["qty_lots"] <= 0:
        return Code.QTY_NOT_POSITIVE
    if cmd["qty_lots"] > contract["qty_max_lots"]:
        return Code.QTY_TOO_LARGE
    if not limited and cmd["price_ticks"] != 0:
        return Code.PRICE_INVALID
    if limited and (cmd["price_ticks"] < 1 or cmd["price_ticks"] > s.meta[0]["price_top"]):
        return Code.PRICE_INVALID
    if not sound_expiry(s, cmd):
        return Code.EXPIRY_INVALID
    return Code.OK


@kernel
def check_trigger(s, cmd):
    """Refuse a trigger that makes no sense: a price, or an offset behind the best price seen."""
    top = s.meta[0]["price_top"]
    state = np.int64(cmd["state"])
    if (state & ~STATE_BITS) != 0 or (state & SOURCE_MASK) > TriggerBy.INDEX:
        return Code.TRIGGER_INVALID
    if (high_half(cmd["amount_usd_micros"]) | high_half(cmd["ref_id"])) != 0:
        return Code.TRIGGER_INVALID
    trigger_ticks, offset = low_half(cmd["amount_usd_micros"]), low_half(cmd["ref_id"])
    if offset == 0:
        if (state & TRAIL_IS_BPS) != 0:
            return Code.TRAIL_INVALID
        if trigger_ticks < 1 or trigger_ticks > top:
            return Code.TRIGGER_INVALID
        return Code.OK
    if trigger_ticks != 0 or has_limit(cmd["order_type"]):
        return Code.TRAIL_INVALID
    return check_offset(s, offset, state)


@kernel
def check_offset(s, offset, state):
    """Refuse a distance that is none, or too far, in ticks or in basis points."""
    offset_top = TRAIL_BPS_MAX if (state & TRAIL_IS_BPS) != 0 else s.meta[0]["price_top"]
    if offset < 1 or offset > offset_top:
        return Code.TRAIL_INVALID
    return Code.OK


@kernel
def order_display(cmd):
    """Return how many lots a new order shows at a time, 0 for all."""
    return high_half(cmd["amount_usd_micros"])


@cold_kernel
def check_link(s, cmd):
    """Refuse a link to what is not open, another account's, elsewhere, or linked already."""
    other_idx = open_by_id(s, np.int64(cmd["order_id"]))
    if other_idx == 0:
        return Code.LINK_INVALID
    other = s.orders[other_idx]
    if other["account_idx"] != cmd["account_idx"]:
        return Code.LINK_INVALID
    if other["book_idx"] >> 1 != cmd["contract_idx"]:
        return Code.LINK_INVALID
    if (other["flags"] & DETAILED) != 0:
        detail = s.details[other_idx]
        if (detail["link_id"] | detail["child_id"] | detail["parent_id"]) != 0:
            return Code.LINK_INVALID
        if detail["display_lots"] != 0:
            return Code.LINK_INVALID
    if (other["flags"] & (MARKET_ORDER | Flag.QUOTE)) != 0 or cmd["order_type"] == OrderType.MARKET:
        return Code.LINK_INVALID
    if order_display(cmd) != 0:
        return Code.LINK_INVALID
    return Code.OK


@cold_kernel
def link(s, order_idx, order_id, other_id):
    """Make two orders legs of a pair; both are there."""
    other_idx = open_by_id(s, other_id)
    s.details[order_idx]["link_id"] = other_id
    s.details[other_idx]["link_id"] = order_id
    s.orders[other_idx]["flags"] |= DETAILED


@kernel
def stops_taken(s, contract_idx):
    """Refuse stops that come, or wait anew, where exchange or contract take none now."""
    if s.meta[0]["halted"] != 0:
        return Code.EXCHANGE_HALTED
    state = s.contracts[contract_idx]["state"]
    if state == TradingState.PRE_OPEN:
        return Code.CONTRACT_NOT_OPEN
    if state == TradingState.HALT:
        return why_halted(s, contract_idx, np.int64(Code.CONTRACT_HALTED))
    if state == TradingState.EXPIRED:
        return Code.CONTRACT_EXPIRED
    return Code.OK


@kernel
def check_stop_room(s, cmd, order):
    """Refuse a stop for which contract, account or pools have no room."""
    code = stops_taken(s, order.contract_idx)
    if code != Code.OK:
        return code
    if low_half(cmd["ref_id"]) != 0:
        source = np.int64(cmd["state"]) & SOURCE_MASK
        if price_seen(s, np.int64(cmd["contract_idx"]), source) == 0:
            return Code.TRIGGER_PRICE_UNKNOWN
    if (cmd["flags"] & Flag.LINKED) != 0:
        code = check_link(s, cmd)
        if code != Code.OK:
            return code
    if s.accounts[cmd["account_idx"]]["stops"] >= s.meta[0]["stops_max"]:
        return Code.STOPS_FULL
    if s.watches[cmd["contract_idx"]]["stops"] >= s.meta[0]["contract_stops_max"]:
        return Code.CONTRACT_STOPS_FULL
    trails = s.watches[cmd["contract_idx"]]["trails"]
    if low_half(cmd["ref_id"]) != 0 and trails >= s.meta[0]["trails_max"]:
        return Code.TRAILS_FULL
    return check_slots(s, order)


@cold_kernel
def hold_stop(s, cmd, order):
    """Take a stop, or say why not; nothing is written then."""
    if s.contracts[order.contract_idx]["legs_count"] != 0:
        return Code.COMBINATION_ORDER_UNUSUAL
    code = check_stop_shape(s, cmd, s.contracts[order.contract_idx])
    if code == Code.OK:
        code = check_trigger(s, cmd)
    if code == Code.OK:
        code = check_stop_room(s, cmd, order)
    if code != Code.OK:
        return code
    # From here the stop must succeed.
    position_idx = order.position_idx
    if position_idx == 0:
        position_idx = add_position(s, order.account_idx, order.contract_idx)
    order_idx = take_order_slot(s)
    order_id = new_order_id(s, order_idx)
    client_idx = np.int64(0)
    if order.client != 0:
        client_idx = register(s, cmd, order_id)
    trigger = trigger_of(cmd["order_type"], order.book_idx & 1, np.int64(cmd["state"]))
    limit_ticks = np.int64(cmd["price_ticks"])
    trigger_ticks = low_half(cmd["amount_usd_micros"])
    record = s.orders[order_idx]
    record["tif"] = order.tif
    record["stp"] = order.stp
    record["flags"] = order.flags
    record["leaves_lots"] = order.qty_lots
    s.details[order_idx]["limit_ticks"] = limit_ticks
    write_stop(
        s, order.account_idx, order.book_idx, order_idx, order_id, position_idx,
        np.int64(cmd["order_type"]), trigger, trigger_ticks,
    )  # fmt: skip
    wait_for_life(s, order_idx, order.tif)
    s.orders[order_idx]["expires_ns"] = cmd["expires_ns"]
    s.orders[order_idx]["client_idx"] = client_idx
    own(s, order_idx, order.account_idx, position_idx)
    if order.tif == Tif.GTD:
        add_expiry(s, np.int64(cmd["expires_ns"]), order_id)
    if (cmd["flags"] & Flag.LINKED) != 0:
        link(s, order_idx, order_id, np.int64(cmd["order_id"]))
    begin_to_wait(s, order_idx, low_half(cmd["ref_id"]))
    return Code.OK


@kernel
def begin_to_wait(s, order_idx, offset):
    """Let a new stop wait; one whose price has come already is triggered at once."""
    contract_idx = np.int64(s.orders[order_idx]["book_idx"]) >> 1
    detail = s.details[order_idx]
    trigger = np.int64(detail["trigger"])
    source = trigger & SOURCE_MASK
    if offset != 0:
        price_ticks = price_seen(s, contract_idx, source)
        detail["offset_ticks"] = offset
        detail["extreme_ticks"] = price_ticks
        s.orders[order_idx]["key"] = key_of(
            s, rises(trigger), trailed_ticks(s, price_ticks, offset, trigger)
        )
        trail_in(s, order_idx)
    emit_stop(s, EventKind.STOP_ACCEPTED, order_idx, s.orders[order_idx]["leaves_lots"])
    into_ladder(s, order_idx)
    see_price(s, contract_idx, source, price_seen(s, contract_idx, source))


@cold_kernel
def write_stop(
    s, account_idx, book_idx, order_idx, order_id, position_idx, order_type, trigger, trigger_ticks,
):  # fmt: skip
    """Write what every new stop has; lots, flags and how long it lives are written already."""
    record, detail = s.orders[order_idx], s.details[order_idx]
    record["filled_lots"] = 0
    record["key"] = key_of(s, rises(trigger), trigger_ticks)
    record["book_idx"] = book_idx
    record["order_id"] = order_id
    record["position_idx"] = position_idx
    record["account_idx"] = account_idx
    record["expires_ns"] = 0
    record["client_idx"] = 0
    record["flags"] |= UNTRIGGERED | DETAILED
    record["next"] = 0
    record["prev"] = 0
    detail["order_type"] = order_type
    detail["trigger"] = trigger
    s.accounts[account_idx]["stops"] += 1
    s.watches[book_idx >> 1]["stops"] += 1
