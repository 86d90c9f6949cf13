"""What happened, as EVENT rows."""

from dataclasses import dataclass, field

import numpy as np

from matching.codes import EventKind
from matching.wire import EVENT
from tests.oracle.state import Command, Exchange, Order

NAMES = EVENT.names or ()
KNOWN = frozenset(NAMES)


@dataclass
class Log:
    """The events of the batch so far."""

    seq: int = 0
    rows: list[dict[str, int]] = field(default_factory=list)
    begun: int = 0  # how many there were before this command

    def add(self, kind: EventKind, **fields: int) -> dict[str, int]:
        """Append an event; the row may still be filled in by the caller."""
        row = {"seq": self.seq, "kind": int(kind), **fields}
        self.rows.append(row)
        return row

    def refuse(self, cmd: Command, code: int, order_id: int = 0) -> None:
        self.add(
            EventKind.REFUSED,
            code=code,
            account_idx=cmd.account_idx,
            contract_idx=cmd.contract_idx,
            order_id=order_id,
        )

    def cancelled(self, order: Order, qty_lots: int, code: int) -> dict[str, int]:
        """Lots of an order are gone; its leaves are what it has now."""
        return self.add(
            EventKind.CANCELLED,
            code=code,
            order_id=order.order_id,
            account_idx=order.account_idx,
            contract_idx=order.contract_idx,
            side=order.side,
            price_ticks=order.price_ticks,
            qty_lots=qty_lots,
            leaves_lots=order.leaves_lots,
        )

    def room(self, ex: Exchange) -> int:
        """Return how many events the command has caused less than those that end its work."""
        return ex.capacity.command_events - (len(self.rows) - self.begun)

    def as_array(self) -> np.ndarray:
        assert all(KNOWN.issuperset(row) for row in self.rows), "no such field of an event"
        return np.array([tuple(row.get(name, 0) for name in NAMES) for row in self.rows], EVENT)
