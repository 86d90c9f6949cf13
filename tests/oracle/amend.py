"""AMEND: an order that only gets or shows less keeps its place, any other one enters anew."""

from dataclasses import dataclass, replace

from matching.codes import COMBINED, AccountState, Code, EventKind, Flag, OrderType, Tif
from tests.oracle import amend_stops, book, entry, links, orders, pegs, protect, risk, stops
from tests.oracle.events import Log
from tests.oracle.state import Command, Exchange, Order

RESTING_TIFS = (Tif.GTC, Tif.GTD, Tif.GFA, Tif.GFN, Tif.DAY)
ENTRY_FLAGS = Flag.POST_ONLY | Flag.REDUCE_ONLY
NAMED = Flag.QTY_IS_OPEN | Flag.NEW_DISPLAY | Flag.NEW_TIF | Flag.NEW_OFFSET | Flag.NEW_FLAGS
NAMED |= Flag.PRICE_IS_SHOWN | Flag.MAY_WAIT


@dataclass(frozen=True)
class Terms:
    """What the order should be."""

    price_ticks: int
    open_lots: int
    display_lots: int
    tif: int
    expires_ns: int
    flags: int
    offset_ticks: int


def amend(ex: Exchange, log: Log, cmd: Command) -> None:
    if not 0 <= cmd.account_idx < len(ex.accounts):
        log.refuse(cmd, Code.ACCOUNT_UNKNOWN)
        return
    order = orders.find_own(ex, cmd)
    if order is None:
        log.refuse(cmd, Code.ORDER_UNKNOWN)
        return
    if order.stop is not None:
        amend_stops.amend(ex, log, cmd, order)
        return
    terms = wanted(ex, cmd, order)
    code = judge_fields(ex, cmd, order, terms)
    if names_trigger(cmd):
        code = Code.NOT_WAITING
    if order.flags & Flag.QUOTE:
        code = Code.QUOTE_NOT_AMENDABLE
    if code != Code.OK:
        log.refuse(cmd, code, order.order_id)
        return
    if terms.open_lots <= 0:
        end(ex, log, order)
    elif keeps_place(order, terms):
        stay(log, order, terms)
    elif order.market:
        log.refuse(cmd, Code.MARKET_ORDER_WAITS, order.order_id)
    else:
        enter_anew(ex, log, cmd, order, terms)


def names_trigger(cmd: Command) -> bool:
    """Say whether an amendment names what only a stop has."""
    offset = 0 if cmd.flags & Flag.NEW_OFFSET else cmd.offset_ticks
    return bool(cmd.flags & Flag.MAY_WAIT and (stops.low_half(cmd.amount_usd_micros) or offset))


def wanted(ex: Exchange, cmd: Command, order: Order) -> Terms:
    """Return what the order should be; what is not named stays."""
    price_ticks = cmd.price_ticks or order.price_ticks
    if cmd.flags & Flag.PRICE_IS_SHOWN:
        contract = ex.contracts[order.contract_idx]
        price_ticks = cmd.price_ticks + (contract.base_ticks if contract.is_spread else 0)
    if cmd.flags & Flag.QTY_IS_OPEN:
        open_lots = cmd.qty_lots
    elif cmd.qty_lots == 0:
        open_lots = order.leaves_lots
    else:
        open_lots = max(0, cmd.qty_lots) - order.filled_lots
    new_tif, flags = cmd.flags & Flag.NEW_TIF, order.flags
    if cmd.flags & Flag.NEW_FLAGS:
        flags = flags & ~ENTRY_FLAGS | cmd.flags & ENTRY_FLAGS
    return Terms(
        price_ticks=price_ticks,
        open_lots=open_lots,
        display_lots=cmd.display_lots if cmd.flags & Flag.NEW_DISPLAY else order.display_lots,
        tif=cmd.tif if new_tif else order.tif,
        expires_ns=cmd.expires_ns if new_tif else order.expires_ns,
        flags=flags,
        offset_ticks=cmd.offset_ticks if cmd.flags & Flag.NEW_OFFSET else order.offset_ticks,
    )


def terms_of(order: Order) -> Terms:
    return Terms(
        order.price_ticks, order.leaves_lots, order.display_lots, order.tif, order.expires_ns,
        order.flags, order.offset_ticks,
    )  # fmt: skip


def keeps_place(order: Order, terms: Terms) -> bool:
    """Only a smaller size or a smaller display keep the place in the queue."""
    old = terms_of(order)
    sizes = {"open_lots": old.open_lots, "display_lots": old.display_lots}
    if replace(terms, **sizes) != old:
        return False
    all_of_it = 1 << 31
    shows_less = (terms.display_lots or all_of_it) <= (old.display_lots or all_of_it)
    return shows_less and terms.open_lots <= old.open_lots


