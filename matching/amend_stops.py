"""Amendments of stops that wait: another trigger or distance, another limit, size or end.

A stop that only gets smaller keeps its place among those that wait for its price; any other goes
behind them. One whose new trigger has been reached already is triggered at once, as a new one is.
"""

from typing import NamedTuple

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of
from matching.codes import TRAIL_IS_BPS, Code, EventKind, Flag, Tif
from matching.expiry import add_expiry
from matching.lifetimes import wait_for_life
from matching.partners import drop_waiting
from matching.stops import check_offset, has_limit, sound_stop_tif, stops_taken
from matching.terms import amended_price
from matching.triggers import price_seen, see_price, trailed_ticks
from matching.waiting import (
    IN_LADDER,
    SOURCE_MASK,
    emit_stop,
    into_ladder,
    out_of_ladder,
    rises,
)
from matching.words import high_half, low_half

STOP_AMEND_FLAGS = int(Flag.QTY_IS_OPEN | Flag.NEW_TIF | Flag.PRICE_IS_SHOWN | Flag.MAY_WAIT)


class StopTerms(NamedTuple):
    """What a stop is to be: what an amendment does not name stays."""

    key: int
    limit_ticks: int
    lots: int
    tif: int
    expires_ns: int
    offset: int
    trigger: int


@kernel
def names_trigger(cmd):
    """Return whether an amendment names what only a stop has."""
    of_a_peg = (cmd["flags"] & Flag.NEW_OFFSET) != 0
    offset = np.int64(0) if of_a_peg else low_half(cmd["ref_id"])
    return (cmd["flags"] & Flag.MAY_WAIT) != 0 and (
        low_half(cmd["amount_usd_micros"]) | offset
    ) != 0


@cold_kernel
def check_stop_amend(s, cmd, order_idx):
    """Refuse words that no stop could take, or not this one."""
    record, detail = s.orders[order_idx], s.details[order_idx]
    if (cmd["flags"] & ~STOP_AMEND_FLAGS) != 0:
        return Code.FLAGS_INVALID
    if detail["place"] != IN_LADDER:
        return Code.STOP_NOT_AMENDABLE
    is_open = (cmd["flags"] & Flag.QTY_IS_OPEN) != 0
    if cmd["qty_lots"] < -1 or (is_open and cmd["qty_lots"] < 0):
        return Code.QTY_NOT_POSITIVE
    if cmd["qty_lots"] > s.contracts[record["book_idx"] >> 1]["qty_max_lots"]:
        return Code.QTY_TOO_LARGE
    grows = detail["parent_id"] != 0 or detail["more_lots"] != 0
    if grows and cmd["qty_lots"] > record["leaves_lots"]:
        return Code.CHILD_FOLLOWS_PARENT
    price_ticks = amended_price(s, cmd, record)
    if price_ticks < 0 or price_ticks > s.meta[0]["price_top"]:
        return Code.PRICE_INVALID
    if price_ticks != 0 and not has_limit(detail["order_type"]):
        return Code.PRICE_INVALID
    return check_new_trigger(s, cmd, detail)


@cold_kernel
def check_new_trigger(s, cmd, detail):
    """Refuse a trigger for what trails, a distance for what does not, and what makes no sense."""
    trigger_ticks, offset = low_half(cmd["amount_usd_micros"]), low_half(cmd["ref_id"])
    if (high_half(cmd["amount_usd_micros"]) | high_half(cmd["ref_id"])) != 0:
        return Code.TRIGGER_INVALID
    if (cmd["state"] & ~TRAIL_IS_BPS) != 0 or (cmd["state"] != 0 and offset == 0):
        return Code.TRIGGER_INVALID
    if detail["offset_ticks"] != 0:
        if trigger_ticks != 0:
            return Code.TRAIL_INVALID
        return check_offset(s, offset, cmd["state"]) if offset != 0 else Code.OK
    if offset != 0:
        return Code.TRAIL_INVALID
    if trigger_ticks < 0 or trigger_ticks > s.meta[0]["price_top"]:
        return Code.TRIGGER_INVALID
    return Code.OK


