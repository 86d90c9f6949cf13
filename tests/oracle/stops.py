"""Stops: where they wait, what triggers them, and how they enter."""

from dataclasses import replace

from matching.codes import (
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
from tests.oracle import book, entry, links, protect, risk
from tests.oracle.events import Log
from tests.oracle.state import Command, Exchange, Order, Stop

STOP_TYPES = (
    OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT,
)  # fmt: skip
LIMITED = (OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT)
TRADES = (TradingState.CONTINUOUS, TradingState.CLOSE_ONLY)
TRAIL_IS_BPS = 8


def low_half(word: int) -> int:
    """Return the low 32 bits of a word, signed."""
    low = word % (1 << 32)
    return low - (1 << 32) if low >= 1 << 31 else low


def judge(ex: Exchange, cmd: Command) -> int:
    """Check what a stop says of itself, then whether there is room for it."""
    limited = cmd.order_type in LIMITED
    highest = (1 << ex.capacity.price_bits) - 1
    trigger, offset = low_half(cmd.amount_usd_micros), low_half(cmd.ref_id)
    in_bps = bool(cmd.state & TRAIL_IS_BPS)
    tifs = (
        (Tif.GTC, Tif.GTD, Tif.DAY, Tif.IOC, Tif.FOK, Tif.GFN)
        if limited
        else (Tif.GTC, Tif.GTD, Tif.DAY)
    )
    checks = (
        (cmd.side not in set(Side), Code.SIDE_INVALID),
        (cmd.tif not in tifs, Code.TIF_INVALID),
        (cmd.stp not in set(Stp), Code.STP_INVALID),
        (cmd.flags & ~(Flag.REDUCE_ONLY | Flag.LINKED), Code.FLAGS_INVALID),
        (cmd.qty_lots <= 0, Code.QTY_NOT_POSITIVE),
        (cmd.qty_lots > ex.contracts[cmd.contract_idx].qty_max_lots, Code.QTY_TOO_LARGE),
        (not limited and cmd.price_ticks != 0, Code.PRICE_INVALID),
        (limited and not 1 <= cmd.price_ticks <= highest, Code.PRICE_INVALID),
        (cmd.tif == Tif.GTD and cmd.expires_ns <= ex.now_ns, Code.EXPIRY_INVALID),
        (cmd.tif != Tif.GTD and cmd.expires_ns != 0, Code.EXPIRY_INVALID),
        (cmd.state & ~TRAIL_IS_BPS not in set(TriggerBy), Code.TRIGGER_INVALID),
        (cmd.display_lots or cmd.min_lots, Code.TRIGGER_INVALID),
        (offset == 0 and in_bps, Code.TRAIL_INVALID),
        (offset == 0 and not 1 <= trigger <= highest, Code.TRIGGER_INVALID),
        (offset != 0 and (trigger != 0 or limited), Code.TRAIL_INVALID),
        (offset != 0 and not 1 <= offset <= (9_999 if in_bps else highest), Code.TRAIL_INVALID),
    )
    return next((code for wrong, code in checks if wrong), Code.OK)


def judge_times(ex: Exchange, contract_idx: int) -> int:
    """Return why no stops come, or wait anew, now."""
    if ex.halted:
        return Code.EXCHANGE_HALTED
    return entry.not_trading(ex, contract_idx)


def judge_room(ex: Exchange, cmd: Command) -> int:
    code = judge_times(ex, cmd.contract_idx)
    if code != Code.OK:
        return code
    trails = low_half(cmd.ref_id) != 0
    if trails and price_now(ex, cmd.contract_idx, cmd.state & ~TRAIL_IS_BPS) == 0:
        return Code.TRIGGER_PRICE_UNKNOWN
    if cmd.flags & Flag.LINKED and not links.may_link(ex, cmd):
        return Code.LINK_INVALID
    if stops_of(ex, cmd.account_idx) >= ex.capacity.account_stops:
        return Code.STOPS_FULL
    if len(waiting(ex, cmd.contract_idx)) >= ex.capacity.contract_stops:
        return Code.CONTRACT_STOPS_FULL
    trailing = [o for o in waiting(ex, cmd.contract_idx) if o.stop.offset and not o.stop.queued]
    if trails and len(trailing) >= ex.capacity.contract_trails:
        return Code.TRAILS_FULL
    return Code.OK


def stops_of(ex: Exchange, account_idx: int) -> int:
    return sum(o.stop is not None for o in ex.orders.values() if o.account_idx == account_idx)


def waiting(ex: Exchange, contract_idx: int) -> list[Order]:
    """Return the stops of a contract that have not entered, in no order."""
    return [
        order
        for order in ex.orders.values()
        if order.stop is not None and order.contract_idx == contract_idx
    ]


def price_now(ex: Exchange, contract_idx: int, source: int) -> int:
    contract = ex.contracts[contract_idx]
    return {
        TriggerBy.LAST: contract.last_trade_ticks,
        TriggerBy.MARK: contract.mark_ticks,
        TriggerBy.INDEX: contract.index_ticks,
    }[TriggerBy(source)]


def is_rising(order_type: int, side: int) -> bool:
    """A stop buys when the price rises to it, a take-profit when it falls to it."""
    if order_type in (OrderType.STOP, OrderType.STOP_LIMIT):
        return side == Side.BUY
    return side == Side.SELL


def trailed(ex: Exchange, stop: Stop) -> int:
    """Return the trigger price behind the extreme; no part of a tick is given away."""
    if stop.in_bps:
        up = stop.extreme_ticks * (10_000 + stop.offset)
        down = stop.extreme_ticks * (10_000 - stop.offset)
        ticks = -(-up // 10_000) if stop.rises else down // 10_000
    else:
        ticks = stop.extreme_ticks + (stop.offset if stop.rises else -stop.offset)
    return min(max(ticks, 1), (1 << ex.capacity.price_bits) - 1)


def new_stop(ex: Exchange, cmd: Command) -> Stop:
    stop = Stop(
        order_type=cmd.order_type,
        source=cmd.state & ~TRAIL_IS_BPS,
        rises=is_rising(cmd.order_type, cmd.side),
        trigger_ticks=low_half(cmd.amount_usd_micros),
        limit_ticks=cmd.price_ticks,
        offset=low_half(cmd.ref_id),
        in_bps=bool(cmd.state & TRAIL_IS_BPS),
        asleep=False,
    )
    if stop.offset:
        stop.extreme_ticks = price_now(ex, cmd.contract_idx, stop.source)
        stop.trigger_ticks = trailed(ex, stop)
    return stop


def say(log: Log, kind: EventKind, order: Order, qty_lots: int) -> dict[str, int]:
    stop = order.stop
    assert stop is not None
    word = stop.order_type + 256 * (stop.source + 4 * stop.rises + 8 * stop.in_bps)
    return log.add(
        kind,
        order_id=order.order_id,
        account_idx=order.account_idx,
        contract_idx=order.contract_idx,
        side=order.side,
        maker_order_id=order.parent_id or order.link_id,
        price_ticks=stop.limit_ticks,
        qty_lots=qty_lots,
        leaves_lots=order.leaves_lots,
        amount_usd_micros=(word << 32) + stop.trigger_ticks,
    )


def stand(ex: Exchange, order: Order) -> None:
    """Let a stop stand behind all that wait for its price."""
    assert order.stop is not None
    ex.stands += 1
    order.stop.stood = ex.stands
    order.stop.asleep = False


def triggered_by(order: Order, price_ticks: int) -> bool:
    stop = order.stop
    assert stop is not None
    if stop.rises:
        return price_ticks >= stop.trigger_ticks
    return price_ticks <= stop.trigger_ticks


def see(ex: Exchange, log: Log, contract_idx: int, source: int, price_ticks: int) -> None:
    """Trigger what this price triggers, then let the others trail."""
    if price_ticks == 0 or ex.halted or ex.contracts[contract_idx].state not in TRADES:
        return
    standing = [
        order
        for order in waiting(ex, contract_idx)
        if order.stop.source == source and not order.stop.asleep and not order.stop.queued
    ]
    hit = [order for order in standing if triggered_by(order, price_ticks)]
    for order in sorted(hit, key=turn):
        order.stop.queued = True
        ex.contracts[contract_idx].triggered.append(order)
        make_ready(ex, contract_idx)
    trailing = [order for order in standing if order.stop.offset and not order.stop.queued]
    # Buyers of a rise first, then the others; the newest first.
    for order in sorted(trailing, key=lambda o: (not o.stop.rises, -o.stop.came)):
        trail(ex, log, order, price_ticks)


def turn(order: Order) -> tuple[bool, int, int]:
    """Rises before falls; who is triggered first by a moving price; who stood there first."""
    stop = order.stop
    assert stop is not None
    ticks = stop.trigger_ticks if stop.rises else -stop.trigger_ticks
    return not stop.rises, ticks, stop.stood


def trail(ex: Exchange, log: Log, order: Order, price_ticks: int) -> None:
    stop = order.stop
    assert stop is not None
    better = price_ticks < stop.extreme_ticks if stop.rises else price_ticks > stop.extreme_ticks
    if not better:
        return
    stop.extreme_ticks = price_ticks
    before, stop.trigger_ticks = stop.trigger_ticks, trailed(ex, stop)
    if stop.trigger_ticks != before:
        stand(ex, order)
        say(log, EventKind.STOP_MOVED, order, 0)


def see_now(ex: Exchange, log: Log, contract_idx: int) -> None:
    """See the prices of this moment, as trading begins."""
    for source in TriggerBy:
        see(ex, log, contract_idx, source, price_now(ex, contract_idx, source))
    if ex.contracts[contract_idx].triggered:
        make_ready(ex, contract_idx)


def make_ready(ex: Exchange, contract_idx: int) -> None:
    if contract_idx not in ex.ready:
        ex.ready.append(contract_idx)
    ex.work = True


def step(ex: Exchange, log: Log) -> None:
    """See to one child of a bracket, or let one triggered stop enter."""
    if ex.children:
        see_to_child(ex, log, ex.children.pop(0))
        return
    if not ex.ready:
        ex.work = False
        return
    contract = ex.contracts[ex.ready[0]]
    if not contract.triggered or ex.halted or contract.state not in TRADES:
        ex.ready.pop(0)
        return
    enter(ex, log, contract.triggered.pop(0))


def see_to_child(ex: Exchange, log: Log, child: Order) -> None:
    ended = ex.contracts[child.contract_idx].state == TradingState.EXPIRED
    if child.more_lots and not ended:
        more, child.more_lots = child.more_lots, 0
        child.leaves_lots += more
        say(log, EventKind.STOP_GREW, child, more)
        assert child.stop is not None
        if child.stop.asleep:
            stand(ex, child)
        source = child.stop.source
        see(ex, log, child.contract_idx, source, price_now(ex, child.contract_idx, source))
    elif child.parent_id == 0:
        book.cancel(ex, log, child, Code.PARENT_ENDED)


def enter(ex: Exchange, log: Log, order: Order) -> None:
    """A triggered stop comes as an order, and is judged as one."""
    stop, order.stop = order.stop, None
    assert stop is not None
    market = stop.order_type not in LIMITED
    asked = order.leaves_lots
    wish = risk.Wish(order.account_idx, order.contract_idx, order.side, stop.limit_ticks, asked)
    if market:
        lowest, highest = ex.band(ex.contracts[order.contract_idx])
        order.price_ticks = entry.market_limit(ex, wish, lowest, highest)
    else:
        order.price_ticks = stop.limit_ticks
    reply = log.add(
        EventKind.TRIGGERED,
        order_id=order.order_id,
        account_idx=order.account_idx,
        contract_idx=order.contract_idx,
        side=order.side,
        price_ticks=order.price_ticks,
        qty_lots=asked,
    )
    del ex.orders[order.order_id]
    order.leaves_lots = 0
    links.end_partners(ex, log, order)
    wish = replace(wish, price_ticks=order.price_ticks)
    tif = Tif.IOC if market else order.tif
    code, entering = entry.judge(ex, entry.Entry(wish, OrderType.LIMIT, tif, order.flags))
    if code == Code.OK:
        code = protect.judge_own(ex, entering.wish, asked, rests_anew=False)
    if code == Code.OK:
        code = entry.judge_risk(ex, entering.wish)
    if code != Code.OK:
        log.cancelled(order, asked, code)
    else:
        protect.count_taken(ex, order.account_idx)
        order.leaves_lots = entering.wish.qty_lots
        tif, order.tif = order.tif, Tif.IOC if market else order.tif
        book.enter(ex, log, order, reply, asked - order.leaves_lots)
        order.tif = tif
    if order.leaves_lots == 0:
        book.owned(ex, order).orders.remove(order)
        ex.slots_free.append(order.slot)


def standing(ex: Exchange, contract_idx: int) -> list[Order]:
    """Return the stops that wait for a price, ladder by ladder."""
    found = [
        order
        for order in waiting(ex, contract_idx)
        if not order.stop.asleep and not order.stop.queued
    ]
    return sorted(found, key=lambda o: (o.stop.source, o.stop.rises, turn(o)))
