"""Legs of a pair, parents and children: who ends or grows with whom."""

from itertools import pairwise

from matching.codes import Code, EventKind, Flag, OrderType, Side, TriggerBy
from tests.oracle import book, stops
from tests.oracle.events import Log
from tests.oracle.state import Command, Exchange, Order, Stop


def may_link(ex: Exchange, cmd: Command) -> bool:
    other = ex.orders.get(cmd.order_id)
    if other is None or (other.account_idx, other.contract_idx) != (
        cmd.account_idx,
        cmd.contract_idx,
    ):
        return False
    if cmd.order_type == OrderType.MARKET or other.market or other.flags & Flag.QUOTE:
        return False
    if cmd.display_lots or other.display_lots:
        return False
    if other.link_id or other.parent_id or children_of(ex, other):
        return False
    return cmd.order_type in stops.STOP_TYPES or may_rest_beside(cmd, other)


def may_rest_beside(cmd: Command, other: Order) -> bool:
    """Say whether at most one of two legs can trade at any price while both rest."""
    if other.stop is not None:
        return True
    if cmd.order_type != OrderType.LIMIT or other.peg:
        return False
    return other.side != cmd.side and not meet(other, cmd.price_ticks)


def meet(other: Order, price_ticks: int) -> bool:
    """Say whether an order crosses one that rests on the other side."""
    if other.side == Side.BUY:
        return price_ticks <= other.price_ticks
    return price_ticks >= other.price_ticks


def would_meet_leg(ex: Exchange, order: Order, price_ticks: int) -> bool:
    """Say whether an order would cross its other leg at another price."""
    other = ex.orders.get(order.link_id)
    return other is not None and other.stop is None and meet(other, price_ticks)


def would_pass_child(ex: Exchange, order: Order, price_ticks: int) -> bool:
    """Say whether another price of an order is where a child of it would be triggered."""
    waiting = [child.stop for child in children_of(ex, order) if child.stop is not None]
    return price_ticks != order.price_ticks and any(
        price_ticks >= stop.trigger_ticks if stop.rises else price_ticks <= stop.trigger_ticks
        for stop in waiting
    )


def children_of(ex: Exchange, parent: Order) -> list[Order]:
    """Return the children, take-profit first."""
    return [ex.orders[child_id] for child_id in parent.child_ids if child_id in ex.orders]


def link(ex: Exchange, order: Order, other_id: int) -> None:
    order.link_id = other_id
    ex.orders[other_id].link_id = order.order_id


def judge_bracket(ex: Exchange, cmd: Command) -> int:
    stop, profit = stops.low_half(cmd.amount_usd_micros), stops.low_half(cmd.ref_id)
    highest = (1 << ex.capacity.price_bits) - 1
    if cmd.state not in set(TriggerBy):
        return Code.TRIGGER_INVALID
    if cmd.order_type == OrderType.PEGGED or not (stop or profit):
        return Code.BRACKET_INVALID
    if cmd.flags & (Flag.LINKED | Flag.REDUCE_ONLY):
        return Code.BRACKET_INVALID
    if not 0 <= stop <= highest or not 0 <= profit <= highest:
        return Code.BRACKET_INVALID
    entry_ticks = cmd.price_ticks
    if cmd.order_type == OrderType.MARKET_TO_LIMIT:
        opposite = book.best_first(ex, cmd.contract_idx, 1 - cmd.side)
        entry_ticks = opposite[0].price_ticks if opposite else 0
    in_order = [ticks for ticks in (stop, entry_ticks, profit) if ticks]
    if cmd.side == Side.SELL:
        in_order.reverse()
    if any(low >= high for low, high in pairwise(in_order)):
        return Code.BRACKET_INVALID
    children = (stop != 0) + (profit != 0)
    if stops.stops_of(ex, cmd.account_idx) + children > ex.capacity.account_stops:
        return Code.STOPS_FULL
    if len(stops.waiting(ex, cmd.contract_idx)) + children > ex.capacity.contract_stops:
        return Code.CONTRACT_STOPS_FULL
    if book.slots_left(ex) < 1 + children:
        return Code.BOOK_FULL
    return Code.OK


