"""A block is agreed to: both sides are judged, then both are booked, beside the book.

A block moves positions, money and open interest. It moves neither the last price nor the day's
range, meets no resting order and wakes no stop.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.admit import check_bounds, is_close_only, why_halted
from matching.book import key_of
from matching.codes import AccountState, Code, DealKind, EventKind, TradingState
from matching.days import check_block
from matching.deals import close_deal, find_deal
from matching.emit import emit
from matching.legs import legs_lots_if_all_fill
from matching.limited import OF_LEGS
from matching.lots import change_lots
from matching.pool import add_position, find_position
from matching.risk import reduces, shortfall, shortfall_after_trade, take_bound


@cold_kernel
def check_open(s, contract_idx):
    """Refuse to deal while the exchange is halted, and in a contract that does not trade."""
    if s.meta[0]["halted"] != 0:
        return Code.EXCHANGE_HALTED
    state = s.contracts[contract_idx]["state"]
    if state == TradingState.PRE_OPEN:
        return Code.CONTRACT_NOT_OPEN
    if state == TradingState.HALT:
        return why_halted(s, contract_idx, np.int64(Code.CONTRACT_HALTED))
    return Code.CONTRACT_EXPIRED if state == TradingState.EXPIRED else Code.OK


@cold_kernel
def check_block_now(s, contract_idx, price_ticks, qty_lots):
    """Refuse what the contract does not take as a block at this moment."""
    code = check_open(s, contract_idx)
    if code != Code.OK:
        return code
    return check_block(s, contract_idx, price_ticks, qty_lots)


@cold_kernel
def accept(s, cmd):
    """Agree to a proposal: both sides are judged as they stand now, then both are booked."""
    if cmd["account_idx"] < 0 or cmd["account_idx"] >= s.meta[0]["accounts_count"]:
        return Code.ACCOUNT_UNKNOWN
    if s.accounts[cmd["account_idx"]]["state"] == AccountState.FROZEN:
        return Code.ACCOUNT_FROZEN
    deal_idx = find_deal(s, cmd["order_id"])
    if deal_idx == 0 or s.deals[deal_idx]["counterparty_idx"] != cmd["account_idx"]:
        return Code.DEAL_UNKNOWN
    deal = s.deals[deal_idx]
    s.meta[0]["named_order_id"] = deal["deal_id"]
    if deal["expires_ns"] <= s.meta[0]["now_ns"]:
        return Code.DEAL_EXPIRED
    contract_idx, lots = np.int64(deal["contract_idx"]), np.int64(deal["qty_lots"])
    price_ticks = np.int64(deal["price_ticks"])
    code = check_block_now(s, contract_idx, price_ticks, lots)
    if code != Code.OK:
        return code
    return trade_block(s, deal_idx, contract_idx, price_ticks, lots)


@cold_kernel
def trade_block(s, deal_idx, contract_idx, price_ticks, lots):
    """Judge both sides of a block, then book both.

    Returns: Code.OK, or why it is refused; nothing is written then
    """
    deal, meta = s.deals[deal_idx], s.meta[0]
    taker_idx, maker_idx = np.int64(deal["counterparty_idx"]), np.int64(deal["account_idx"])
    maker_book, taker_book = 2 * contract_idx + deal["side"], 2 * contract_idx + 1 - deal["side"]
    taker_position = find_position(s, taker_idx, contract_idx)
    maker_position = find_position(s, maker_idx, contract_idx)
    new_positions = np.int64(taker_position == 0) + np.int64(maker_position == 0)
    if meta["positions_count"] + new_positions > meta["positions_max"] - 1:
        return Code.POSITIONS_FULL
    code, taker_bound = judge_side(s, taker_idx, taker_position, taker_book, price_ticks, lots)
    if code != Code.OK:
        return code
    code, maker_bound = judge_side(s, maker_idx, maker_position, maker_book, price_ticks, lots)
    if code != Code.OK:
        return initiators(code)
    # From here the block must succeed.
    kind = EventKind.BLOCK_TRADE if deal["kind"] == DealKind.BLOCK else EventKind.EFP_TRADE
    event = s.events[emit(s, kind, taker_idx, contract_idx)]
    event["side"] = taker_book & 1
    event["order_id"] = deal["deal_id"]
    event["maker_order_id"] = deal["deal_id"]
    event["maker_account_idx"] = maker_idx
    event["price_ticks"] = price_ticks
    event["qty_lots"] = lots
    book_side(s, taker_idx, taker_position, taker_book, price_ticks, lots, taker_bound)
    book_side(s, maker_idx, maker_position, maker_book, price_ticks, lots, maker_bound)
    close_deal(s, deal_idx)
    return Code.OK


@kernel
def initiators(code):
    """Return the code that says that it is the other side, the initiator's, that is at fault."""
    if code == Code.GROSS_LIMIT or code == Code.ACCOUNT_MONEY_LIMIT or code == Code.POSITION_LIMIT:
        return Code.INITIATOR_LIMIT
    if code == Code.MARGIN_INSUFFICIENT:
        return Code.INITIATOR_MARGIN_INSUFFICIENT
    return Code.INITIATOR_NOT_ALLOWED


