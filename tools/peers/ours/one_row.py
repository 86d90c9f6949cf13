"""Our engine, one `Engine.apply` of one row for each command, without margin."""

import struct
from typing import Any

import numpy as np

from exchange.services.replay import Header, open_market
from matching.codes import EventKind, Kind
from matching.wire import COMMAND, EVENT, new_commands

ACCOUNTS = 1000
PRICE_TICKS_MAX = (1 << 16) - 1
LETTERS = {"int8": "b", "int16": "h", "int32": "i", "int64": "q"}
# The words that a limit order or a cancellation uses come first in a row.
NAMES = list(COMMAND.names or ())
NAMES = NAMES[: NAMES.index("qty_lots") + 1]
FILL = struct.Struct("<" + "".join(LETTERS[COMMAND[name].name] for name in NAMES))
ORDER_ID = struct.Struct("<q")
assert EVENT.fields is not None
ORDER_ID_AT = EVENT.fields["order_id"][1]


class Book:
    """Notes its ids by ours; an order is of the account of its id modulo 1,000."""

    def __init__(self, *, margin: bool = False) -> None:
        header = Header(
            commands=1, instruments=1, feed_id_max=1,
            price_ticks_min=0, price_ticks_max=PRICE_TICKS_MAX,
        )  # fmt: skip
        self.engine = open_market(header, ACCOUNTS, margin=margin)
        self.seq, self.ts_ns = self.engine.last_seq, self.engine.now_ns
        self.row = new_commands(1)
        self.bytes = memoryview(self.row.view("u1"))  # type: ignore[arg-type]
        self.theirs: dict[int, int] = {}
        self.ours: dict[int, int] = {}
        self.found: list[Any] = []

    def add(self, order_id: int, side: int, price: int, quantity: int) -> None:
        """Place a limit order."""
        events = self.apply_one(Kind.PLACE, side, order_id, 0, price, quantity)
        theirs: int = ORDER_ID.unpack_from(events, ORDER_ID_AT)[0]  # type: ignore[arg-type]
        self.theirs[order_id] = theirs
        self.ours[theirs] = order_id
        if len(events) > 1:
            self.found.append(events)

    def cancel(self, order_id: int) -> None:
        """Cancel an order."""
        self.apply_one(Kind.CANCEL, 0, order_id, self.theirs[order_id], 0, 0)

    def apply_one(
        self, kind: int, side: int, order_id: int, theirs: int, price: int, quantity: int
    ) -> np.ndarray:
        """Fill the row and apply it."""
        self.seq += 1
        FILL.pack_into(
            self.bytes, 0, self.seq, self.ts_ns, kind, side, 0, 0, 0, 0, 0,
            order_id % ACCOUNTS, 0, theirs, price, quantity,
        )  # fmt: skip
        return self.engine.apply(self.row)

    def trades(self) -> list[tuple[int, int, int, int]]:
        """Return all trades."""
        events = np.concatenate([np.zeros(0, EVENT), *self.found])
        events = events[events["kind"] == EventKind.TRADE]
        names = ["order_id", "maker_order_id", "price_ticks", "qty_lots"]
        return [
            (self.ours[taker], self.ours[maker], price, lots)
            for taker, maker, price, lots in events[names].tolist()
        ]
