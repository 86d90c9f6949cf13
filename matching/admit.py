"""Whether an order may go on: the checks of PLACE and AMEND, in the order of the rules.

Each check is one line and one code; the order of the checks is part of the contract. Nothing is
written here, but what an accepted order changes at once: the cached margin bound, by the very last
check, and the count of a limited account's orders.
"""

from typing import NamedTuple

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import (
    COMBINED,
    MARKET_ORDER,
    PLACE_FLAGS,
    TIE_FLAGS,
    AccountState,
    Code,
    Flag,
    OrderType,
    Peg,
    Side,
    Stp,
    Tif,
    TradingState,
)
from matching.implied_prices import meets_implied
from matching.legs import check_legs_trade, legs_have_room, positions_wanted
from matching.limited import OWN_LIMITS, check_own_limits, count_order
from matching.limits import MONEY_USD_MICROS_MAX, PEGS_MAX, POSITION_LOTS_MAX
from matching.match import crosses
from matching.pool import order_slots_left
from matching.risk import check_margin, only_reduces
from matching.words import high_half, low_half


class Order(NamedTuple):
    """What is asked for, by a new order or an amended one."""

    account_idx: int
    contract_idx: int
    position_idx: int  # 0: the account has never had an order here
    book_idx: int
    key: int
    qty_lots: int  # as asked, before a reduce-only order is clipped
    tick_value: int
    order_type: int
    tif: int
    stp: int
    flags: int
    display_lots: int  # what shows at a time, 0 for all
    min_lots: int  # what must trade at once, 0 for any
    held_lots: int  # an amended order's own lots, which come off first
    held_loss_usd_micros: int
    client: int  # 0: no client order id to keep
    by_legs: int  # 1: of a combination, and what it reduces are the positions of its legs


@kernel
def check_words(s, cmd, contract):
    """Refuse what no state of the market could accept."""
    if cmd["side"] != Side.BUY and cmd["side"] != Side.SELL:
        return Code.SIDE_INVALID
    if not known_type(cmd["order_type"]):
        return Code.ORDER_TYPE_INVALID
    if cmd["tif"] < Tif.GTC or cmd["tif"] > Tif.DAY:
        return Code.TIF_INVALID
    if cmd["stp"] < Stp.NONE or cmd["stp"] > Stp.DECREMENT:
        return Code.STP_INVALID
    if (cmd["flags"] & ~(PLACE_FLAGS | TIE_FLAGS)) != 0:
        return Code.FLAGS_INVALID
    if cmd["qty_lots"] <= 0:
        return Code.QTY_NOT_POSITIVE
    if cmd["qty_lots"] > contract["qty_max_lots"]:
        return Code.QTY_TOO_LARGE
    if cmd["order_type"] == OrderType.LIMIT:
        if cmd["price_ticks"] < 1 or cmd["price_ticks"] > s.meta[0]["price_top"]:
            return Code.PRICE_INVALID
    elif cmd["price_ticks"] != 0:
        return Code.PRICE_INVALID
    immediate = cmd["tif"] == Tif.IOC or cmd["tif"] == Tif.FOK
    waits = cmd["tif"] == Tif.GFA and contract["state"] == TradingState.AUCTION
    if cmd["order_type"] == OrderType.MARKET and not immediate and not waits:
        return Code.MARKET_ORDER_RESTS
    priced = cmd["order_type"] == OrderType.LIMIT or cmd["order_type"] == OrderType.PEGGED
    takes = immediate or not priced
    if (cmd["flags"] & Flag.POST_ONLY) != 0 and takes:
        return Code.POST_ONLY_NOT_RESTING
    if not sound_expiry(s, cmd):
        return Code.EXPIRY_INVALID
    if (cmd["amount_usd_micros"] | cmd["ref_id"]) != 0:
        code = check_more_words(cmd, immediate)
        if code != Code.OK:
            return code
    if cmd["order_type"] == OrderType.PEGGED:
        return check_peg_words(s, cmd, immediate)
    return Code.OK


@kernel
def known_type(order_type):
    """Return whether this is a type of order."""
    plain = order_type == OrderType.LIMIT or order_type == OrderType.MARKET
    return plain or order_type == OrderType.MARKET_TO_LIMIT or order_type == OrderType.PEGGED


