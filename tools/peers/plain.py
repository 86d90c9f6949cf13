"""A book of a dict and two heaps in plain Python: it says which trades are right.

It also runs as an engine of the table, with the same two calls as every adapter.
"""

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush

Trade = tuple[int, int, int, int]  # taker, maker, price, quantity
BUY = 0


class Order:
    """One order that rests, or did."""

    __slots__ = ("left", "order_id", "price", "side")

    def __init__(self, order_id: int, side: int, price: int, left: int) -> None:
        self.order_id, self.side, self.price, self.left = order_id, side, price, left


class Half:
    """One side of the book: a queue a price, the best price on top of a heap."""

    def __init__(self, sign: int) -> None:
        self.sign = sign  # times a price: lower is better
        self.heap: list[int] = []
        self.queues: dict[int, deque[Order]] = {}

    def rest(self, order: Order) -> None:
        """Put an order behind the others of its price."""
        key = self.sign * order.price
        queue = self.queues.get(key)
        if queue is None:
            queue = self.queues[key] = deque()
            heappush(self.heap, key)
        queue.append(order)

    def best(self, limit: int) -> Iterator[Order]:
        """Yield the first order not worse than a price, as long as there is one."""
        while self.heap and self.heap[0] <= self.sign * limit:
            queue = self.queues[self.heap[0]]
            while queue and not queue[0].left:  # filled, or cancelled meanwhile
                queue.popleft()
            if queue:
                yield queue[0]
            else:
                del self.queues[heappop(self.heap)]


class Book:
    """Price, then time; fills at the maker's price."""

    def __init__(self) -> None:
        self.halves = Half(-1), Half(1)
        self.live: dict[int, Order] = {}
        self.found: list[Trade] = []

    def add(self, order_id: int, side: int, price: int, quantity: int) -> int:
        """Trade what crosses and let the rest of it rest; return that rest."""
        for maker in self.halves[1 - side].best(price):
            lots = min(quantity, maker.left)
            self.found.append((order_id, maker.order_id, maker.price, lots))
            quantity -= lots
            maker.left -= lots
            if not maker.left:
                del self.live[maker.order_id]
            if not quantity:
                return 0
        order = self.live[order_id] = Order(order_id, side, price, quantity)
        self.halves[side].rest(order)
        return quantity

    def cancel(self, order_id: int) -> None:
        """Take an order out.

        Errors:
            KeyError: it does not rest.
        """
        self.live.pop(order_id).left = 0

    def reduce(self, order_id: int, quantity: int) -> None:
        """Make an order smaller where it stands.

        Errors:
            KeyError: it does not rest.
        """
        self.live[order_id].left = quantity

    def trades(self) -> list[Trade]:
        """Return all trades so far."""
        return self.found
