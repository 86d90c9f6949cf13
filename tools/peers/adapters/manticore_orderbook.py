"""manticore-orderbook: plain Python with an event bus; trades come to a subscriber."""

import logging
from typing import Any

from manticore_orderbook import EventManager, EventType, OrderBook

SIDES = ("buy", "sell")

logging.disable(logging.CRITICAL)  # it writes a line an order otherwise


class Book:
    """Its ids are texts, so ours are written as texts; one that is placed again gets a new one."""

    def __init__(self) -> None:
        events = EventManager(enable_logging=False)
        self.book = OrderBook("PEER", enable_logging=False, event_manager=events)
        self.found: list[Any] = []
        events.subscribe(EventType.TRADE_EXECUTED, self.note)
        self.theirs: dict[int, str] = {}
        self.count = 0

    def note(self, _: Any, trade: Any) -> None:
        """Keep a trade."""
        self.found.append(trade)

    def add(self, order_id: int, side: int, price: int, quantity: int) -> None:
        """Place a limit order."""
        self.count += 1
        theirs = self.theirs[order_id] = f"{order_id}.{self.count}"
        self.book.add_order(SIDES[side], float(price), float(quantity), theirs)

    def cancel(self, order_id: int) -> None:
        """Cancel an order."""
        self.book.cancel_order(self.theirs[order_id])

    def trades(self) -> list[tuple[int, int, int, int]]:
        """Return all trades."""
        return [
            (
                _id(t["taker_order_id"]),
                _id(t["maker_order_id"]),
                int(t["price"]),
                int(t["quantity"]),
            )
            for t in self.found
        ]


def _id(theirs: str) -> int:
    return int(theirs.partition(".")[0])
