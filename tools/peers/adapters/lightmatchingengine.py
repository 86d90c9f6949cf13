"""lightmatchingengine: dicts and lists in plain Python; trades are returned in pairs."""

from typing import Any

from lightmatchingengine.lightmatchingengine import LightMatchingEngine

SIDES = (1, 2)
SYMBOL = "PEER"


class Book:
    """Notes its ids by ours."""

    def __init__(self) -> None:
        self.engine = LightMatchingEngine()
        self.theirs: dict[int, int] = {}
        self.ours: dict[int, int] = {}
        self.found: list[tuple[int, Any]] = []

    def add(self, order_id: int, side: int, price: int, quantity: int) -> None:
        """Place a limit order."""
        order, trades = self.engine.add_order(SYMBOL, price, quantity, SIDES[side])
        theirs = self.theirs[order_id] = order.order_id
        self.ours[theirs] = order_id
        if trades:
            self.found.append((order_id, trades))

    def cancel(self, order_id: int) -> None:
        """Cancel an order."""
        self.engine.cancel_order(self.theirs[order_id], SYMBOL)

    def trades(self) -> list[tuple[int, int, int, int]]:
        """Return all trades: the makers' halves, for the taker's half sums them up."""
        return [
            (taker, self.ours[t.order_id], int(t.trade_price), int(t.trade_qty))
            for taker, trades in self.found
            for t in trades
            if self.ours[t.order_id] != taker
        ]
