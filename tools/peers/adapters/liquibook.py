"""liquibook: the C++ engine behind SWIG; trades come to a listener as pairs of orders."""

import liquibook as engine


class Listener(engine.OrderListener):  # type: ignore[misc]  # it has no types
    """Keeps the fills."""

    def __init__(self) -> None:
        engine.OrderListener.__init__(self)
        self.found: list[tuple[int, int, int, int]] = []

    def on_fill(self, taker: object, maker: object, quantity: int, price: int) -> None:
        """Note a fill; its own text names the two the other way round."""
        self.found.append((taker.order_id_, maker.order_id_, price, quantity))  # type: ignore[attr-defined]

    def on_accept(self, order: object) -> None:
        """Hear it, and do nothing."""

    def on_cancel(self, order: object) -> None:
        """Hear it, and do nothing."""


class Book:
    """Its ids are of the process, counted from the first order."""

    def __init__(self) -> None:
        self.listener = Listener()
        self.book = engine.DepthOrderBook()
        self.book.set_order_listener(self.listener)
        self.book.set_symbol("PEER")
        self.live: dict[int, object] = {}
        self.ours: dict[int, int] = {}

    def add(self, order_id: int, side: int, price: int, quantity: int) -> None:
        """Place a limit order."""
        order = self.live[order_id] = engine.SimpleOrder(side == 0, price, quantity)
        self.ours[order.order_id_] = order_id
        self.book.add(order)

    def cancel(self, order_id: int) -> None:
        """Cancel an order."""
        self.book.cancel(self.live[order_id])

    def trades(self) -> list[tuple[int, int, int, int]]:
        """Return all trades."""
        ours = self.ours
        return [(ours[t], ours[m], price, lots) for t, m, price, lots in self.listener.found]
