"""One side of a book as a reader sees it."""

from bisect import bisect_left, insort

from matching.codes import Side


class BookSide:
    """The levels of one side: price -> [qty_lots, orders], and the prices in order."""

    __slots__ = ("levels", "prices", "side")

    def __init__(self, side: int) -> None:
        self.side = side
        self.levels: dict[int, list[int]] = {}
        self.prices: list[int] = []  # ascending

    def add(self, price_ticks: int, qty_lots: int) -> None:
        """Add one order of `qty_lots` at a price."""
        level = self.levels.get(price_ticks)
        if level is None:
            self.levels[price_ticks] = [qty_lots, 1]
            insort(self.prices, price_ticks)
        else:
            level[0] += qty_lots
            level[1] += 1

    def take(self, price_ticks: int, qty_lots: int, orders: int) -> None:
        """Remove lots, and `orders` orders (0 or 1), at a price."""
        level = self.levels[price_ticks]
        level[0] -= qty_lots
        level[1] -= orders
        if level[1] == 0:
            assert level[0] == 0, "a level without orders still has lots"
            del self.levels[price_ticks]
            del self.prices[bisect_left(self.prices, price_ticks)]

    def best_ticks(self) -> int:
        """Return the best price, 0 when the side is empty."""
        if not self.prices:
            return 0
        return self.prices[-1] if self.side == Side.BUY else self.prices[0]

    def reach_ticks(self, qty_lots: int) -> int:
        """Return the price by which so many lots stand, best first; 0 when fewer do."""
        left_lots = qty_lots
        for price in reversed(self.prices) if self.side == Side.BUY else self.prices:
            left_lots -= self.levels[price][0]
            if left_lots <= 0:
                return price
        return 0

    def depth(self, levels: int) -> list[tuple[int, int, int]]:
        """Return at most `levels` of (price_ticks, qty_lots, orders), best first."""
        if levels <= 0:
            return []
        prices = self.prices[: -levels - 1 : -1] if self.side == Side.BUY else self.prices[:levels]
        return [(price, *self.levels[price]) for price in prices]  # type: ignore[misc]
