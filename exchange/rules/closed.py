"""The orders that ended lately, by both ids, so that a read right after shows them."""

from collections import deque

from exchange.rules.records import ClientKey, Order

CLOSED_KEPT = 100_000


class ClosedOrders:
    """A ring of ended orders, the oldest forgotten first."""

    def __init__(self, kept: int = CLOSED_KEPT) -> None:
        self._kept = kept
        self._ring: deque[Order] = deque()
        self._by_id: dict[int, Order] = {}
        self._by_client: dict[ClientKey, Order] = {}

    def add(self, order: Order) -> None:
        """Remember an order that has just ended."""
        self._ring.append(order)
        self._by_id[order.order_id] = order
        if any(order.client_words):
            self._by_client[(order.account_idx, *order.client_words)] = order
        if len(self._ring) > self._kept:
            self._forget(self._ring.popleft())

    def by_id(self, order_id: int) -> Order | None:
        """Return an ended order by its id, None when it is not known any more."""
        return self._by_id.get(order_id)

    def by_client(self, key: ClientKey) -> Order | None:
        """Return the last ended order of a client order id, None when not known."""
        return self._by_client.get(key)

    def _forget(self, order: Order) -> None:
        del self._by_id[order.order_id]
        key = (order.account_idx, *order.client_words)
        if self._by_client.get(key) is order:
            del self._by_client[key]
