"""litebook: Rust behind PyO3; ids are texts of its own, prices ticks, quantities floats."""

from typing import Any

import litebook as engine

SIDES = (engine.OrderType.Buy, engine.OrderType.Sell)


class Book:
    """Notes its ids by ours."""

    def __init__(self) -> None:
        self.book = engine.OrderBook(tick_size=1.0)
        self.theirs: dict[int, str] = {}
        self.ours: dict[str, int] = {}
        self.found: list[tuple[int, str, Any]] = []

    def add(self, order_id: int, side: int, price: int, quantity: int) -> None:
        """Place a limit order."""
        order = engine.Order(SIDES[side], price, float(quantity))
        theirs = self.theirs[order_id] = order.id
        self.ours[theirs] = order_id
        fills = self.book.add(order)
        if fills:
            self.found.append((order_id, theirs, fills))

    def cancel(self, order_id: int) -> None:
        """Cancel an order."""
        self.book.cancel(self.theirs[order_id])

    def trades(self) -> list[tuple[int, int, int, int]]:
        """Return all trades."""
        return [
            (taker, self.ours[_other(f, theirs)], int(f.price), int(f.quantity))
            for taker, theirs, fills in self.found
            for f in fills
        ]


def _other(fill: Any, taker: str) -> str:
    """Return the maker's id: which of the two names holds it does not depend on the side."""
    return str(fill.buy_id if fill.sell_id == taker else fill.sell_id)
