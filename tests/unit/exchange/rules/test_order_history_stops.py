"""What clearing keeps of stops, pairs and brackets is what the mirror knows of them."""

from typing import Any

import numpy as np

from exchange.rules.clearing_rows import OrderRow
from exchange.rules.mirror import Mirror
from exchange.rules.order_history import OrderHistory, changed
from exchange.rules.rows import EventRow, command_rows, event_rows
from matching.codes import EventKind
from tests.oracle.state import Capacity
from tests.sim.run import simulate


class HistoryFollower:
    """Keeps a mirror and the history of all orders side by side."""

    def __init__(self, capacity: Capacity) -> None:
        self.mirror, self.history = Mirror(capacity.price_bits), OrderHistory()
        self.stored: dict[int, OrderRow] = {}
        self.seen: set[int] = set()
        self.combined_id = 0
        history = self.history
        self.handlers = {
            EventKind.ACCEPTED: history.accepted,
            EventKind.AMENDED: history.amended,
            EventKind.CANCELLED: history.cancelled,
            EventKind.REPRICED: history.repriced,
            EventKind.STOP_ACCEPTED: history.stop_accepted,
            EventKind.STOP_AMENDED: history.stop_amended,
            EventKind.STOP_GREW: history.stop_grew,
            EventKind.STOP_MOVED: history.stop_moved,
            EventKind.TRIGGERED: history.triggered,
        }

    def batch(self, commands: np.ndarray, events: np.ndarray) -> None:
        self.mirror.apply(commands, events)
        rows = {row[0]: row for row in command_rows(commands)}
        seq = 0
        for event in event_rows(events):
            if event[0] != seq:
                seq = event[0]
                self.history.begin()
            self.seen.add(event[1])
            if event[1] == EventKind.TRADE:
                self.history.trade(event, rows[seq][1])
            elif event[1] in (EventKind.IMPLIED_TRADE, EventKind.IMPLIED_LEG):
                self.implied(event, rows[seq][1])
            elif event[1] in self.handlers:
                self.handlers[EventKind(event[1])](rows[seq], event)
        self.stored |= {row.order_id: row for row in self.history.new_rows()}
        for change in self.history.change_rows():
            self.stored[change.order_id] = changed(self.stored[change.order_id], change)
        self.history.clear()

    def implied(self, event: EventRow, ts_ns: int) -> None:
        """Fill the order of a combination, or that of a leg, as clearing does."""
        if event[1] == EventKind.IMPLIED_TRADE:
            self.combined_id = event[5]
            self.history.filled(event, event[4], event[5], event[11] if event[12] else None, ts_ns)
        elif event[6] == self.combined_id:
            self.history.filled(event, event[4], event[5], None, ts_ns)
        else:
            self.history.filled(event, event[8], event[6], event[11], ts_ns)

    def compare(self, view: dict[str, Any]) -> None:
        for order_id, row in self.stored.items():
            order = self.mirror.order(order_id)
            assert order is not None
            stop = order.stop
            kept = (row.trigger_ticks, row.link_id, row.parent_id, row.qty_lots, row.open_lots)
            ours = (stop.trigger_ticks if stop else 0, order.link_id, order.parent_id)
            assert kept == (*ours, order.qty_lots, order.leaves_lots), f"order {order_id}"
            if stop is not None:
                trails = (row.offset_ticks, row.trigger_bits & 3, bool(row.trigger_bits & 8))
                assert trails == (stop.offset, stop.source, stop.in_bps), f"order {order_id}"


def test_the_history_of_a_stop_is_what_the_mirror_knows_of_it():
    seen: set[int] = set()
    rows: list[OrderRow] = []

    def make(capacity: Capacity) -> list[HistoryFollower]:
        made.append(HistoryFollower(capacity))
        return made[-1:]

    made: list[HistoryFollower] = []
    for seed in range(8):
        simulate(seed, 900, make)
    for one in made:
        seen |= one.seen
        rows += one.stored.values()
    assert set(made[0].handlers) <= seen
    assert any(row.link_id for row in rows) and any(row.parent_id for row in rows)
