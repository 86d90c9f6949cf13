"""What comes before a block: a request for quotes, a proposal to one other account, its end."""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.blocks import check_block_now, check_open
from matching.codes import AccountState, Code, DealKind, EventKind, Kind, Side
from matching.contracts import contract_known
from matching.days import check_block_rule, set_block_rule
from matching.deals import (
    check_deal_room,
    emit_deal,
    end_deal,
    find_deal,
    open_deal,
    take_deal_slot,
)
from matching.emit import emit
from matching.limits import (
    DEAL_TTL_NS_MAX,
    ORDERS_MAX,
    QTY_LOTS_MAX,
    REQUEST_WINDOW_NS,
    REQUESTS_PER_WINDOW_MAX,
)


@cold_kernel
def check_dealer(s, cmd):
    """Refuse an account that may not deal, or a contract there is not."""
    if cmd["account_idx"] < 0 or cmd["account_idx"] >= s.meta[0]["accounts_count"]:
        return Code.ACCOUNT_UNKNOWN
    if s.accounts[cmd["account_idx"]]["state"] == AccountState.FROZEN:
        return Code.ACCOUNT_FROZEN
    return Code.OK if contract_known(s, cmd) else Code.CONTRACT_UNKNOWN


@cold_kernel
def check_deal_client_id(s, cmd):
    """Refuse a client id that another open deal of the account has, and name that deal."""
    if (cmd["client_a"] | cmd["client_b"] | cmd["client_c"] | cmd["client_d"]) == 0:
        return Code.OK
    deal_idx = np.int64(s.dealers[cmd["account_idx"]]["deal_head"])
    while deal_idx != 0:
        deal = s.deals[deal_idx]
        if (
            deal["client_a"] == cmd["client_a"]
            and deal["client_b"] == cmd["client_b"]
            and deal["client_c"] == cmd["client_c"]
            and deal["client_d"] == cmd["client_d"]
        ):
            s.meta[0]["named_order_id"] = deal["deal_id"]
            same = same_deal(deal, cmd)
            return Code.CLIENT_ORDER_ID_REPEATED if same else Code.CLIENT_ORDER_ID_CONFLICT
        deal_idx = np.int64(deal["next_own"])
    return Code.OK


@kernel
def same_deal(deal, cmd):
    """Return whether a command asks for what a deal of its client id asked for."""
    same = (
        deal["contract_idx"] == cmd["contract_idx"]
        and deal["qty_lots"] == cmd["qty_lots"]
        and deal["expires_ns"] == cmd["expires_ns"]
    )
    asks = deal["kind"] == DealKind.QUOTES
    if asks != (cmd["kind"] == Kind.REQUEST_QUOTES):
        return False
    if asks:
        return same and cmd["price_ticks"] == 0 and deal["side"] == cmd["state"]
    whom = deal["counterparty_idx"] == cmd["ref_id"] or deal["request_id"] != 0
    return (
        same
        and whom
        and deal["request_id"] == cmd["order_id"]
        and deal["price_ticks"] == cmd["price_ticks"]
        and deal["kind"] == cmd["state"]
        and deal["side"] == cmd["side"]
    )


@cold_kernel
def check_deal_words(s, cmd, price_least, price_most):
    """Refuse a quantity, price or end that no deal may have."""
    if cmd["qty_lots"] <= 0:
        return Code.QTY_NOT_POSITIVE
    if cmd["qty_lots"] > QTY_LOTS_MAX:
        return Code.QTY_TOO_LARGE
    if cmd["price_ticks"] < price_least or cmd["price_ticks"] > price_most:
        return Code.PRICE_INVALID
    now_ns = s.meta[0]["now_ns"]
    if cmd["expires_ns"] <= now_ns or cmd["expires_ns"] - now_ns > DEAL_TTL_NS_MAX:
        return Code.EXPIRY_INVALID
    return Code.OK


@cold_kernel
def counterparty_of(s, cmd):
    """Return whom a proposal is for, below zero and a code if there is nobody."""
    none = np.int64(-1)
    if cmd["order_id"] == 0:
        if cmd["ref_id"] < 0 or cmd["ref_id"] >= s.meta[0]["accounts_count"]:
            return none, np.int64(Code.COUNTERPARTY_UNKNOWN)
        return np.int64(cmd["ref_id"]), np.int64(Code.OK)
    deal_idx = find_deal(s, cmd["order_id"])
    if deal_idx == 0 or s.deals[deal_idx]["kind"] != DealKind.QUOTES:
        return none, np.int64(Code.REQUEST_UNKNOWN)
    request = s.deals[deal_idx]
    if request["expires_ns"] <= s.meta[0]["now_ns"]:
        return none, np.int64(Code.REQUEST_UNKNOWN)
    if (
        request["contract_idx"] != cmd["contract_idx"]
        or request["side"] == cmd["side"] + 1
        or request["qty_lots"] < cmd["qty_lots"]
    ):
        return none, np.int64(Code.REQUEST_MISMATCH)
    return np.int64(request["account_idx"]), np.int64(Code.OK)


@cold_kernel
def check_proposal(s, cmd):
    """Judge a proposal's own words, in the order of the rules; whom it is for comes after."""
    code = check_dealer(s, cmd)
    if code != Code.OK:
        return code
    code = check_deal_client_id(s, cmd)
    if code != Code.OK:
        return code
    if cmd["side"] != Side.BUY and cmd["side"] != Side.SELL:
        return Code.SIDE_INVALID
    if cmd["state"] != DealKind.BLOCK and cmd["state"] != DealKind.EFP:
        return Code.BLOCK_KIND_INVALID
    return check_deal_words(s, cmd, np.int64(1), s.meta[0]["price_top"])


