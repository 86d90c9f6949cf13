"""Orders from acceptance to end, from events alone, without knowing older orders.

An order accepted in the rows being collected is kept whole. Of an older one only
the change is known: it is added to the stored row, so nothing need be read back.
"""

from collections.abc import Iterator
from typing import Any

from exchange.rules.clearing_rows import OrderChangeRow, OrderRow
from matching.wire import COMMAND, unpack_text

_FIELD = {name: place for place, name in enumerate(COMMAND.names or ())}
_TS, _TYPE, _TIF, _STP = _FIELD["ts_ns"], _FIELD["order_type"], _FIELD["tif"], _FIELD["stp"]
_FLAGS, _EXPIRES, _CLIENT = _FIELD["flags"], _FIELD["expires_ns"], _FIELD["client_a"]

Row = Any  # the tuple of a COMMAND or EVENT row


class _New:
    """An order that is not stored yet, or what changed of one that is."""

    __slots__ = (
        "cancelled",
        "code",
        "filled",
        "filled_ticks",
        "head",
        "open",
        "price",
        "qty",
        "tail",
        "updated_ns",
        "updated_seq",
    )

    def __init__(self, head: tuple[int, ...], tail: tuple[Any, ...] | None) -> None:
        self.head = head  # account_idx, order_id, ... flags
        self.tail = tail  # client_order_id, expires_ns, placed_ns; None: stored already
        self.price: int | None = None
        self.qty: int | None = None
        self.open: int | None = None
        self.filled = self.filled_ticks = self.cancelled = self.code = 0
        self.updated_ns = self.updated_seq = 0


class OrderHistory:
    """Collects what happened to orders since the last `clear`."""

    def __init__(self) -> None:
        self._orders: dict[int, _New] = {}
        self._taker: _New | None = None  # the order the current command placed or amended

    def begin(self) -> None:
        """Begin the events of another command."""
        self._taker = None

    def accepted(self, command: Row, event: Row) -> None:
        """An order was taken; what rests of it, and its price, are in the event already."""
        words = command[_CLIENT : _CLIENT + 4]
        order = _New(
            (event[4], event[5], event[7], event[2])
            + (command[_TYPE], command[_TIF], command[_STP], command[_FLAGS]),
            (unpack_text(*words) if any(words) else None, command[_EXPIRES], command[_TS]),
        )
        self._orders[event[5]] = self._taker = order
        order.price, order.qty, order.open = event[9], event[10], event[11]
        order.updated_seq, order.updated_ns = event[0], command[_TS]

    def amended(self, command: Row, event: Row) -> None:
        """An order has another price or quantity."""
        order = self._touch(event[4], event[5], event[0], command[_TS])
        order.price, order.qty, order.open = event[9], event[10], event[11]
        self._taker = order

    def cancelled(self, command: Row, event: Row) -> None:
        """An order lost lots without a trade; code is set where that ended it."""
        order = self._touch(event[4], event[5], event[0], command[_TS])
        order.cancelled += event[10]
        if order is not self._taker:  # what rests of a taker was said by its reply
            order.open = event[11]
        if order.open == 0:
            order.code = event[3]

    def trade(self, event: Row, ts_ns: int) -> None:
        """Both orders of a trade are filled by its lots."""
        seq, qty_lots, tick_lots = event[0], event[10], event[10] * event[9]
        maker = self._touch(event[8], event[6], seq, ts_ns)
        maker.open = event[11]
        taker = self._taker
        assert taker is not None and taker.head[1] == event[5], "a trade without its taker"
        for order in (taker, maker):
            order.filled += qty_lots
            order.filled_ticks += tick_lots

    def new_rows(self) -> Iterator[OrderRow]:
        """Yield the orders accepted since the last `clear`."""
        for order in self._orders.values():
            if order.tail is None:
                continue
            assert order.price is not None and order.qty is not None and order.open is not None
            fields = (
                *order.head, order.price, order.qty, order.open, order.filled,
                order.filled_ticks, order.cancelled, order.code, *order.tail,
                order.updated_ns, order.updated_seq,
            )  # fmt: skip
            yield OrderRow._make(fields)

    def change_rows(self) -> Iterator[OrderChangeRow]:
        """Yield the changes of older orders, in order of their ids."""
        for order_id in sorted(self._orders):
            order = self._orders[order_id]
            if order.tail is None:
                yield OrderChangeRow(
                    order.head[0], order_id, order.price, order.qty, order.open, order.filled,
                    order.filled_ticks, order.cancelled, order.code, order.updated_ns,
                    order.updated_seq,
                )  # fmt: skip

    def clear(self) -> None:
        """Forget what was written."""
        self._orders = {}
        self._taker = None

    def _touch(self, account_idx: int, order_id: int, seq: int, ts_ns: int) -> _New:
        order = self._orders.get(order_id)
        if order is None:
            order = self._orders[order_id] = _New((account_idx, order_id), None)
        order.updated_seq, order.updated_ns = seq, ts_ns
        return order


def changed(row: OrderRow, change: OrderChangeRow) -> OrderRow:
    """Return a stored order after a change."""
    return row._replace(
        price_ticks=row.price_ticks if change.price_ticks is None else change.price_ticks,
        qty_lots=row.qty_lots if change.qty_lots is None else change.qty_lots,
        open_lots=row.open_lots if change.open_lots is None else change.open_lots,
        filled_lots=row.filled_lots + change.filled_more_lots,
        filled_tick_lots=row.filled_tick_lots + change.filled_more_tick_lots,
        cancelled_lots=row.cancelled_lots + change.cancelled_more_lots,
        code=change.code,
        updated_ns=change.updated_ns,
        updated_seq=change.updated_seq,
    )
