"""cython-orderbook: Cython over sorted dicts; it makes the ids and keeps the trades."""

from cython_orderbook import Order, OrderBook, OrderSide

SIDES = (OrderSide.BID, OrderSide.ASK)


class Book:
    """Notes its ids by ours."""

    def __init__(self) -> None:
        self.book = OrderBook()
        self.theirs: dict[int, str] = {}
        self.ours: dict[str, int] = {}

    def add(self, order_id: int, side: int, price: int, quantity: int) -> None:
        """Place a limit order."""
        order = Order(side=SIDES[side], price=price, original_quantity=quantity)
        theirs = self.theirs[order_id] = order.order_id
        self.ours[theirs] = order_id
        self.book.add_limit_order(order)

    def cancel(self, order_id: int) -> None:
        """Cancel an order."""
        self.book.cancel_order(self.theirs[order_id])

    def trades(self) -> list[tuple[int, int, int, int]]:
        """Return all trades."""
        ours = self.ours
        return [
            (ours[t.aggressor_id], ours[t.filler_id], t.price, t.quantity_filled)
            for t in self.book.trade_log
        ]
