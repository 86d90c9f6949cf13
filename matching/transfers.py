"""What the clearing house moves between two accounts: lots at a price, and money.

Both sides of a move are booked at once, so contracts and money keep their sums. A move meets no
order and says nothing of a price. The account that gives only ever closes what it holds.
"""

import numpy as np

from matching._jit import cold_kernel
from matching.accounts import account_known
from matching.admit import check_bounds
from matching.blocks import book_side, gain_of, initiators, judge_side
from matching.codes import Code, EventKind, MoveReason, Side, TradingState
from matching.emit import emit
from matching.limits import LAYERS_MAX, MONEY_USD_MICROS_MAX, QTY_LOTS_MAX, TRANSFER_USD_MICROS_MAX
from matching.pool import find_position
from matching.risk import shortfall_after_trade


@cold_kernel
def check_parties(s, cmd):
    """Refuse a move that does not name two accounts."""
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    if cmd["ref_id"] < 0 or cmd["ref_id"] >= s.meta[0]["accounts_count"]:
        return Code.COUNTERPARTY_UNKNOWN
    if cmd["ref_id"] == cmd["account_idx"]:
        return Code.COUNTERPARTY_IS_SELF
    return Code.OK


@cold_kernel
def check_move_words(s, cmd):
    """Refuse what no state of the accounts could accept."""
    code = check_parties(s, cmd)
    if code != Code.OK:
        return code
    if cmd["contract_idx"] < 0 or cmd["contract_idx"] >= s.meta[0]["contracts_count"]:
        return Code.CONTRACT_UNKNOWN
    contract = s.contracts[cmd["contract_idx"]]
    if contract["legs_count"] != 0:
        return Code.COMBINATION_FOLLOWS_LEGS
    if contract["state"] == TradingState.EXPIRED:
        return Code.CONTRACT_EXPIRED
    if cmd["state"] < MoveReason.PORTING or cmd["state"] > MoveReason.EFD:
        return Code.MOVE_REASON_INVALID
    if cmd["side"] != Side.BUY and cmd["side"] != Side.SELL:
        return Code.SIDE_INVALID
    if cmd["qty_lots"] <= 0:
        return Code.QTY_NOT_POSITIVE
    if cmd["qty_lots"] > QTY_LOTS_MAX:
        return Code.QTY_TOO_LARGE
    if cmd["price_ticks"] < 1 or cmd["price_ticks"] > s.meta[0]["price_top"]:
        return Code.PRICE_INVALID
    return Code.OK


@cold_kernel
def closes(s, position_idx, side, lots):
    """Return whether lots on a side close no more than is held."""
    return position_idx != 0 and lots <= s.positions[position_idx]["qty_lots"] * (2 * side - 1)


@cold_kernel
def money_within(s, account_idx):
    """Return whether an account's money is small enough to book another move."""
    account = s.accounts[account_idx]
    cash, unsettled = account["cash_usd_micros"], account["unsettled_usd_micros"]
    return abs(cash) <= MONEY_USD_MICROS_MAX and abs(unsettled) <= MONEY_USD_MICROS_MAX


@cold_kernel
def judge_receiver(s, account_idx, position_idx, book_idx, price_ticks, lots, reason):
    """Judge the account that takes lots, by what the move is for.

    The house takes over whatever it must; nobody is deleveraged beyond what they hold, nor into
    insolvency; everybody else has to have the margin.
    """
    tick_value = np.int64(s.contracts[book_idx >> 1]["tick_value_usd_micros"])
    if reason == MoveReason.TAKE_OVER:
        return np.int64(check_bounds(s, account_idx, position_idx, lots, tick_value))
    if reason != MoveReason.DELEVERAGE:
        return judge_side(s, account_idx, position_idx, book_idx, price_ticks, lots)[0]
    if not closes(s, position_idx, book_idx & 1, lots):
        return np.int64(Code.MOVE_NOT_REDUCING)
    account = s.accounts[account_idx]
    gain_usd_micros = gain_of(s, book_idx, price_ticks, lots) * tick_value
    equity_usd_micros = account["cash_usd_micros"] + account["unsettled_usd_micros"]
    if equity_usd_micros + gain_usd_micros < 0:
        return np.int64(Code.MOVE_MAKES_INSOLVENT)
    return np.int64(Code.OK)


