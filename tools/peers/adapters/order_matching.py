"""order-matching: plain Python; orders are placed in groups and then matched at a time."""

from datetime import datetime, timedelta
from typing import Any

from loguru import logger
from order_matching.enums import Side
from order_matching.matching_engine import MatchingEngine
from order_matching.order import LimitOrder
from order_matching.orders import Orders

SIDES = (Side.BUY, Side.SELL)
STEP = timedelta(microseconds=1)

logger.remove()  # it writes a line an order otherwise


class Book:
    """Its ids are texts, so ours are written as texts; one that is placed again gets a new one."""

    def __init__(self) -> None:
        self.engine = MatchingEngine(seed=1)
        self.now = datetime(2026, 1, 1)  # noqa: DTZ001 it compares times without a zone
        self.found: list[Any] = []
        self.theirs: dict[int, str] = {}
        self.count = 0

    def add(self, order_id: int, side: int, price: int, quantity: int) -> None:
        """Place a limit order."""
        self.now += STEP
        self.count += 1
        theirs = self.theirs[order_id] = f"{order_id}.{self.count}"
        order = LimitOrder(
            side=SIDES[side], price=price, size=quantity, timestamp=self.now,
            order_id=theirs, trader_id="t",
        )  # fmt: skip
        self.engine.place(Orders([order]))
        self.found += self.engine.match(timestamp=self.now).trades

    def cancel(self, order_id: int) -> None:
        """Cancel an order."""
        self.engine.cancel_order(self.theirs[order_id])

    def trades(self) -> list[tuple[int, int, int, int]]:
        """Return all trades."""
        return [
            (_id(t.incoming_order_id), _id(t.book_order_id), int(t.price), int(t.size))
            for t in self.found
        ]


def _id(theirs: str) -> int:
    return int(theirs.partition(".")[0])
