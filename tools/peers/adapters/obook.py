"""obook: a Go engine behind ctypes; it makes the ids, and events are fetched after each order."""

from typing import Any

import obook as engine

ROOM = 1 << 20


class Book:
    """Each order is of a user of its own, so that none meets itself."""

    def __init__(self) -> None:
        self.book = engine.Book(max_orders=ROOM)
        self.theirs: dict[int, int] = {}
        self.ours: dict[int, int] = {}
        self.found: list[Any] = []

    def add(self, order_id: int, side: int, price: int, quantity: int) -> None:
        """Place a limit order."""
        done = self.book.submit(order_id, side, price, quantity)
        self.theirs[order_id] = done.order_id
        self.ours[done.order_id] = order_id
        self.found += self.book.events()

    def cancel(self, order_id: int) -> None:
        """Cancel an order."""
        self.book.cancel(self.theirs[order_id], order_id)

    def trades(self) -> list[tuple[int, int, int, int]]:
        """Return all trades."""
        ours = self.ours
        return [
            (ours[e.taker_id], ours[e.maker_id], e.price, e.qty)
            for e in self.found
            if e.kind == engine.EventKind.TRADE
        ]
