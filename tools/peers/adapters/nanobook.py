"""nanobook: Rust behind PyO3; it makes the ids and keeps the trades."""

import nanobook as engine

SIDES = ("buy", "sell")


class Book:
    """Notes its ids by ours."""

    def __init__(self) -> None:
        self.exchange = engine.Exchange()
        self.theirs: dict[int, int] = {}
        self.ours: list[int] = [0]  # by its id, from 1

    def add(self, order_id: int, side: int, price: int, quantity: int) -> None:
        """Place a limit order."""
        done = self.exchange.submit_limit(SIDES[side], price, quantity, "gtc")
        self.theirs[order_id] = done.order_id
        self.ours.append(order_id)

    def cancel(self, order_id: int) -> None:
        """Cancel an order."""
        self.exchange.cancel(self.theirs[order_id])

    def trades(self) -> list[tuple[int, int, int, int]]:
        """Return all trades."""
        ours = self.ours
        return [
            (ours[t.aggressor_order_id], ours[t.passive_order_id], t.price, t.quantity)
            for t in self.exchange.trades()
        ]