@cold_kernel
def propose(s, cmd):
    """Offer a block to one other account, or in answer to its request for quotes."""
    code = check_proposal(s, cmd)
    if code != Code.OK:
        return code
    counterparty_idx, why = counterparty_of(s, cmd)
    if why != Code.OK:
        return why
    if counterparty_idx == cmd["account_idx"]:
        return Code.COUNTERPARTY_IS_SELF
    contract_idx = np.int64(cmd["contract_idx"])
    code = check_block_now(s, contract_idx, np.int64(cmd["price_ticks"]), np.int64(cmd["qty_lots"]))
    if code != Code.OK:
        return code
    code = check_deal_room(s, cmd["account_idx"])
    if code != Code.OK:
        return code
    deal_idx = enter_deal(s, cmd, counterparty_idx, np.int64(cmd["state"]), np.int64(cmd["side"]))
    s.deals[deal_idx]["request_id"] = cmd["order_id"]
    emit_deal(s, EventKind.PROPOSED, Code.OK, deal_idx)
    return Code.OK


@cold_kernel
def enter_deal(s, cmd, counterparty_idx, kind, side):
    """Write the record of a deal that was judged, open it, and return its slot."""
    deal_idx = take_deal_slot(s)
    deal = s.deals[deal_idx]
    deal["deal_id"] = cmd["seq"] * ORDERS_MAX + deal_idx
    deal["expires_ns"] = cmd["expires_ns"]
    deal["price_ticks"] = cmd["price_ticks"]
    deal["request_id"] = 0
    deal["client_a"] = cmd["client_a"]
    deal["client_b"] = cmd["client_b"]
    deal["client_c"] = cmd["client_c"]
    deal["client_d"] = cmd["client_d"]
    deal["created_ns"] = cmd["ts_ns"]
    deal["qty_lots"] = cmd["qty_lots"]
    deal["account_idx"] = cmd["account_idx"]
    deal["counterparty_idx"] = counterparty_idx
    deal["contract_idx"] = cmd["contract_idx"]
    deal["kind"] = kind
    deal["side"] = side
    open_deal(s, deal_idx)
    return deal_idx


@cold_kernel
def request_quotes(s, cmd):
    """Ask everybody for quotes, without saying who asks."""
    code = check_dealer(s, cmd)
    if code != Code.OK:
        return code
    code = check_deal_client_id(s, cmd)
    if code != Code.OK:
        return code
    if cmd["state"] < 0 or cmd["state"] > 2:
        return Code.SIDE_INVALID
    code = check_deal_words(s, cmd, np.int64(0), np.int64(0))
    if code != Code.OK:
        return code
    code = check_open(s, np.int64(cmd["contract_idx"]))
    if code != Code.OK:
        return code
    code = check_deal_room(s, cmd["account_idx"])
    if code != Code.OK:
        return code
    dealer = s.dealers[cmd["account_idx"]]
    window = s.meta[0]["now_ns"] // REQUEST_WINDOW_NS
    if dealer["window"] == window and dealer["requests"] >= REQUESTS_PER_WINDOW_MAX:
        return Code.REQUEST_RATE_LIMIT
    dealer["requests"] = dealer["requests"] + 1 if dealer["window"] == window else 1
    dealer["window"] = window
    kind, nobody = np.int64(DealKind.QUOTES), np.int64(-1)
    deal_idx = enter_deal(s, cmd, nobody, kind, np.int64(cmd["state"]))
    emit_deal(s, EventKind.QUOTES_REQUESTED, Code.OK, deal_idx)
    return Code.OK


@cold_kernel
def decline(s, cmd):
    """End a deal: its counterparty declines it, who opened it withdraws it."""
    if cmd["account_idx"] < 0 or cmd["account_idx"] >= s.meta[0]["accounts_count"]:
        return Code.ACCOUNT_UNKNOWN
    deal_idx = find_deal(s, cmd["order_id"])
    if deal_idx == 0:
        return Code.DEAL_UNKNOWN
    deal = s.deals[deal_idx]
    if deal["account_idx"] == cmd["account_idx"]:
        end_deal(s, deal_idx, Code.DEAL_WITHDRAWN)
        return Code.OK
    if deal["counterparty_idx"] == cmd["account_idx"]:
        end_deal(s, deal_idx, Code.DEAL_DECLINED)
        return Code.OK
    return Code.DEAL_UNKNOWN


@cold_kernel
def set_blocks(s, cmd):
    """Set the least lots of a contract's blocks, 0 for none, and how far beyond the day's range."""
    if not contract_known(s, cmd):
        return Code.CONTRACT_UNKNOWN
    if s.contracts[cmd["contract_idx"]]["legs_count"] != 0:
        return Code.COMBINATION_FOLLOWS_LEGS
    code = check_block_rule(cmd["qty_lots"], cmd["order_id"])
    if code != Code.OK:
        return code
    set_block_rule(s, cmd["contract_idx"], cmd["qty_lots"], cmd["order_id"])
    emit(s, EventKind.BLOCKS_SET, 0, cmd["contract_idx"])
    return Code.OK
