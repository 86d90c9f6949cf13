"""The book: who rests, in which order they are met, and what happens when they meet."""

from collections.abc import Callable

from matching.codes import Code, EventKind, Flag, Side, Stp, Tif, TradingState, TriggerBy
from matching.limits import IMPLIED_FILLS_MAX
from tests.oracle import (
    calls,
    combinations,
    icebergs,
    implied,
    links,
    lives,
    pegs,
    quotes,
    stops,
)
from tests.oracle.events import Log
from tests.oracle.state import Exchange, Order, Position, opposite, signed

IMMEDIATE = (Tif.IOC, Tif.FOK)


def best_first(ex: Exchange, contract_idx: int, side: int) -> list[Order]:
    """Return the resting orders of a side by price, then time."""
    resting = ex.contracts[contract_idx].book[side]
    return sorted(resting, key=lambda order: -signed(side, order.price_ticks))


def crosses(side: int, price_ticks: int, maker: Order) -> bool:
    if side == Side.BUY:
        return price_ticks >= maker.price_ticks
    return price_ticks <= maker.price_ticks


def met(ex: Exchange, contract_idx: int, side: int, price_ticks: int) -> list[Order]:
    """Return the resting orders that an order at this price would meet, in turn."""
    makers = best_first(ex, contract_idx, opposite(side))
    return [maker for maker in makers if crosses(side, price_ticks, maker)]


def take_slot(ex: Exchange) -> int:
    if ex.slots_free:
        return ex.slots_free.pop()
    ex.slots_used += 1
    return ex.slots_used


def slots_left(ex: Exchange) -> int:
    return len(ex.slots_free) + ex.capacity.orders - 1 - ex.slots_used


def rest(ex: Exchange, order: Order) -> None:
    """Put an order at the back of the book; it may stand in its position's list already."""
    pegs.wake(ex, order.contract_idx)
    ex.contracts[order.contract_idx].book[order.side].append(order)
    ex.orders[order.order_id] = order
    lives.join(ex, order)
    position = owned(ex, order)
    if order not in position.orders:
        position.orders.append(order)


def leave(ex: Exchange, order: Order) -> None:
    """Take an order out of the book, or a stop from where it waits, and free its slot."""
    if order.stop is None:
        pegs.wake(ex, order.contract_idx)
        ex.contracts[order.contract_idx].book[order.side].remove(order)
    elif order.stop.queued:
        ex.contracts[order.contract_idx].triggered.remove(order)
    del ex.orders[order.order_id]
    links.ended(ex, order)
    owned(ex, order).orders.remove(order)
    ex.slots_free.append(order.slot)


def cancel(ex: Exchange, log: Log, order: Order, code: int) -> None:
    """Cancel all that rests of an order."""
    lots = order.leaves_lots
    leave(ex, order)
    order.leaves_lots = 0
    log.cancelled(order, lots, code)


def owned(ex: Exchange, order: Order) -> Position:
    position = ex.position(order.account_idx, order.contract_idx)
    assert position is not None
    return position


def fill_limit(ex: Exchange, maker: Order) -> int:
    """Return how many lots of a resting order may trade now."""
    if not maker.flags & Flag.REDUCE_ONLY:
        return maker.leaves_lots
    lots = ex.lots(maker.account_idx, maker.contract_idx)
    closing = -signed(maker.side, lots)
    return min(maker.leaves_lots, max(0, closing))