@cold_kernel
def judge_giver(s, account_idx, position_idx, book_idx, price_ticks, lots, reason):
    """Judge the account that gives lots: who does so by choice must not lose what it needs.

    The price of a give-up, or of an exchange for delivery, may be far from the mark, so that giving
    alone could leave a debt.
    """
    if reason != MoveReason.GIVE_UP and reason != MoveReason.EFD:
        return np.int64(Code.OK)
    code = judge_side(s, account_idx, position_idx, book_idx, price_ticks, lots)[0]
    return np.int64(Code.OK) if code == Code.OK else np.int64(initiators(code))


@cold_kernel
def transfer_position(s, cmd):
    """Move lots of a position to another account at a price.

    `side` is what the giver does: it sells a long position, and buys back a short one.
    """
    code = check_move_words(s, cmd)
    if code != Code.OK:
        return code
    giver_idx, receiver_idx = np.int64(cmd["account_idx"]), np.int64(cmd["ref_id"])
    contract_idx, side = np.int64(cmd["contract_idx"]), np.int64(cmd["side"])
    price_ticks, lots = np.int64(cmd["price_ticks"]), np.int64(cmd["qty_lots"])
    giver_position = find_position(s, giver_idx, contract_idx)
    receiver_position = find_position(s, receiver_idx, contract_idx)
    if not closes(s, giver_position, side, lots):
        return Code.MOVE_EXCEEDS_POSITION
    meta = s.meta[0]
    if receiver_position == 0 and meta["positions_count"] + 1 > meta["positions_max"] - 1:
        return Code.POSITIONS_FULL
    if not money_within(s, giver_idx) or not money_within(s, receiver_idx):
        return Code.ACCOUNT_MONEY_LIMIT
    giver_book, receiver_book = 2 * contract_idx + side, 2 * contract_idx + 1 - side
    reason = np.int64(cmd["state"])
    judged = judge_giver(s, giver_idx, giver_position, giver_book, price_ticks, lots, reason)
    if judged != Code.OK:
        return judged
    judged = judge_receiver(
        s, receiver_idx, receiver_position, receiver_book, price_ticks, lots, reason
    )
    if judged != Code.OK:
        return judged
    # From here the move must succeed.
    event = s.events[emit(s, EventKind.POSITION_MOVED, giver_idx, contract_idx)]
    event["side"] = side
    event["code"] = reason
    event["order_id"] = cmd["order_id"]
    event["maker_order_id"] = cmd["order_id"]
    event["maker_account_idx"] = receiver_idx
    event["price_ticks"] = price_ticks
    event["qty_lots"] = lots
    giver_after = shortfall_after_trade(s, giver_idx, giver_book, lots)
    book_side(s, giver_idx, giver_position, giver_book, price_ticks, lots, giver_after)
    after = shortfall_after_trade(s, receiver_idx, receiver_book, lots)
    book_side(s, receiver_idx, receiver_position, receiver_book, price_ticks, lots, after)
    return Code.OK


@cold_kernel
def transfer_cash(s, cmd):
    """Move cash to another account; nobody gives what it does not have."""
    code = check_parties(s, cmd)
    if code != Code.OK:
        return code
    amount_usd_micros = np.int64(cmd["amount_usd_micros"])
    if amount_usd_micros <= 0:
        return Code.AMOUNT_NOT_POSITIVE
    if amount_usd_micros > TRANSFER_USD_MICROS_MAX:
        return Code.AMOUNT_TOO_LARGE
    if cmd["state"] < 0 or cmd["state"] > LAYERS_MAX:
        return Code.MOVE_REASON_INVALID
    giver, receiver = s.accounts[cmd["account_idx"]], s.accounts[cmd["ref_id"]]
    if amount_usd_micros > giver["cash_usd_micros"]:
        return Code.MOVE_EXCEEDS_CASH
    if receiver["cash_usd_micros"] + amount_usd_micros > MONEY_USD_MICROS_MAX:
        return Code.ACCOUNT_MONEY_LIMIT
    giver["cash_usd_micros"] -= amount_usd_micros
    receiver["cash_usd_micros"] += amount_usd_micros
    event = s.events[emit(s, EventKind.CASH_TRANSFERRED, cmd["account_idx"], 0)]
    event["code"] = np.int64(cmd["state"])
    event["order_id"] = cmd["order_id"]
    event["maker_account_idx"] = np.int64(cmd["ref_id"])
    event["amount_usd_micros"] = amount_usd_micros
    return Code.OK
