"""Icebergs: a display at a time, then to the back of the level."""

from tests.oracle import book, pegs
from tests.oracle.events import Log
from tests.oracle.state import Exchange, Order


def meet(ex: Exchange, log: Log, taker: Order, level: list[Order], turned: list[Order]) -> None:
    """Let the taker meet a level whose first order is an iceberg."""
    maker = level[0]
    if turned and turned[0] not in level:
        turned.clear()
    if len(level) == 1:
        fill(ex, log, taker, maker, min(taker.leaves_lots, maker.leaves_lots))
    elif turned and maker is turned[0]:
        turned.clear()
        take_rounds(ex, log, taker, level)
    else:
        take_one_display(ex, log, taker, maker, turned)


def take_one_display(
    ex: Exchange, log: Log, taker: Order, maker: Order, turned: list[Order]
) -> None:
    """Take what shows; if that is all of it, what shows next stands at the back."""
    whole = taker.leaves_lots >= maker.shown_lots
    fill(ex, log, taker, maker, min(taker.leaves_lots, maker.shown_lots))
    if whole and maker.leaves_lots:
        side = ex.contracts[maker.contract_idx].book[maker.side]
        side.remove(maker)
        side.append(maker)
        pegs.wake(ex, maker.contract_idx)
        turned.append(maker)


def take_rounds(ex: Exchange, log: Log, taker: Order, level: list[Order]) -> None:
    """Play rounds of one display each while a whole one fits; say them as one trade each."""
    given = [0] * len(level)
    while True:
        round_lots = [
            min(maker.display_lots, maker.leaves_lots - lots)
            for maker, lots in zip(level, given, strict=True)
        ]
        if sum(round_lots) == 0 or sum(given) + sum(round_lots) > taker.leaves_lots:
            break
        given = [lots + more for lots, more in zip(given, round_lots, strict=True)]
    for maker, lots in zip(level, given, strict=True):
        if lots:
            fill(ex, log, taker, maker, lots)


def fill(ex: Exchange, log: Log, taker: Order, maker: Order, lots: int) -> None:
    """Trade; what shows is taken display by display."""
    shown, left, todo = maker.shown_lots, maker.leaves_lots, lots
    while todo:
        taken = min(shown, todo)
        shown, left, todo = shown - taken, left - taken, todo - taken
        if shown == 0:
            shown = min(maker.display_lots, left)
    maker.shown_lots = shown
    book.trade(ex, log, taker, maker, lots)