def makers_max(ex: Exchange, contract_idx: int) -> int:
    """Return how many resting orders a taker may meet: the legs of a combination count too."""
    return max(1, ex.capacity.taker_makers // (1 + 2 * len(ex.contracts[contract_idx].legs)))


def fillable(ex: Exchange, taker: Order, lots: int) -> bool:
    """Return whether so many lots of an order would surely trade now, with few enough makers."""
    makers = met(ex, taker.contract_idx, taker.side, taker.price_ticks)
    needed = needed_makers(ex, taker, makers, lots)
    return 0 < needed <= max(1, makers_max(ex, taker.contract_idx) // 4)


def needed_makers(ex: Exchange, taker: Order, makers: list[Order], lots: int) -> int:
    """Return how many of these are met for so many lots, 0 if they surely have not as many.

    A taker meets all of a level before it comes back to what a display of that level hides.
    """
    found = in_turn = price_ticks = 0
    contract = ex.contracts[taker.contract_idx]
    for count, maker in enumerate(makers, 1):
        if maker.price_ticks != price_ticks:
            if found >= lots:
                return count - 1
            price_ticks, in_turn = maker.price_ticks, found
        if calls.touched(ex, contract, maker.price_ticks):
            return 0
        if taker.stp != Stp.NONE and maker.account_idx == taker.account_idx:
            if taker.stp == Stp.CANCEL_OLDEST:
                continue
            return 0
        if not maker.flags & Flag.REDUCE_ONLY:
            found, in_turn = found + maker.leaves_lots, in_turn + maker.visible_lots
        if in_turn >= lots:
            return count
    return len(makers) if found >= lots else 0


def fill(ex: Exchange, order: Order, price_ticks: int, lots: int) -> None:
    """Book one side of a trade."""
    if not ex.contracts[order.contract_idx].legs:
        bought = signed(order.side, lots)
        hand_over(ex, order.account_idx, order.contract_idx, bought, price_ticks)
    order.filled_lots += lots
    order.leaves_lots -= lots


def trade(ex: Exchange, log: Log, taker: Order, maker: Order, lots: int) -> None:
    """Trade `lots` at the maker's price."""
    contract = ex.contracts[maker.contract_idx]
    price_ticks = maker.price_ticks
    for order in (taker, maker):
        fill(ex, order, price_ticks, lots)
    contract.last_trade_ticks = price_ticks
    contract.day_prices.append(price_ticks)
    contract.guard.traded = True
    log.add(
        EventKind.TRADE,
        side=taker.side,
        account_idx=taker.account_idx,
        order_id=taker.order_id,
        contract_idx=taker.contract_idx,
        maker_order_id=maker.order_id,
        maker_account_idx=maker.account_idx,
        price_ticks=price_ticks,
        qty_lots=lots,
        leaves_lots=maker.leaves_lots,
        amount_usd_micros=maker.shown_lots if maker.leaves_lots else 0,
    )
    if contract.legs:
        combinations.trade_legs(ex, log, taker, maker, lots)
    links.filled(ex, log, maker, taker, lots)
    if maker.leaves_lots == 0:
        leave(ex, maker)


def hand_over(ex: Exchange, account_idx: int, contract_idx: int, lots: int, ticks: int) -> None:
    """Give an account signed lots of a contract at a price."""
    contract, position = ex.contracts[contract_idx], ex.position(account_idx, contract_idx)
    assert position is not None
    gain = contract.tick_value_usd_micros * lots * (contract.mark_ticks - ticks)
    position.qty_lots += lots
    position.unsettled_usd_micros += gain
    ex.accounts[account_idx].unsettled_usd_micros += gain


def match(ex: Exchange, log: Log, taker: Order, real_only: bool = False) -> tuple[int, Code]:
    """Let the taker meet the book; stops see the first and the last price of its trades."""
    before = len(log.rows)
    if not real_only and implied.may_meet(ex, taker):
        return meet_all_and_implied(ex, log, taker)
    outcome = meet_all(ex, log, taker)
    see_trades(ex, log, taker, before)
    return outcome


def see_trades(ex: Exchange, log: Log, taker: Order, before: int) -> int:
    """Let stops see the first and the last price since a row; return the row to go on with."""
    prices = [row["price_ticks"] for row in log.rows[before:] if row["kind"] == EventKind.TRADE]
    for price_ticks in prices[:1] + (prices[-1:] if prices[-1:] != prices[:1] else []):
        stops.see(ex, log, taker.contract_idx, TriggerBy.LAST, price_ticks)
    return len(log.rows)


def meet_all_and_implied(ex: Exchange, log: Log, taker: Order) -> tuple[int, Code]:
    """Let the taker trade at the best price each time: with who rests first, then implied."""
    contract, decremented, fills = ex.contracts[taker.contract_idx], 0, 0
    room, seen, stopped = makers_max(ex, taker.contract_idx), len(log.rows), Code.OK
    while taker.leaves_lots and stopped == Code.OK:
        quotes.end_hits(ex, log)
        makers = met(ex, taker.contract_idx, taker.side, taker.price_ticks)
        breach = calls.touched(ex, contract, makers[0].price_ticks) if makers else 0
        offer = implied.best(ex, taker.contract_idx, taker.side, taker.price_ticks, True)
        limit = taker.price_ticks if offer is None else offer.price_ticks
        meets = makers and crosses(taker.side, limit, makers[0])
        if meets and not breach:
            lost, stopped, room = meet_some(ex, log, taker, limit, room)
        elif meets or offer is None:
            contract.guard.breach = breach or contract.guard.breach
            break
        elif fills == IMPLIED_FILLS_MAX:
            stopped = Code.MAKERS_LIMIT
            break
        else:
            seen = see_trades(ex, log, taker, seen)
            lost, stopped = implied.meet(ex, log, taker, offer)
            fills += 1
        decremented += lost
    see_trades(ex, log, taker, seen)
    return decremented, stopped


def meet_all(ex: Exchange, log: Log, taker: Order) -> tuple[int, Code]:
    """Let the taker meet the book.

    Returns:
        the lots it lost to self-trade prevention by decrement, and what stopped it, if anything:
        self-trade prevention, or that it met as many orders as one may.
    """
    room = makers_max(ex, taker.contract_idx)
    return meet_some(ex, log, taker, None, room)[:2]


def meet_some(
    ex: Exchange, log: Log, taker: Order, limit: int | None, room: int
) -> tuple[int, Code, int]:
    """Do the same up to another limit than the taker's; return also the room that is left."""
    decremented = 0
    turned: list[Order] = []  # icebergs that showed anew on the level that is being met
    contract = ex.contracts[taker.contract_idx]
    reach = taker.price_ticks if limit is None else limit
    while taker.leaves_lots and (makers := met(ex, taker.contract_idx, taker.side, reach)):
        maker = makers[0]
        breach = calls.touched(ex, contract, maker.price_ticks)
        if breach:
            if limit is None:
                contract.guard.breach = breach
            break
        if room == 0:
            return decremented, Code.MAKERS_LIMIT, room
        room -= 1
        if taker.stp != Stp.NONE and maker.account_idx == taker.account_idx:
            lost, stopped = prevent(ex, log, taker, maker)
            decremented += lost
            if stopped != Code.OK:
                return decremented, stopped, room
        elif maker.display_lots:
            level = [order for order in makers if order.price_ticks == maker.price_ticks]
            icebergs.meet(ex, log, taker, level, turned)
        else:
            meet(ex, log, taker, maker)
    return decremented, Code.OK, room


def prevent(ex: Exchange, log: Log, taker: Order, maker: Order) -> tuple[int, Code]:
    """Do what the taker's mode says; return the lots it lost, and what stops it, if anything."""
    if taker.stp == Stp.CANCEL_NEWEST:
        return 0, Code.SELF_TRADE_PREVENTED
    if taker.stp == Stp.DECREMENT:
        return decrement(ex, log, taker, maker), Code.OK
    cancel(ex, log, maker, Code.SELF_TRADE_PREVENTED)
    return 0, Code.SELF_TRADE_PREVENTED if taker.stp == Stp.CANCEL_BOTH else Code.OK


def meet(ex: Exchange, log: Log, taker: Order, maker: Order) -> None:
    """Let the taker meet an order that shows all it has."""
    limit = fill_limit(ex, maker)
    ends = limit < maker.leaves_lots and limit < taker.leaves_lots
    lots = min(limit, taker.leaves_lots)
    if lots:
        trade(ex, log, taker, maker, lots)
        if maker.flags & Flag.QUOTE:
            quotes.note_fill(ex, maker, lots)
    if ends:
        cancel(ex, log, maker, Code.REDUCE_ONLY_CLIPPED)


def decrement(ex: Exchange, log: Log, taker: Order, maker: Order) -> int:
    lots = min(taker.leaves_lots, maker.leaves_lots)
    taker.leaves_lots -= lots
    maker.leaves_lots -= lots
    maker.shown_lots = min(maker.shown_lots, maker.leaves_lots)
    if maker.leaves_lots == 0:
        leave(ex, maker)
    said = log.cancelled(maker, lots, Code.SELF_TRADE_PREVENTED)
    said["amount_usd_micros"] = maker.shown_lots
    return lots


def enter(
    ex: Exchange,
    log: Log,
    order: Order,
    reply: dict[str, int],
    clipped: int,
    tie: Callable[[int], None] = lambda traded: None,
) -> None:
    """Match an order that is not in the book, rest what is left of it, say what was dropped."""
    filled_lots = order.filled_lots
    decremented, stopped, dropped, code = 0, Code.OK, 0, Code.IOC_REMAINDER
    wanted, order.min_lots = order.min_lots, 0  # it counts once
    if ex.contracts[order.contract_idx].state == TradingState.AUCTION:
        assert order.tif not in IMMEDIATE  # it gathers with the others
    elif order.tif == Tif.FOK and not fillable(ex, order, order.leaves_lots):
        code = Code.FOK_NOT_FILLABLE
    elif wanted and (wanted > order.leaves_lots or not fillable(ex, order, wanted)):
        dropped, order.leaves_lots = order.leaves_lots, 0
        code = Code.MIN_QUANTITY_NOT_FILLABLE
        if order.tif == Tif.FOK:
            code = Code.FOK_NOT_FILLABLE
    else:
        decremented, stopped = match(ex, log, order, real_only=bool(wanted))
        if wanted and order.leaves_lots and stopped == Code.OK and implied.may_meet(ex, order):
            lost, stopped = match(ex, log, order)
            decremented += lost
    if stopped == Code.SELF_TRADE_PREVENTED:
        prevented = decremented + order.leaves_lots
        order.leaves_lots = 0
    else:
        prevented = decremented
        if stopped == Code.MAKERS_LIMIT:
            code = stopped
        if order.tif in IMMEDIATE or stopped:
            dropped += order.leaves_lots
            order.leaves_lots = 0
        elif quotes.is_frozen(ex, order):
            dropped, order.leaves_lots, code = order.leaves_lots, 0, Code.MMP_TRIGGERED
    order.shown_lots = min(order.display_lots, order.leaves_lots)
    reply["leaves_lots"] = order.leaves_lots
    reply["amount_usd_micros"] = order.shown_lots
    if order.leaves_lots:
        rest(ex, order)
    tie(order.filled_lots - filled_lots)
    for lots, why in (
        (clipped, Code.REDUCE_ONLY_CLIPPED),
        (prevented, Code.SELF_TRADE_PREVENTED),
        (dropped, code),
    ):
        if lots:
            log.cancelled(order, lots, why)
