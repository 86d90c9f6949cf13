"""AMEND of a stop that waits: only a smaller one keeps its place; a price that came triggers."""

from dataclasses import dataclass, replace

from matching.codes import Code, EventKind, Flag, Tif, TriggerBy
from tests.oracle import book, lives, stops
from tests.oracle.events import Log
from tests.oracle.state import Command, Exchange, Order

MARKET_TIFS = (Tif.GTC, Tif.GTD, Tif.DAY)
LIMIT_TIFS = (*MARKET_TIFS, Tif.IOC, Tif.FOK, Tif.GFN)
MAY_BE_NAMED = Flag.QTY_IS_OPEN | Flag.NEW_TIF | Flag.PRICE_IS_SHOWN | Flag.MAY_WAIT


@dataclass(frozen=True)
class StopTerms:
    """What the stop should be."""

    trigger_ticks: int
    limit_ticks: int
    lots: int
    tif: int
    expires_ns: int
    offset: int
    in_bps: bool


def terms_of(order: Order) -> StopTerms:
    stop = order.stop
    assert stop is not None
    return StopTerms(
        stop.trigger_ticks, stop.limit_ticks, order.leaves_lots, order.tif, order.expires_ns,
        stop.offset, stop.in_bps,
    )  # fmt: skip


def wanted(ex: Exchange, cmd: Command, order: Order) -> StopTerms:
    """Return what the stop should be; what is not named stays."""
    stop, terms = order.stop, terms_of(order)
    assert stop is not None
    if trigger := stops.low_half(cmd.amount_usd_micros):
        terms = replace(terms, trigger_ticks=trigger)
    if offset := stops.low_half(cmd.ref_id):
        in_bps = bool(cmd.state & stops.TRAIL_IS_BPS)
        moved = replace(stop, offset=offset, in_bps=in_bps)
        ticks = stops.trailed(ex, moved)
        terms = replace(terms, offset=offset, in_bps=in_bps, trigger_ticks=ticks)
    if cmd.price_ticks:
        terms = replace(terms, limit_ticks=cmd.price_ticks)
    if cmd.qty_lots or cmd.flags & Flag.QTY_IS_OPEN:
        terms = replace(terms, lots=max(0, cmd.qty_lots))
    if cmd.flags & Flag.NEW_TIF:
        terms = replace(terms, tif=cmd.tif, expires_ns=cmd.expires_ns)
    return terms


def judge(ex: Exchange, cmd: Command, order: Order) -> int:
    stop = order.stop
    assert stop is not None
    limited = stop.order_type in stops.LIMITED
    highest = (1 << ex.capacity.price_bits) - 1
    trigger, offset = stops.low_half(cmd.amount_usd_micros), stops.low_half(cmd.ref_id)
    in_bps = bool(cmd.state & stops.TRAIL_IS_BPS)
    is_shown = cmd.flags & Flag.PRICE_IS_SHOWN
    lowest_qty = 0 if cmd.flags & Flag.QTY_IS_OPEN else -1
    follows = order.parent_id or order.more_lots
    new_tif, dated = cmd.flags & Flag.NEW_TIF, cmd.tif == Tif.GTD
    farthest = 9_999 if in_bps else highest
    most_lots = ex.contracts[order.contract_idx].qty_max_lots
    checks = (
        (not cmd.flags & Flag.MAY_WAIT, Code.STOP_NOT_AMENDABLE),
        (cmd.flags & ~MAY_BE_NAMED, Code.FLAGS_INVALID),
        (stop.asleep or stop.queued, Code.STOP_NOT_AMENDABLE),
        (cmd.qty_lots < lowest_qty, Code.QTY_NOT_POSITIVE),
        (cmd.qty_lots > most_lots, Code.QTY_TOO_LARGE),
        (follows and cmd.qty_lots > order.leaves_lots, Code.CHILD_FOLLOWS_PARENT),
        (not 0 <= cmd.price_ticks <= highest, Code.PRICE_INVALID),
        (is_shown and cmd.price_ticks == 0, Code.PRICE_INVALID),
        (cmd.price_ticks and not limited, Code.PRICE_INVALID),
        (cmd.amount_usd_micros >> 32 or cmd.ref_id >> 32, Code.TRIGGER_INVALID),
        (cmd.state and not (in_bps and offset), Code.TRIGGER_INVALID),
        (cmd.state & ~stops.TRAIL_IS_BPS, Code.TRIGGER_INVALID),
        (trigger and stop.offset, Code.TRAIL_INVALID),
        (offset and not stop.offset, Code.TRAIL_INVALID),
        (offset and not 1 <= offset <= farthest, Code.TRAIL_INVALID),
        (not 0 <= trigger <= highest, Code.TRIGGER_INVALID),
        (new_tif and cmd.tif not in (LIMIT_TIFS if limited else MARKET_TIFS), Code.TIF_INVALID),
        (new_tif and dated and cmd.expires_ns <= ex.now_ns, Code.EXPIRY_INVALID),
        (new_tif and not dated and cmd.expires_ns, Code.EXPIRY_INVALID),
    )
    return next((code for wrong, code in checks if wrong), Code.OK)


def amend(ex: Exchange, log: Log, cmd: Command, order: Order) -> None:
    stop, code = order.stop, judge(ex, cmd, order)
    assert stop is not None
    old, terms = terms_of(order), wanted(ex, cmd, order) if code == Code.OK else terms_of(order)
    smaller = replace(terms, lots=old.lots) == old and terms.lots < old.lots
    if code == Code.OK and terms == old:
        code = Code.AMEND_CHANGES_NOTHING
    if code == Code.OK and terms.lots and not smaller:
        code = stops.judge_times(ex, order.contract_idx)
    if code != Code.OK:
        log.refuse(cmd, code, order.order_id)
        return
    if terms.lots == 0:
        said = stops.say(log, EventKind.STOP_AMENDED, order, 0)
        said["leaves_lots"] = 0
        book.cancel(ex, log, order, Code.AMENDED_BELOW_FILLED)
        return
    order.leaves_lots = terms.lots
    if smaller:
        stops.say(log, EventKind.STOP_AMENDED, order, terms.lots)
        return
    if terms.tif != old.tif:
        order.tif = terms.tif
        lives.wait(ex, order)
    order.expires_ns = terms.expires_ns
    stop.trigger_ticks, stop.limit_ticks = terms.trigger_ticks, terms.limit_ticks
    stop.offset, stop.in_bps = terms.offset, terms.in_bps
    order.price_ticks = terms.limit_ticks
    stops.say(log, EventKind.STOP_AMENDED, order, terms.lots)
    stops.stand(ex, order)
    source = TriggerBy(stop.source)
    stops.see(ex, log, order.contract_idx, source, stops.price_now(ex, order.contract_idx, source))
