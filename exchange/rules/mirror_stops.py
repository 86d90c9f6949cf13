"""The stops of a mirror: orders that wait for a price, and enter when it comes."""

from typing import Any

from exchange.rules.mirror_orders import new_terms
from exchange.rules.mirror_state import MirrorState
from exchange.rules.records import Order
from exchange.rules.stops import STOP_TYPES, said_of_stop, stop_of
from matching.codes import Flag, Kind, Tif
from matching.wire import COMMAND, EVENT, halves

_C = {name: place for place, name in enumerate(COMMAND.names or ())}
_E = {name: place for place, name in enumerate(EVENT.names or ())}
_WORDS = slice(_C["client_a"], _C["client_a"] + 4)

Row = Any  # the tuple of a COMMAND or EVENT row


class StopMirror(MirrorState):
    """Follows what happens to stops."""

    _taker: Order | None
    _child_id: int = 0  # the order of a bracket that came last
    _leg: int

    def _stop_accepted(self, command: Row, event: Row) -> None:
        """A stop waits, or a bracket's child sleeps: those have nothing of the command's own."""
        trigger_ticks, order_type, trigger = said_of_stop(event)
        own = command[_C["order_type"]] in STOP_TYPES
        order = Order()
        order.order_id = event[_E["order_id"]]
        order.account_idx = event[_E["account_idx"]]
        order.contract_idx = event[_E["contract_idx"]]
        order.side = event[_E["side"]]
        order.order_type, order.stp = order_type, command[_C["stp"]]
        order.tif = command[_C["tif"]] if own else Tif.GTC
        order.flags = command[_C["flags"]] if own else Flag.REDUCE_ONLY
        order.expires_ns = command[_C["expires_ns"]] if own else 0
        order.client_words = command[_WORDS] if own else (0, 0, 0, 0)
        order.price_ticks = event[_E["price_ticks"]]
        order.qty_lots = event[_E["qty_lots"]]
        order.leaves_lots = event[_E["leaves_lots"]]
        order.filled_lots = order.filled_tick_lots = order.cancelled_lots = order.code = 0
        order.fills_known = True
        order.display_lots = order.shown_lots = order.peg = order.offset_ticks = 0
        order.created_ns = order.updated_ns = command[_C["ts_ns"]]
        order.updated_seq = event[0]
        order.stop = stop_of(trigger, trigger_ticks)
        order.stop.offset = halves(command[_C["ref_id"]])[0] if own else 0
        order.stop.asleep = not own
        self._changes.orders[order.order_id] = order
        self.open_position(order.account_idx, order.contract_idx)
        self.open_stop(order)
        order.link_id = order.parent_id = 0
        if own:
            self._tie(command, order)
        elif self._taker is not None:
            self._tie_child(order, self._taker.order_id)

    def _tie(self, command: Row, order: Order) -> None:
        """Tie a new order to the one that its command links it with, if it does."""
        if command[_C["flags"]] & Flag.LINKED and command[_C["kind"]] == Kind.PLACE:
            other = self.order(command[_C["order_id"]])
            assert other is not None
            self._link(order, other, command[_C["ts_ns"]])

    def _tie_child(self, order: Order, parent_id: int) -> None:
        """Tie an order of a bracket to its parent and, if it is the second, to the first."""
        order.parent_id = parent_id
        twin = self.stops.get(self._child_id)
        if twin is not None and twin.parent_id == parent_id:
            self._link(order, twin, order.updated_ns)
        self._child_id = order.order_id

    def _link(self, order: Order, other: Order, ts_ns: int) -> None:
        order.link_id, other.link_id = other.order_id, order.order_id
        self._touch(other, order.updated_seq, ts_ns)

    def _stop_amended(self, command: Row, event: Row) -> None:
        """A stop has new terms; one that has no lots left is cancelled by the next event."""
        trigger_ticks, _, trigger = said_of_stop(event)
        order = self._waiting(event)
        offset = halves(command[_C["ref_id"]])[0] or order.stop.offset  # type: ignore[union-attr]
        asleep = order.stop.asleep  # type: ignore[union-attr]
        order.stop = stop_of(trigger, trigger_ticks)
        order.stop.offset, order.stop.asleep = offset, asleep
        order.price_ticks, order.qty_lots = event[_E["price_ticks"]], event[_E["qty_lots"]]
        order.leaves_lots = event[_E["leaves_lots"]]
        new_terms(order, command)
        self._touch(order, event[0], command[_C["ts_ns"]])

    def _stop_moved(self, command: Row, event: Row) -> None:
        order = self._waiting(event)
        order.stop.trigger_ticks = said_of_stop(event)[0]  # type: ignore[union-attr]
        self._touch(order, event[0], command[_C["ts_ns"]])

    def _stop_grew(self, command: Row, event: Row) -> None:
        order = self._waiting(event)
        order.qty_lots += event[_E["qty_lots"]]
        order.leaves_lots = event[_E["leaves_lots"]]
        order.stop.asleep = False  # type: ignore[union-attr]
        self._touch(order, event[0], command[_C["ts_ns"]])

    def _stop_cancelled(self, command: Row, event: Row) -> None:
        order = self._waiting(event)
        order.leaves_lots = event[_E["leaves_lots"]]
        order.cancelled_lots += event[_E["qty_lots"]]
        order.code = event[_E["code"]]
        self._end_stop(order)
        self._touch(order, event[0], command[_C["ts_ns"]])
        self.closed.add(order)

    def _triggered(self, command: Row, event: Row) -> None:
        """A stop enters: from here it is the taker, and an order like any other."""
        order = self._waiting(event)
        self._end_stop(order)
        order.price_ticks = event[_E["price_ticks"]]
        order.leaves_lots = event[_E["leaves_lots"]]
        self._taker = order
        self._touch(order, event[0], command[_C["ts_ns"]])
        if order.leaves_lots:
            self.open_order(order)
        else:
            self.closed.add(order)

    def _index_set(self, command: Row, event: Row) -> None:
        self.contracts[event[_E["contract_idx"]]].index_ticks = event[_E["price_ticks"]]
        self._changes.contracts.add(event[_E["contract_idx"]])

    def _waiting(self, event: Row) -> Order:
        return self.stops[event[_E["order_id"]]]
