"""Orders from acceptance to end, from events alone, without knowing older orders.

An order accepted in the rows being collected is kept whole. Of an older one only
the change is known: it is added to the stored row, so nothing need be read back.
Both are kept as lists with the fields of their row, since fields change in place.
"""

from collections.abc import Iterator
from itertools import repeat
from typing import Any, Final

from exchange.rules.clearing_rows import OrderChangeRow, OrderRow
from exchange.rules.protections import order_flags
from exchange.rules.stops import STOP_TYPES, TRIGGER_BITS, said_of_stop
from matching.codes import PLACE_FLAGS, Code, Flag, Kind, OrderType, Tif
from matching.wire import COMMAND, halves, unpack_text

_FIELD = {name: place for place, name in enumerate(COMMAND.names or ())}
_TS, _TYPE, _TIF, _STP = _FIELD["ts_ns"], _FIELD["order_type"], _FIELD["tif"], _FIELD["stp"]
_EXPIRES, _CLIENT = _FIELD["expires_ns"], _FIELD["client_a"]
_KIND, _STATE, _FLAGS = _FIELD["kind"], _FIELD["state"], _FIELD["flags"]
_AMOUNT, _REF = _FIELD["amount_usd_micros"], _FIELD["ref_id"]
_ORDER_ID = _FIELD["order_id"]
# Plain numbers: looking a member of an enum up takes as long as a call, in the hottest function.
_PEGGED, _TO_LIMIT = int(OrderType.PEGGED), int(OrderType.MARKET_TO_LIMIT)
_PLACE, _LINKED, _IN_CALL = int(Kind.PLACE), int(Flag.LINKED), int(Code.AUCTION_TRADE)
_NO_WORDS: Final = (0, 0, 0, 0)
_new_row: Final = tuple.__new__


class _Places:
    """Where the fields that change are in a row."""

    def __init__(self, row: type[OrderRow] | type[OrderChangeRow], more: str) -> None:
        place = row._fields.index
        self.price, self.qty, self.open = (
            place("price_ticks"), place("qty_lots"), place("open_lots"),
        )  # fmt: skip
        self.filled = place(f"filled_{more}lots")
        self.filled_ticks = place(f"filled_{more}tick_lots")
        self.cancelled = place(f"cancelled_{more}lots")
        self.code = place("code")
        self.ns, self.seq = place("updated_ns"), place("updated_seq")
        self.tif, self.expires, self.flags = place("tif"), place("expires_ns"), place("flags")
        self.display, self.offset = place("display_lots"), place("offset_ticks")
        self.trigger_ticks, self.trigger_bits = place("trigger_ticks"), place("trigger_bits")
        self.link = place("link_id")


_NEW: Final = _Places(OrderRow, "")
_OLD: Final = _Places(OrderChangeRow, "more_")
_UNCHANGED: Final = (None,) * (len(OrderChangeRow._fields) - _OLD.seq - 1)

Row = Any  # the tuple of a COMMAND or EVENT row
Fields = list[Any]  # of an OrderRow or an OrderChangeRow


