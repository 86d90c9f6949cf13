"""No engine: what the loop, and the call of an adapter, cost by themselves."""


class Book:
    """Takes everything, does nothing."""

    def add(self, order_id: int, side: int, price: int, quantity: int) -> None:
        """Do nothing."""

    def cancel(self, order_id: int) -> None:
        """Do nothing."""

    def trades(self) -> list[tuple[int, int, int, int]]:
        """Return none."""
        return []
