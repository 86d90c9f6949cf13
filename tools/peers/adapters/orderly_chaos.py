"""orderly-chaos: C++ behind ctypes; trades come to a callback."""

from typing import Any

from orderly_chaos import LimitOrderBook, Side

SIDES = (Side.BUY, Side.SELL)


class Book:
    """Its ids are ours."""

    def __init__(self) -> None:
        self.found: list[Any] = []
        self.book = LimitOrderBook(on_trade=self.found.append)
        self.cancel = self.book.cancel

    def add(self, order_id: int, side: int, price: int, quantity: int) -> None:
        """Place a limit order."""
        self.book.limit(SIDES[side], order_id, quantity, price)

    def trades(self) -> list[tuple[int, int, int, int]]:
        """Return all trades."""
        return [(t.taker_id, t.maker_id, t.price, t.quantity) for t in self.found]
