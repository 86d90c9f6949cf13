"""Orders that end with a call or a day: they end in the order in which they came to be such."""

from matching.codes import Code, Tif
from tests.oracle import book
from tests.oracle.events import Log
from tests.oracle.state import Exchange, Order

ENDS = ((Tif.GFN, Code.AUCTION_STARTED), (Tif.DAY, Code.ORDER_EXPIRED))


def join(ex: Exchange, order: Order) -> None:
    """List an order under its time in force, unless it stands there already."""
    if order.life == order.tif:
        return
    order.life, order.over = order.tif, False
    ex.joined += 1
    order.joined = ex.joined


def wait(ex: Exchange, order: Order) -> None:
    """List a stop that waits, if it is for the day: others come to live when they enter."""
    if order.tif == Tif.DAY:
        join(ex, order)
    else:
        order.life = -1


def listed(ex: Exchange, contract_idx: int, tif: int, *, over: bool) -> list[Order]:
    found = [
        order
        for order in ex.orders.values()
        if (order.contract_idx, order.life, order.over) == (contract_idx, tif, over)
    ]
    return sorted(found, key=lambda order: order.joined)


def let_end(ex: Exchange, contract_idx: int, tif: int) -> None:
    for order in listed(ex, contract_idx, tif, over=False):
        order.over = ex.lives_over = True


def end(ex: Exchange, log: Log, contract_idx: int) -> None:
    """Cancel what is over of a contract, as many as the command may."""
    for tif, code in ENDS:
        for order in listed(ex, contract_idx, tif, over=True)[: max(0, log.room(ex))]:
            book.cancel(ex, log, order, code)


def step(ex: Exchange, log: Log) -> None:
    """Go on with the first contract in which something is over."""
    for contract_idx in range(len(ex.contracts)):
        if any(listed(ex, contract_idx, tif, over=True) for tif, _ in ENDS):
            end(ex, log, contract_idx)
            return
    ex.lives_over = False
