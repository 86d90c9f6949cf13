"""Open deals, block proposals and requests for quotes: a pool, and one list by when they end.

A new deal is put in from the end of the list, where it mostly belongs: at most DEALS_MAX steps.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import Code, EventKind
from matching.emit import emit, has_worked
from matching.limits import DEALS_PER_ACCOUNT_MAX, ORDERS_MAX

SLOT_MASK = ORDERS_MAX - 1


@kernel
def check_deal_room(s, account_idx):
    """Refuse a deal for which there is no room."""
    meta = s.meta[0]
    if meta["deals_free"] == 0 and meta["deals_used"] >= meta["deals_max"] - 1:
        return Code.DEALS_FULL
    if s.dealers[account_idx]["deals_open"] >= DEALS_PER_ACCOUNT_MAX:
        return Code.DEAL_LIMIT
    return Code.OK


@kernel
def find_deal(s, deal_id):
    """Return the slot of an open deal, 0 for none."""
    deal_idx = np.int64(deal_id) & SLOT_MASK
    if deal_id <= 0 or deal_idx > s.meta[0]["deals_used"]:
        return np.int64(0)
    return deal_idx if s.deals[deal_idx]["deal_id"] == deal_id else np.int64(0)


@cold_kernel
def take_deal_slot(s):
    """Return a slot: the one freed last, else the next that was never used."""
    meta = s.meta[0]
    deal_idx = np.int64(meta["deals_free"])
    if deal_idx != 0:
        meta["deals_free"] = s.deals[deal_idx]["next"]
    else:
        deal_idx = np.int64(meta["deals_used"] + 1)
        meta["deals_used"] = deal_idx
    assert deal_idx < meta["deals_max"]
    return deal_idx


@cold_kernel
def link_by_end(s, deal_idx):
    """Put a deal behind all that end no later."""
    meta, deal = s.meta[0], s.deals[deal_idx]
    before = np.int64(meta["deals_last"])
    while before != 0 and s.deals[before]["expires_ns"] > deal["expires_ns"]:
        before = np.int64(s.deals[before]["prev"])
    following = np.int64(s.deals[before]["next"]) if before != 0 else np.int64(meta["deals_first"])
    deal["prev"] = before
    deal["next"] = following
    if before != 0:
        s.deals[before]["next"] = deal_idx
    else:
        meta["deals_first"] = deal_idx
    if following != 0:
        s.deals[following]["prev"] = deal_idx
    else:
        meta["deals_last"] = deal_idx


@cold_kernel
def open_deal(s, deal_idx):
    """Put a deal whose record is written into the lists, and count it."""
    link_by_end(s, deal_idx)
    deal = s.deals[deal_idx]
    dealer = s.dealers[deal["account_idx"]]
    tail = dealer["deal_tail"]
    deal["next_own"] = 0
    deal["prev_own"] = tail
    dealer["deal_tail"] = deal_idx
    if tail != 0:
        s.deals[tail]["next_own"] = deal_idx
    else:
        dealer["deal_head"] = deal_idx
    dealer["deals_open"] += 1
    s.meta[0]["deals_open"] += 1


@cold_kernel
def close_deal(s, deal_idx):
    """Take a deal out of everything, and free its slot."""
    meta, deal = s.meta[0], s.deals[deal_idx]
    dealer = s.dealers[deal["account_idx"]]
    before, following = deal["prev"], deal["next"]
    if before != 0:
        s.deals[before]["next"] = following
    else:
        meta["deals_first"] = following
    if following != 0:
        s.deals[following]["prev"] = before
    else:
        meta["deals_last"] = before
    before, following = deal["prev_own"], deal["next_own"]
    if before != 0:
        s.deals[before]["next_own"] = following
    else:
        dealer["deal_head"] = following
    if following != 0:
        s.deals[following]["prev_own"] = before
    else:
        dealer["deal_tail"] = before
    dealer["deals_open"] -= 1
    meta["deals_open"] -= 1
    deal["deal_id"] = 0
    deal["next"] = meta["deals_free"]
    meta["deals_free"] = deal_idx


@cold_kernel
def emit_deal(s, kind, code, deal_idx):
    """Say what happened to a deal."""
    deal = s.deals[deal_idx]
    event = s.events[emit(s, kind, deal["account_idx"], deal["contract_idx"])]
    event["side"] = deal["side"]
    event["code"] = code
    event["order_id"] = deal["deal_id"]
    event["maker_order_id"] = deal["request_id"]
    event["maker_account_idx"] = deal["counterparty_idx"]
    event["price_ticks"] = deal["price_ticks"]
    event["qty_lots"] = deal["qty_lots"]


@cold_kernel
def end_deal(s, deal_idx, code):
    """End a deal that came to nothing, and say why."""
    emit_deal(s, EventKind.DEAL_ENDED, code, deal_idx)
    close_deal(s, deal_idx)


@cold_kernel
def expire_deals(s, first_event):
    """End the deals whose time has come, as many as a command may whose events begin here.

    Returns: how many
    """
    meta = s.meta[0]
    count = 0
    while meta["deals_first"] != 0 and not has_worked(s, first_event):
        if s.deals[meta["deals_first"]]["expires_ns"] > meta["now_ns"]:
            break
        end_deal(s, np.int64(meta["deals_first"]), Code.DEAL_EXPIRED)
        count += 1
    return count


@cold_kernel
def end_deals_of_contract(s, contract_idx):
    """End every deal in a contract that has ended, in the order of the list."""
    deal_idx = np.int64(s.meta[0]["deals_first"])
    while deal_idx != 0:
        following = np.int64(s.deals[deal_idx]["next"])
        if s.deals[deal_idx]["contract_idx"] == contract_idx:
            end_deal(s, deal_idx, Code.CONTRACT_ENDED)
        deal_idx = following