@kernel
def amended_stop(s, cmd, order_idx):
    """Return what the stop is to be; its words are sound."""
    record, detail = s.orders[order_idx], s.details[order_idx]
    key, lots = np.int64(record["key"]), np.int64(record["leaves_lots"])
    limit_ticks, trigger = np.int64(detail["limit_ticks"]), np.int64(detail["trigger"])
    tif, expires_ns = np.int64(record["tif"]), np.int64(record["expires_ns"])
    offset = np.int64(detail["offset_ticks"])
    if cmd["qty_lots"] != 0 or (cmd["flags"] & Flag.QTY_IS_OPEN) != 0:
        lots = max(np.int64(0), np.int64(cmd["qty_lots"]))
    if amended_price(s, cmd, record) != 0:
        limit_ticks = amended_price(s, cmd, record)
    if low_half(cmd["ref_id"]) != 0:
        offset = low_half(cmd["ref_id"])
        trigger = (trigger & ~TRAIL_IS_BPS) | np.int64(cmd["state"])
        ticks = trailed_ticks(s, np.int64(detail["extreme_ticks"]), offset, trigger)
        key = key_of(s, rises(trigger), ticks)
    if low_half(cmd["amount_usd_micros"]) != 0:
        key = key_of(s, rises(trigger), low_half(cmd["amount_usd_micros"]))
    if (cmd["flags"] & Flag.NEW_TIF) != 0:
        tif, expires_ns = np.int64(cmd["tif"]), np.int64(cmd["expires_ns"])
    return StopTerms(
        key=key,
        limit_ticks=limit_ticks,
        lots=lots,
        tif=tif,
        expires_ns=expires_ns,
        offset=offset,
        trigger=trigger,
    )


@cold_kernel
def check_stop_end(s, cmd, order_idx, terms):
    """Refuse a time in force that such a stop may not have, or an end that is over."""
    if (cmd["flags"] & Flag.NEW_TIF) == 0:
        return Code.OK
    if not sound_stop_tif(terms.tif, has_limit(s.details[order_idx]["order_type"])):
        return Code.TIF_INVALID
    if terms.tif == Tif.GTD:
        return Code.OK if terms.expires_ns > s.meta[0]["now_ns"] else Code.EXPIRY_INVALID
    return Code.OK if terms.expires_ns == 0 else Code.EXPIRY_INVALID


@kernel
def only_lots_differ(s, order_idx, terms):
    """Return whether trigger, limit and end stay as they are."""
    record, detail = s.orders[order_idx], s.details[order_idx]
    if terms.key != record["key"] or terms.limit_ticks != detail["limit_ticks"]:
        return False
    if terms.offset != detail["offset_ticks"] or terms.trigger != detail["trigger"]:
        return False
    return terms.tif == record["tif"] and terms.expires_ns == record["expires_ns"]


@cold_kernel
def amend_stop(s, cmd, order_idx):
    """Change a stop that waits; nothing of it is judged by the market before it enters."""
    record = s.orders[order_idx]
    if (cmd["flags"] & Flag.MAY_WAIT) == 0:
        return Code.STOP_NOT_AMENDABLE
    code = check_stop_amend(s, cmd, order_idx)
    if code != Code.OK:
        return code
    terms = amended_stop(s, cmd, order_idx)
    code = check_stop_end(s, cmd, order_idx, terms)
    if code != Code.OK:
        return code
    lots_only = only_lots_differ(s, order_idx, terms)
    if lots_only and terms.lots == record["leaves_lots"]:
        return Code.AMEND_CHANGES_NOTHING
    if terms.lots == 0:
        event = s.meta[0]["events_count"]
        emit_stop(s, EventKind.STOP_AMENDED, order_idx, np.int64(0))
        s.events[event]["leaves_lots"] = 0
        drop_waiting(s, order_idx, Code.AMENDED_BELOW_FILLED)
        return Code.OK
    if lots_only and terms.lots < record["leaves_lots"]:
        record["leaves_lots"] = terms.lots
        emit_stop(s, EventKind.STOP_AMENDED, order_idx, terms.lots)
        return Code.OK
    code = stops_taken(s, np.int64(record["book_idx"]) >> 1)
    if code == Code.OK:
        wait_anew(s, order_idx, terms)
    return code


@cold_kernel
def wait_anew(s, order_idx, terms):
    """Let a stop wait on new terms, behind those that wait for its price already."""
    record, detail = s.orders[order_idx], s.details[order_idx]
    contract_idx = np.int64(record["book_idx"]) >> 1
    source = terms.trigger & SOURCE_MASK
    out_of_ladder(s, order_idx)
    record["key"] = terms.key
    record["leaves_lots"] = terms.lots
    if terms.tif != record["tif"]:
        wait_for_life(s, order_idx, terms.tif)
    record["tif"] = terms.tif
    if terms.expires_ns != record["expires_ns"]:
        record["expires_ns"] = terms.expires_ns
        if terms.expires_ns != 0:
            add_expiry(s, terms.expires_ns, np.int64(record["order_id"]))
    detail["limit_ticks"] = terms.limit_ticks
    detail["offset_ticks"] = terms.offset
    detail["trigger"] = terms.trigger
    emit_stop(s, EventKind.STOP_AMENDED, order_idx, terms.lots)
    into_ladder(s, order_idx)
    see_price(s, contract_idx, source, price_seen(s, contract_idx, source))
