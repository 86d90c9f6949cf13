"""Pegged orders: all of a contract's are judged anew whenever its book may have changed."""

from matching.codes import Code, EventKind, Peg, Side, TradingState
from matching.limits import PEGS_MAX
from tests.oracle import book, implied, risk
from tests.oracle.events import Log
from tests.oracle.state import Exchange, Order

TRADING = (TradingState.CONTINUOUS, TradingState.CLOSE_ONLY)


def of_contract(ex: Exchange, contract_idx: int) -> list[Order]:
    """Return the pegged orders of a contract, oldest first."""
    orders = [order for side in ex.contracts[contract_idx].book for order in side if order.peg]
    return sorted(orders, key=lambda order: order.order_id)


def is_full(ex: Exchange, contract_idx: int) -> bool:
    return len(of_contract(ex, contract_idx)) >= PEGS_MAX


def wake(ex: Exchange, contract_idx: int) -> None:
    """Let the contract's pegs be judged behind the command."""
    if contract_idx not in ex.pegs_waiting and of_contract(ex, contract_idx):
        ex.pegs_waiting.append(contract_idx)


def best_plain(ex: Exchange, contract_idx: int, side: int) -> int | None:
    """Return the best price of orders that follow nobody."""
    for order in book.best_first(ex, contract_idx, side):
        if not order.peg:
            return order.price_ticks
    return None


def wish(ex: Exchange, contract_idx: int, side: int, peg: int, offset_ticks: int) -> int | None:
    """Return the price that a peg would like to have."""
    bid = best_plain(ex, contract_idx, Side.BUY)
    ask = best_plain(ex, contract_idx, Side.SELL)
    if peg == Peg.BID:
        followed = bid
    elif peg == Peg.ASK:
        followed = ask
    elif bid is None or ask is None:
        followed = None
    else:
        followed = (bid + ask) // 2 if side == Side.BUY else -(-(bid + ask) // 2)
    return None if followed is None else followed + offset_ticks


def price(
    ex: Exchange, contract_idx: int, side: int, peg: int, offset_ticks: int, met: list[int]
) -> int | None:
    """Return the price that a peg may have, not meeting any of the opposite prices."""
    wanted = wish(ex, contract_idx, side, peg, offset_ticks)
    if wanted is None:
        return None
    low, high = ex.band(ex.contracts[contract_idx])
    highest = (1 << ex.capacity.price_bits) - 1
    if side == Side.BUY:
        found = min([max(wanted, 1), high, *(opposite - 1 for opposite in met)])
    else:
        found = max([min(wanted, highest), low, *(opposite + 1 for opposite in met)])
    return found if 1 <= found <= highest else None


def entry_price(
    ex: Exchange, contract_idx: int, side: int, peg: int, offset_ticks: int
) -> int | None:
    """Return the price of a peg that enters now, behind everything that rests."""
    met = [order.price_ticks for order in ex.contracts[contract_idx].book[1 - side]]
    return price(ex, contract_idx, side, peg, offset_ticks, met)


def move_next(ex: Exchange, log: Log) -> None:
    """Judge the contract that waits longest."""
    contract_idx = ex.pegs_waiting[0]
    if ex.contracts[contract_idx].state in TRADING and not ex.halted:
        judge(ex, log, contract_idx)
    ex.pegs_waiting.remove(contract_idx)


def judge(ex: Exchange, log: Log, contract_idx: int) -> None:
    """Give each peg the price it may have, next to plain orders and to pegs judged before it."""
    settled: list[Order] = []
    for order in of_contract(ex, contract_idx):
        met = [one.price_ticks for one in settled if one.side != order.side]
        plain = best_plain(ex, contract_idx, 1 - order.side)
        met += [] if plain is None else [plain]
        found = price(ex, contract_idx, order.side, order.peg, order.offset_ticks, met)
        if found is None:
            book.cancel(ex, log, order, Code.NO_REFERENCE_PRICE)
        elif not may_move(ex, order, found):
            book.cancel(ex, log, order, Code.MARGIN_INSUFFICIENT)
        else:
            if found != order.price_ticks:
                move(ex, log, order, found)
            settled.append(order)


def may_move(ex: Exchange, order: Order, price_ticks: int) -> bool:
    """Judge the money if the order would lose more against the mark than where it is."""
    contract, lots = ex.contracts[order.contract_idx], order.leaves_lots
    before = risk.loss_against_mark(contract, order.side, order.price_ticks, lots)
    if risk.loss_against_mark(contract, order.side, price_ticks, lots) <= before:
        return True
    order.leaves_lots, order.lifted_lots = 0, lots
    moved = risk.Wish(order.account_idx, order.contract_idx, order.side, price_ticks, lots)
    allowed = risk.margin_allows(ex, moved)
    order.leaves_lots, order.lifted_lots = lots, 0
    return allowed


def move(ex: Exchange, log: Log, order: Order, price_ticks: int) -> None:
    side = ex.contracts[order.contract_idx].book[order.side]
    side.remove(order)
    side.append(order)
    order.price_ticks = price_ticks
    order.shown_lots = min(order.display_lots, order.leaves_lots)
    implied.wake(ex, order.contract_idx)
    log.add(
        EventKind.REPRICED,
        order_id=order.order_id,
        account_idx=order.account_idx,
        contract_idx=order.contract_idx,
        side=order.side,
        price_ticks=price_ticks,
        qty_lots=order.leaves_lots,
        leaves_lots=order.leaves_lots,
        amount_usd_micros=order.shown_lots,
    )
