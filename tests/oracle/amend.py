"""AMEND: a smaller order keeps its place, any other one enters anew."""

from matching.codes import AccountState, Code, EventKind, Flag, OrderType
from tests.oracle import book, entry, orders, risk
from tests.oracle.events import Log
from tests.oracle.state import Command, Exchange, Order


def amend(ex: Exchange, log: Log, cmd: Command) -> None:
    if not 0 <= cmd.account_idx < len(ex.accounts):
        log.refuse(cmd, Code.ACCOUNT_UNKNOWN)
        return
    order = orders.find_own(ex, cmd)
    if order is None:
        log.refuse(cmd, Code.ORDER_UNKNOWN)
        return
    code = judge_fields(ex, cmd, order)
    if code != Code.OK:
        log.refuse(cmd, code, order.order_id)
        return
    price_ticks, open_lots = wanted(cmd, order)
    if open_lots <= 0:
        end(ex, log, order)
    elif price_ticks == order.price_ticks and open_lots < order.leaves_lots:
        order.leaves_lots = open_lots
        reply(log, order, order.filled_lots + open_lots)["leaves_lots"] = open_lots
    else:
        enter_anew(ex, log, cmd, order, price_ticks, open_lots)


def wanted(cmd: Command, order: Order) -> tuple[int, int]:
    """Return the price and the open lots that the order should have."""
    price_ticks = cmd.price_ticks or order.price_ticks
    if cmd.flags & Flag.QTY_IS_OPEN:
        return price_ticks, cmd.qty_lots
    if cmd.qty_lots == 0:
        return price_ticks, order.leaves_lots
    return price_ticks, max(0, cmd.qty_lots) - order.filled_lots


def judge_fields(ex: Exchange, cmd: Command, order: Order) -> int:
    highest = (1 << ex.capacity.price_bits) - 1
    is_open = cmd.flags & Flag.QTY_IS_OPEN
    nothing_given = not is_open and cmd.qty_lots == 0 and cmd.price_ticks == 0
    price_ticks, open_lots = wanted(cmd, order)
    same = price_ticks == order.price_ticks and open_lots == order.leaves_lots
    total_lots = open_lots + order.filled_lots
    checks = (
        (cmd.flags & ~Flag.QTY_IS_OPEN, Code.FLAGS_INVALID),
        (cmd.qty_lots < (0 if is_open else -1), Code.QTY_NOT_POSITIVE),
        (total_lots > ex.contracts[order.contract_idx].qty_max_lots, Code.QTY_TOO_LARGE),
        (not 0 <= cmd.price_ticks <= highest, Code.PRICE_INVALID),
        (nothing_given or same, Code.AMEND_CHANGES_NOTHING),
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


def enter_anew(
    ex: Exchange, log: Log, cmd: Command, order: Order, price_ticks: int, open_lots: int
) -> None:
    """Judge the new order as if the old one were gone; if it may enter, replace the old."""
    old_lots, order.leaves_lots = order.leaves_lots, 0
    wish = risk.Wish(order.account_idx, order.contract_idx, order.side, price_ticks, open_lots)
    code: int = Code.OK
    if ex.accounts[order.account_idx].state == AccountState.FROZEN:
        code = Code.ACCOUNT_FROZEN
    if code == Code.OK:
        entering = entry.Entry(wish, OrderType.LIMIT, order.tif, order.flags)
        code, entering = entry.judge(ex, entering)
        wish = entering.wish
    if code == Code.OK:
        code = entry.judge_risk(ex, wish)
    if code != Code.OK:
        order.leaves_lots = old_lots
        log.refuse(cmd, code, order.order_id)
        return
    ex.contracts[order.contract_idx].book[order.side].remove(order)
    order.price_ticks, order.leaves_lots = price_ticks, wish.qty_lots
    answer = reply(log, order, order.filled_lots + open_lots)
    orders.enter(ex, log, order, answer, open_lots - wish.qty_lots)
    if order.leaves_lots == 0:
        drop(ex, order)


def drop(ex: Exchange, order: Order) -> None:
    """Forget an order that left the book to match and did not come back."""
    del ex.orders[order.order_id]
    book.owned(ex, order).orders.remove(order)
    ex.slots_free.append(order.slot)