@kernel
def gain_of(s, book_idx, price_ticks, lots):
    """Return what a side gains at once against the mark, ticks x lots."""
    key = key_of(s, book_idx & 1, price_ticks)
    return lots * (key - s.books[book_idx]["mark_key"])


@cold_kernel
def position_allowed(s, account_idx, position_idx, book_idx, lots):
    """Return whether the account's own limit of a position holds, if all on this side fills."""
    side, position = book_idx & 1, s.positions[position_idx]
    most_lots = s.limits[account_idx]["position_max_lots"]
    if (s.accounts[account_idx]["limited"] & OF_LEGS) != 0:
        filled_lots = legs_lots_if_all_fill(s, account_idx, book_idx >> 1, side)
    else:
        resting_lots = position["sell_lots"] if side == 1 else position["buy_lots"]
        filled_lots = np.int64(position["qty_lots"]) * (1 - 2 * side) + resting_lots
    return most_lots == 0 or filled_lots + lots <= most_lots


@cold_kernel
def judge_side(s, account_idx, position_idx, book_idx, price_ticks, lots):
    """Judge one side of a block as if it were booked.

    Returns: code, and the exact requirement after it, usd micros
    """
    contract_idx = book_idx >> 1
    account, contract = s.accounts[account_idx], s.contracts[contract_idx]
    none = np.int64(0)
    if account["state"] == AccountState.FROZEN:
        return np.int64(Code.ACCOUNT_FROZEN), none
    only_reduces = reduces(s, position_idx, book_idx, lots, none)
    if is_close_only(s, contract_idx) and not only_reduces:
        return np.int64(Code.CONTRACT_CLOSE_ONLY), none
    if account["state"] == AccountState.REDUCE_ONLY and not only_reduces:
        return np.int64(Code.ACCOUNT_REDUCE_ONLY), none
    tick_value = np.int64(contract["tick_value_usd_micros"])
    code = check_bounds(s, account_idx, position_idx, lots, tick_value)
    if code != Code.OK:
        return np.int64(code), none
    allowed = position_allowed(s, account_idx, position_idx, book_idx, lots)
    if account["limited"] != 0 and not allowed:
        return np.int64(Code.POSITION_LIMIT), none
    after_usd_micros = shortfall_after_trade(s, account_idx, book_idx, lots)
    gain_usd_micros = gain_of(s, book_idx, price_ticks, lots) * tick_value
    equity_usd_micros = (
        account["cash_usd_micros"] + account["unsettled_usd_micros"] - account["claims_usd_micros"]
    )
    if equity_usd_micros + gain_usd_micros < after_usd_micros:
        # A block that only reduces may leave what is free as low as it was, and no lower.
        before_usd_micros = shortfall(s, account_idx, none, none)
        if not only_reduces or gain_usd_micros - after_usd_micros < -before_usd_micros:
            return np.int64(Code.MARGIN_INSUFFICIENT), none
    return np.int64(Code.OK), after_usd_micros


@cold_kernel
def book_side(s, account_idx, position_idx, book_idx, price_ticks, lots, bound_usd_micros):
    """Book one side of a block that was judged."""
    if position_idx == 0:
        position_idx = add_position(s, account_idx, book_idx >> 1)
    gain_ticks = gain_of(s, book_idx, price_ticks, lots)
    key, none = key_of(s, book_idx & 1, price_ticks), np.int64(0)
    change_lots(s, account_idx, position_idx, book_idx, key, none, lots, gain_ticks)
    take_bound(s, account_idx, bound_usd_micros)