def tie(ex: Exchange, log: Log, cmd: Command, order: Order, traded: int) -> None:
    """Tie an order that has just matched."""
    if cmd.flags & Flag.BRACKET:
        if traded or order.leaves_lots:
            make_children(ex, log, cmd, order, traded)
    elif cmd.flags & Flag.LINKED and cmd.order_id in ex.orders:
        if traded:
            book.cancel(ex, log, ex.orders[cmd.order_id], Code.OTHER_LEG_DONE)
        elif order.leaves_lots:
            link(ex, order, cmd.order_id)


def make_children(ex: Exchange, log: Log, cmd: Command, parent: Order, traded: int) -> None:
    prices = {
        OrderType.TAKE_PROFIT: stops.low_half(cmd.ref_id),
        OrderType.STOP: stops.low_half(cmd.amount_usd_micros),
    }
    made: list[Order] = []
    for order_type, ticks in prices.items():
        if ticks == 0:
            continue
        side = Side.SELL if parent.side == Side.BUY else Side.BUY
        slot = book.take_slot(ex)
        child = Order(
            order_id=cmd.seq * (1 << 20) + slot,
            slot=slot,
            account_idx=parent.account_idx,
            contract_idx=parent.contract_idx,
            side=side,
            price_ticks=0,
            leaves_lots=0,
            filled_lots=0,
            tif=0,
            stp=parent.stp,
            flags=Flag.REDUCE_ONLY,
            expires_ns=0,
        )
        rises = stops.is_rising(order_type, side)
        child.stop = Stop(order_type, cmd.state, rises, ticks, 0, 0, False, True)
        child.parent_id = parent.order_id if parent.leaves_lots else 0
        if made:
            made[0].link_id, child.link_id = child.order_id, made[0].order_id
        made.append(child)
        ex.orders[child.order_id] = child
        book.owned(ex, child).orders.append(child)
        stops.say(log, EventKind.STOP_ACCEPTED, child, 0)
        if traded:
            child.more_lots = traded
            see_to(ex, child)
    if parent.leaves_lots:
        parent.child_ids = [child.order_id for child in made]


def see_to(ex: Exchange, child: Order) -> None:
    """Let a child be seen to behind the command, once."""
    if child not in ex.children:
        ex.children.append(child)
    ex.work = True


def filled(ex: Exchange, log: Log, order: Order, other: Order | None, lots: int) -> None:
    """A tied order has traded with another: its other leg ends, its children grow."""
    leg = ex.orders.get(order.link_id)
    if leg is not None and leg is not other:
        book.cancel(ex, log, leg, Code.OTHER_LEG_DONE)
    for child in children_of(ex, order):
        child.more_lots += lots
        see_to(ex, child)


def ended(ex: Exchange, order: Order) -> None:
    """An order is gone: tell those it was tied to."""
    leg = ex.orders.get(order.link_id)
    if leg is not None:
        leg.link_id = 0
    if order in ex.children:
        ex.children.remove(order)
    for child in children_of(ex, order):
        child.parent_id = 0
        if child.leaves_lots == 0:
            see_to(ex, child)
    order.link_id = order.parent_id = 0
    order.child_ids = []


def end_partners(ex: Exchange, log: Log, order: Order) -> None:
    """A stop enters: its other leg ends, and what is left of its parent."""
    leg, parent = ex.orders.get(order.link_id), ex.orders.get(order.parent_id)
    order.link_id = order.parent_id = 0
    if order in ex.children:
        ex.children.remove(order)
    order.more_lots = 0
    if parent is not None:
        parent.child_ids = []
    if leg is not None:
        leg.link_id = 0
        book.cancel(ex, log, leg, Code.OTHER_LEG_DONE)
    if parent is not None:
        book.cancel(ex, log, parent, Code.BRACKET_DONE)
