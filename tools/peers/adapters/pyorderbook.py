"""pyorderbook: plain Python, prices are Decimals, ids UUIDs of its own."""

import logging
from typing import Any

import pyorderbook as engine

SIDES = (engine.Side.BID, engine.Side.ASK)
SYMBOL = "PEER"

logging.getLogger().setLevel(logging.CRITICAL)  # importing it makes the process talkative


class Book:
    """Keeps its orders by our ids."""

    def __init__(self) -> None:
        self.book = engine.Book()
        self.orders: dict[int, Any] = {}
        self.ours: dict[Any, int] = {}
        self.found: list[Any] = []

    def add(self, order_id: int, side: int, price: int, quantity: int) -> None:
        """Place a limit order."""
        order = self.orders[order_id] = engine.Order(SIDES[side], SYMBOL, price, quantity)
        self.ours[order.id] = order_id
        blotter = self.book.match(order)
        if blotter.trades:
            self.found += blotter.trades

    def cancel(self, order_id: int) -> None:
        """Cancel an order."""
        self.book.cancel(self.orders[order_id])

    def trades(self) -> list[tuple[int, int, int, int]]:
        """Return all trades."""
        ours = self.ours
        return [
            (
                ours[t.incoming_order_id],
                ours[t.standing_order_id],
                int(t.fill_price),
                t.fill_quantity,
            )
            for t in self.found
        ]