def judge_fields(ex: Exchange, cmd: Command, order: Order, terms: Terms) -> int:
    highest = (1 << ex.capacity.price_bits) - 1
    is_open, is_shown = cmd.flags & Flag.QTY_IS_OPEN, cmd.flags & Flag.PRICE_IS_SHOWN
    total_lots = terms.open_lots + order.filled_lots
    allowed = NAMED | (ENTRY_FLAGS if cmd.flags & Flag.NEW_FLAGS else 0)
    new_tif = cmd.flags & Flag.NEW_TIF
    dated = terms.tif == Tif.GTD
    sound_end = terms.expires_ns > ex.now_ns if dated else terms.expires_ns == 0
    sound_display = 0 <= terms.display_lots <= total_lots
    checks = (
        (cmd.flags & ~allowed, Code.FLAGS_INVALID),
        (cmd.qty_lots < (0 if is_open else -1), Code.QTY_NOT_POSITIVE),
        (total_lots > ex.contracts[order.contract_idx].qty_max_lots, Code.QTY_TOO_LARGE),
        (not is_shown and not 0 <= cmd.price_ticks <= highest, Code.PRICE_INVALID),
        (not 1 <= terms.price_ticks <= highest, Code.PRICE_INVALID),
        (new_tif and terms.tif not in RESTING_TIFS, Code.TIF_INVALID),
        (new_tif and not sound_end, Code.EXPIRY_INVALID),
        (cmd.flags & Flag.NEW_DISPLAY and not sound_display, Code.DISPLAY_INVALID),
        (order.peg and cmd.price_ticks, Code.PRICE_INVALID),
        (cmd.flags & Flag.NEW_OFFSET and not order.peg, Code.OFFSET_INVALID),
        (abs(terms.offset_ticks) > highest, Code.OFFSET_INVALID),
        (terms.display_lots and terms.flags & COMBINED, Code.COMBINATION_ORDER_UNUSUAL),
        (terms.display_lots and terms.flags & Flag.REDUCE_ONLY, Code.DISPLAY_INVALID),
        (terms.display_lots and order.link_id, Code.DISPLAY_INVALID),
        (links.would_meet_leg(ex, order, terms.price_ticks), Code.LINK_INVALID),
        (links.would_pass_child(ex, order, terms.price_ticks), Code.BRACKET_INVALID),
        (terms == terms_of(order), Code.AMEND_CHANGES_NOTHING),
    )
    return next((code for wrong, code in checks if wrong), Code.OK)


def reply(log: Log, order: Order, total_lots: int) -> dict[str, int]:
    return log.add(
        EventKind.AMENDED,
        order_id=order.order_id,
        account_idx=order.account_idx,
        contract_idx=order.contract_idx,
        side=order.side,
        price_ticks=order.price_ticks,
        qty_lots=total_lots,
    )


def end(ex: Exchange, log: Log, order: Order) -> None:
    """The new total is filled already: nothing of the order is left."""
    reply(log, order, order.filled_lots)
    book.cancel(ex, log, order, Code.AMENDED_BELOW_FILLED)


def stay(log: Log, order: Order, terms: Terms) -> None:
    """Make the order smaller, or let it show less, where it stands."""
    if terms.display_lots:
        order.shown_lots = min(order.visible_lots, terms.display_lots, terms.open_lots)
    order.leaves_lots, order.display_lots = terms.open_lots, terms.display_lots
    answer = reply(log, order, order.filled_lots + terms.open_lots)
    answer["leaves_lots"], answer["amount_usd_micros"] = terms.open_lots, order.shown_lots


def enter_anew(ex: Exchange, log: Log, cmd: Command, order: Order, terms: Terms) -> None:
    """Judge the new order as if the old one were gone; if it may enter, replace the old."""
    old_lots, order.leaves_lots = order.leaves_lots, 0
    order.lifted_lots = old_lots
    wish = risk.Wish(
        order.account_idx, order.contract_idx, order.side, terms.price_ticks, terms.open_lots,
        bool(order.flags & COMBINED and cmd.flags & Flag.MAY_WAIT),
    )  # fmt: skip
    code: int = Code.OK
    if ex.accounts[order.account_idx].state == AccountState.FROZEN:
        code = Code.ACCOUNT_FROZEN
    if code == Code.OK:
        kind = OrderType.PEGGED if order.peg else OrderType.LIMIT
        if terms.offset_ticks != order.offset_ticks:
            wish = replace(wish, price_ticks=0)  # wherever the offset leads
        entering = entry.Entry(wish, kind, terms.tif, terms.flags, 0, order.peg, terms.offset_ticks)
        code, entering = entry.judge(ex, entering)
        wish = entering.wish
    if code == Code.OK:
        code = protect.judge_own(ex, wish, terms.open_lots, rests_anew=False)
    if code == Code.OK:
        code = entry.judge_risk(ex, wish)
    order.lifted_lots = 0
    if code != Code.OK:
        order.leaves_lots = old_lots
        log.refuse(cmd, code, order.order_id)
        return
    protect.count_taken(ex, order.account_idx)
    ex.contracts[order.contract_idx].book[order.side].remove(order)
    pegs.wake(ex, order.contract_idx)
    order.price_ticks, order.leaves_lots = wish.price_ticks, wish.qty_lots
    order.offset_ticks = terms.offset_ticks
    order.tif, order.expires_ns, order.flags = terms.tif, terms.expires_ns, terms.flags
    order.display_lots = terms.display_lots
    answer = reply(log, order, order.filled_lots + terms.open_lots)
    book.enter(
        ex, log, order, answer, terms.open_lots - wish.qty_lots,
        lambda traded: links.filled(ex, log, order, None, traded) if traded else None,
    )  # fmt: skip
    if order.leaves_lots == 0:
        drop(ex, order)


def drop(ex: Exchange, order: Order) -> None:
    """Forget an order that left the book to match and did not come back."""
    del ex.orders[order.order_id]
    links.ended(ex, order)
    book.owned(ex, order).orders.remove(order)
    ex.slots_free.append(order.slot)