class OrderHistory:
    """Collects what happened to orders since the last `clear`."""

    def __init__(self) -> None:
        self._new: dict[int, Fields] = {}  # by order_id
        self._old: dict[int, Fields] = {}
        self._taker_id = 0  # the order that the current command placed or amended
        self._child_id = 0  # the first order of the bracket that it placed

    def begin(self) -> None:
        """Begin the events of another command."""
        self._taker_id = self._child_id = 0

    def accepted(self, command: Row, event: Row) -> None:
        """An order was taken; what rests of it, and its price, are in the event already."""
        seq, _, side, _, account_idx, order_id, _, contract_idx, _, price, qty, leaves, _ = event
        ts_ns, words = command[_TS], command[_CLIENT : _CLIENT + 4]
        kind, peg, offset_ticks = command[_TYPE], 0, 0
        if kind == _PEGGED:
            peg, offset_ticks = command[_STATE], halves(command[_REF])[0]
        elif kind == _TO_LIMIT and leaves:
            kind = int(OrderType.LIMIT)  # what rests is no more than that
        placed = command[_KIND] == _PLACE
        display_lots = command[_AMOUNT] >> 32 if placed else 0
        self._taker_id = order_id
        self._new[order_id] = [
            account_idx, order_id, contract_idx, side, kind, command[_TIF], command[_STP],
            command[_FLAGS] if placed else order_flags(command), price, qty, leaves, 0, 0, 0, 0,
            unpack_text(*words) if words != _NO_WORDS else None, command[_EXPIRES], ts_ns, ts_ns,
            seq, display_lots, peg, offset_ticks, 0, 0, 0, 0,
        ]  # fmt: skip
        if placed and command[_FLAGS] & _LINKED:
            self._link(account_idx, order_id, command[_ORDER_ID], seq, ts_ns)

    def _link(self, account_idx: int, order_id: int, other_id: int, seq: int, ts_ns: int) -> None:
        """Tie two orders that are both there."""
        for one_id, name in ((order_id, other_id), (other_id, order_id)):
            order, at = self._touch(account_idx, one_id, seq, ts_ns)
            order[at.link] = name

    def stop_accepted(self, command: Row, event: Row) -> None:
        """A stop waits, or a bracket's child sleeps: that has little of the command's own."""
        seq, _, side, _, account_idx, order_id, _, contract_idx, _, price, qty, leaves, _ = event
        own = command[_TYPE] in STOP_TYPES
        trigger_ticks, order_type, trigger = said_of_stop(event)
        ts_ns, words = command[_TS], command[_CLIENT : _CLIENT + 4] if own else ()
        self._new[order_id] = [
            account_idx, order_id, contract_idx, side, order_type,
            command[_TIF] if own else Tif.GTC, command[_STP],
            order_flags(command) if own else Flag.REDUCE_ONLY, price, qty, leaves, 0, 0, 0, 0,
            unpack_text(*words) if any(words) else None, command[_EXPIRES] if own else 0, ts_ns,
            ts_ns, seq, command[_AMOUNT] >> 32 if own else 0, 0,
            halves(command[_REF])[0] if own else 0, trigger_ticks, trigger & TRIGGER_BITS, 0,
            0 if own else self._taker_id,
        ]  # fmt: skip
        if own and command[_FLAGS] & Flag.LINKED:
            self._link(account_idx, order_id, command[_ORDER_ID], seq, ts_ns)
        elif self._child_id:
            self._link(account_idx, order_id, self._child_id, seq, ts_ns)
        elif not own:
            self._child_id = order_id

    def stop_amended(self, command: Row, event: Row) -> None:
        """A stop that waits has new terms."""
        order, at = self._touch(event[4], event[5], event[0], command[_TS])
        order[at.price], order[at.qty], order[at.open] = event[9], event[10], event[11]
        trigger_ticks, _, trigger = said_of_stop(event)
        order[at.trigger_ticks], order[at.trigger_bits] = trigger_ticks, trigger & TRIGGER_BITS
        if offset := halves(command[_REF])[0]:
            order[at.offset] = offset
        if command[_FLAGS] & Flag.NEW_TIF:
            order[at.tif], order[at.expires] = command[_TIF], command[_EXPIRES]

    def stop_moved(self, command: Row, event: Row) -> None:
        """A trailing stop has another trigger price."""
        order, at = self._touch(event[4], event[5], event[0], command[_TS])
        order[at.trigger_ticks] = said_of_stop(event)[0]

    def stop_grew(self, command: Row, event: Row) -> None:
        """A bracket's child has more lots; nothing of it has traded or gone before."""
        order, at = self._touch(event[4], event[5], event[0], command[_TS])
        order[at.qty] = order[at.open] = event[11]

    def triggered(self, command: Row, event: Row) -> None:
        """A stop enters as an order, with what rests of it in the event already."""
        order, at = self._touch(event[4], event[5], event[0], command[_TS])
        order[at.price], order[at.open] = event[9], event[11]
        self._taker_id = event[5]

    def amended(self, command: Row, event: Row) -> None:
        """An order has another price or quantity, or other terms."""
        order, at = self._touch(event[4], event[5], event[0], command[_TS])
        order[at.price], order[at.qty], order[at.open] = event[9], event[10], event[11]
        named = command[_FLAGS]
        if named & Flag.NEW_TIF:
            order[at.tif], order[at.expires] = command[_TIF], command[_EXPIRES]
        if named & Flag.NEW_FLAGS:
            order[at.flags] = named & PLACE_FLAGS
        if named & Flag.NEW_DISPLAY:
            order[at.display] = command[_AMOUNT] >> 32
        if named & Flag.NEW_OFFSET:
            order[at.offset] = halves(command[_REF])[0]
        self._taker_id = event[5]

    def repriced(self, command: Row, event: Row) -> None:
        """A pegged order has moved with the market."""
        order, at = self._touch(event[4], event[5], event[0], command[_TS])
        order[at.price] = event[9]

    def cancelled(self, command: Row, event: Row) -> None:
        """An order lost lots without a trade; code is set where that ended it."""
        order, at = self._touch(event[4], event[5], event[0], command[_TS])
        order[at.cancelled] += event[10]
        order[at.open] = event[11]
        if order[at.open] == 0:
            order[at.code] = event[3]

    def trade(self, event: Row, ts_ns: int) -> None:
        """Both orders of a trade are filled by its lots."""
        seq, qty_lots, tick_lots = event[0], event[10], event[10] * event[9]
        in_call = event[3] == _IN_CALL  # then both orders rest
        assert in_call or event[5] == self._taker_id, "a trade without its taker"
        maker, at = self._touch(event[8], event[6], seq, ts_ns)
        maker[at.open] = event[11]
        maker[at.filled] += qty_lots
        maker[at.filled_ticks] += tick_lots
        taker, at = self._touch(event[4], event[5], seq, ts_ns)
        taker[at.filled] += qty_lots
        taker[at.filled_ticks] += tick_lots
        if in_call:
            taker[at.open] = event[12]

    def filled(
        self, event: Row, account_idx: int, order_id: int, open_lots: int | None, ts_ns: int
    ) -> None:
        """One order of an implied trade is filled; None: what is left of it was said before."""
        order, at = self._touch(account_idx, order_id, event[0], ts_ns)
        order[at.filled] += event[10]
        order[at.filled_ticks] += event[10] * event[9]
        if open_lots is not None:
            order[at.open] = open_lots

    def new_rows(self) -> Iterator[OrderRow]:
        """Yield the orders accepted since the last `clear`."""
        return map(_new_row, repeat(OrderRow), self._new.values())

    def change_rows(self) -> Iterator[OrderChangeRow]:
        """Yield the changes of older orders, in order of their ids."""
        rows = (self._old[order_id] for order_id in sorted(self._old))
        return map(_new_row, repeat(OrderChangeRow), rows)

    def clear(self) -> None:
        """Forget what was written."""
        self._new = {}
        self._old = {}

    def _touch(
        self, account_idx: int, order_id: int, seq: int, ts_ns: int
    ) -> tuple[Fields, _Places]:
        order, at = self._new.get(order_id), _NEW
        if order is None:
            order, at = self._old.get(order_id), _OLD
            if order is None:
                order = [account_idx, order_id, None, None, None, 0, 0, 0, 0, ts_ns, seq,
                         *_UNCHANGED]  # fmt: skip
                self._old[order_id] = order
        order[at.ns], order[at.seq] = ts_ns, seq
        return order, at


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
        tif=row.tif if change.tif is None else change.tif,
        expires_ns=row.expires_ns if change.expires_ns is None else change.expires_ns,
        flags=row.flags if change.flags is None else change.flags,
        display_lots=row.display_lots if change.display_lots is None else change.display_lots,
        offset_ticks=row.offset_ticks if change.offset_ticks is None else change.offset_ticks,
        trigger_ticks=row.trigger_ticks if change.trigger_ticks is None else change.trigger_ticks,
        trigger_bits=row.trigger_bits if change.trigger_bits is None else change.trigger_bits,
        link_id=row.link_id if change.link_id is None else change.link_id,
    )
