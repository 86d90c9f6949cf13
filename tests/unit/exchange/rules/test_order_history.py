"""The history of orders, from events alone, says what the mirror says of each order."""

from exchange.rules.clearing_rows import OrderRow
from exchange.rules.mirror import Mirror
from exchange.rules.order_history import OrderHistory, changed
from exchange.rules.records import Order
from exchange.rules.rows import command_rows, event_rows
from matching.codes import EventKind, OrderType
from tests.support.richer import RicherFlow

SAME = (
    "account_idx", "contract_idx", "side", "order_type", "tif", "stp", "flags", "price_ticks",
    "qty_lots", "filled_lots", "cancelled_lots", "code", "expires_ns", "display_lots", "peg",
    "offset_ticks",
)  # fmt: skip


def fields(order: Order | OrderRow) -> list[object]:
    """Return what both must agree on."""
    open_lots = order.open_lots if isinstance(order, OrderRow) else order.leaves_lots
    return [open_lots, *(getattr(order, name) for name in SAME)]


def test_the_history_of_each_order_is_what_the_mirror_knows_of_it():
    mirror, history = Mirror(), OrderHistory()
    stored: dict[int, OrderRow] = {}
    handlers = {
        EventKind.ACCEPTED: history.accepted,
        EventKind.AMENDED: history.amended,
        EventKind.CANCELLED: history.cancelled,
        EventKind.REPRICED: history.repriced,
    }
    seen: set[int] = set()
    for batch in RicherFlow(seed=5).batches(60):
        mirror.apply(batch.commands, batch.events)
        commands = {row[0]: row for row in command_rows(batch.commands)}
        seq = 0
        for event in event_rows(batch.events):
            command = commands[event[0]]
            if event[0] != seq:
                seq = event[0]
                history.begin()
            seen.add(event[1])
            if event[1] == EventKind.TRADE:
                history.trade(event, command[1])
            elif event[1] in handlers:
                handlers[EventKind(event[1])](command, event)
        stored |= {row.order_id: row for row in history.new_rows()}
        for change in history.change_rows():
            stored[change.order_id] = changed(stored[change.order_id], change)
        history.clear()
    assert {*handlers, EventKind.TRADE} <= seen
    assert len(stored) > 200
    assert {OrderType.PEGGED, OrderType.LIMIT} <= {row.order_type for row in stored.values()}
    for order_id, row in stored.items():
        order = mirror.order(order_id)
        assert order is not None
        assert fields(row) == fields(order), f"order {order_id}"