@kernel
def sound_expiry(s, cmd):
    """Return whether an order good till a date has one to come, and any other has none."""
    if cmd["tif"] == Tif.GTD:
        return cmd["expires_ns"] > s.meta[0]["now_ns"]
    return cmd["expires_ns"] == 0


@cold_kernel
def check_more_words(cmd, immediate):
    """Refuse a display or a minimum quantity that makes no sense."""
    display_lots = high_half(cmd["amount_usd_micros"])
    if display_lots < 0 or display_lots > cmd["qty_lots"]:
        return Code.DISPLAY_INVALID
    if display_lots != 0 and (immediate or (cmd["flags"] & Flag.REDUCE_ONLY) != 0):
        return Code.DISPLAY_INVALID
    min_lots = high_half(cmd["ref_id"])
    if min_lots < 0 or min_lots > cmd["qty_lots"]:
        return Code.MIN_QUANTITY_INVALID
    if min_lots != 0 and (cmd["flags"] & Flag.POST_ONLY) != 0:
        return Code.MIN_QUANTITY_INVALID
    return Code.OK


@cold_kernel
def check_peg_words(s, cmd, immediate):
    """Refuse a pegged order that says nothing to follow, or that would not rest."""
    if cmd["state"] < Peg.BID or cmd["state"] > Peg.MID:
        return Code.PEG_INVALID
    if abs(low_half(cmd["ref_id"])) > s.meta[0]["price_top"]:
        return Code.OFFSET_INVALID
    if immediate:
        return Code.PEG_NOT_RESTING
    if high_half(cmd["ref_id"]) != 0:
        return Code.MIN_QUANTITY_INVALID
    return Code.OK


@cold_kernel
def check_trading_state(state, tif, trades_now):
    """Refuse what this state of the contract does not take."""
    if state == TradingState.PRE_OPEN:
        return Code.CONTRACT_NOT_OPEN
    if state == TradingState.HALT:
        return Code.CONTRACT_HALTED
    if state == TradingState.EXPIRED:
        return Code.CONTRACT_EXPIRED
    in_auction = state == TradingState.AUCTION
    if in_auction and (trades_now or tif == Tif.IOC or tif == Tif.FOK or tif == Tif.GFN):
        return Code.TIF_NOT_ALLOWED
    if not in_auction and tif == Tif.GFA:
        return Code.TIF_NOT_ALLOWED
    return Code.OK


@kernel
def why_halted(s, contract_idx, code):
    """Return why a contract takes no orders: of one that is halted, whether for good."""
    if code == Code.CONTRACT_HALTED and s.contracts[contract_idx]["ended"] != 0:
        return np.int64(Code.TRADING_ENDED)
    return code


@kernel
def is_close_only(s, contract_idx):
    """Return whether a contract only takes what reduces a position, now or behind its call."""
    state = s.contracts[contract_idx]["state"]
    if state == TradingState.AUCTION:
        return s.calls[contract_idx]["after"] == TradingState.CLOSE_ONLY
    return state == TradingState.CLOSE_ONLY


@kernel
def check_market(s, order):
    """Refuse what exchange, contract, account and book do not take now."""
    if s.meta[0]["halted"] != 0:
        return Code.EXCHANGE_HALTED
    state = s.contracts[order.contract_idx]["state"]
    account_state = s.accounts[order.account_idx]["state"]
    if state != TradingState.CONTINUOUS or order.tif == Tif.GFA:
        trades_now = order.order_type >= OrderType.MARKET_TO_LIMIT or order.min_lots > 0
        code = check_trading_state(np.int64(state), order.tif, trades_now)
        if code != Code.OK:
            return why_halted(s, order.contract_idx, np.int64(code))
    if (order.flags & COMBINED) != 0:
        code = check_legs_trade(s, order.contract_idx)
        if code != Code.OK:
            return code
    close_only = is_close_only(s, order.contract_idx)
    if close_only or account_state == AccountState.REDUCE_ONLY:
        lots, held_lots = order.qty_lots, order.held_lots
        if not only_reduces(
            s, order.account_idx, order.position_idx, order.book_idx, lots, held_lots, order.by_legs
        ):
            if close_only:
                return Code.CONTRACT_CLOSE_ONLY
            return Code.ACCOUNT_REDUCE_ONLY
    limited = (order.flags & MARKET_ORDER) == 0
    if order.key < s.books[order.book_idx]["band_key"] and limited:
        return no_price(order)
    if (order.flags & Flag.POST_ONLY) != 0 and would_trade(s, order):
        return Code.POST_ONLY_WOULD_TRADE
    return Code.OK


@kernel
def would_trade(s, order):
    """Return whether an order would meet another, or trade at an implied price."""
    implied = s.contracts[order.contract_idx]["implied"] != 0
    return crosses(s, order) or (implied and meets_implied(s, order))


@cold_kernel
def no_price(order):
    """Return why an order may not have the limit it has, or has none."""
    if order.key >= 0:
        return Code.PRICE_OUT_OF_BAND
    if order.order_type == OrderType.PEGGED:
        return Code.NO_REFERENCE_PRICE
    return Code.NO_OPPOSITE_PRICE


@kernel
def clipped_lots(s, order):
    """Return the lots a reduce-only order may have, 0 for none; any other has all."""
    if (order.flags & Flag.REDUCE_ONLY) == 0:
        return order.qty_lots
    side = order.book_idx & 1
    opposite_lots = np.int64(s.positions[order.position_idx]["qty_lots"]) * (2 * side - 1)
    return max(np.int64(0), min(order.qty_lots, opposite_lots))


@kernel
def check_slots(s, order):
    """Refuse a new order for which there is no room."""
    meta = s.meta[0]
    if not order_slots_left(s):
        return Code.BOOK_FULL
    full = s.contracts[order.contract_idx]["pegs"] >= PEGS_MAX
    if full and order.order_type == OrderType.PEGGED:
        return Code.PEGS_FULL
    if order.client != 0 and meta["client_ids_open"] >= meta["client_ids_max"] - 1:
        return Code.BOOK_FULL
    if order.position_idx == 0:
        wanted = positions_wanted(s, order.account_idx, order.contract_idx)
        if meta["positions_count"] + wanted > meta["positions_max"] - 1:
            return Code.POSITIONS_FULL
    return Code.OK


@kernel
def check_limits(s, order, lots):
    """Refuse what would take the account beyond the bounds that int64 was proved for."""
    more_lots = lots - order.held_lots
    if (order.flags & COMBINED) != 0 and not legs_have_room(s, order, more_lots):
        return Code.GROSS_LIMIT
    gross_tick_value = np.int64(s.books[order.book_idx]["gross_tick_value"])
    return check_bounds(s, order.account_idx, order.position_idx, more_lots, gross_tick_value)


@kernel
def check_bounds(s, account_idx, position_idx, more_lots, tick_value):
    """Refuse more lots, of an order or a block, than an account may have."""
    account = s.accounts[account_idx]
    position = s.positions[position_idx]
    if account["gross_tick_value"] + more_lots * tick_value > s.meta[0]["gross_max"]:
        return Code.GROSS_LIMIT
    resting_lots = position["buy_lots"] + position["sell_lots"]
    if abs(position["qty_lots"]) + resting_lots + more_lots > POSITION_LOTS_MAX:
        return Code.GROSS_LIMIT
    if abs(account["cash_usd_micros"]) > MONEY_USD_MICROS_MAX:
        return Code.ACCOUNT_MONEY_LIMIT
    if abs(account["unsettled_usd_micros"]) > MONEY_USD_MICROS_MAX:
        return Code.ACCOUNT_MONEY_LIMIT
    return Code.OK


@kernel
def admit(s, order, is_new):
    """Judge an order whose words are sound.

    Returns: code, and the lots it may have
    """
    code = check_market(s, order)
    if code != Code.OK:
        return code, order.qty_lots
    lots = clipped_lots(s, order)
    if lots == 0:
        return Code.REDUCE_ONLY_WOULD_INCREASE, lots
    if is_new:
        code = check_slots(s, order)
        if code != Code.OK:
            return code, lots
    limited = (s.accounts[order.account_idx]["limited"] & OWN_LIMITS) != 0
    if limited:
        code = check_own_limits(s, order, lots, is_new)
        if code != Code.OK:
            return code, lots
    code = check_limits(s, order, lots)
    if code != Code.OK:
        return code, lots
    code = check_margin(s, order, lots)
    if limited and code == Code.OK:
        count_order(s, order.account_idx)
    return code, lots
