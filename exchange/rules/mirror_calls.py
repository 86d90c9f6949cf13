"""What a mirror makes of call auctions and guards."""

from collections.abc import Callable
from typing import Any

from exchange.rules.call_records import CallResult
from exchange.rules.mirror_state import MirrorState
from exchange.rules.records import Order
from matching.codes import CallPhase, Code, EventKind, Kind, Side, TradingState
from matching.wire import COMMAND, EVENT, halves

_FIELD = {name: place for place, name in enumerate(COMMAND.names or ())}
_STATE, _ORDER_ID, _PRICE = _FIELD["state"], _FIELD["order_id"], _FIELD["price_ticks"]
_KIND, _TS = _FIELD["kind"], _FIELD["ts_ns"]
_QTY, _AMOUNT, _EXPIRES = _FIELD["qty_lots"], _FIELD["amount_usd_micros"], _FIELD["expires_ns"]
_E = {name: place for place, name in enumerate(EVENT.names or ())}
_SIDE_E, _CODE_E, _ORDER_E, _MAKER_E = _E["side"], _E["code"], _E["order_id"], _E["maker_order_id"]
_CONTRACT_E, _PRICE_E, _QTY_E = _E["contract_idx"], _E["price_ticks"], _E["qty_lots"]
_LEAVES_E, _AMOUNT_E = _E["leaves_lots"], _E["amount_usd_micros"]

Row = Any  # the tuple of a COMMAND or EVENT row


class MirrorCalls(MirrorState):
    """Follows the calls. `_taker` is the order that the running command placed or amended."""

    _taker: Order | None

    def _call_handlers(self) -> dict[int, Callable[[Row, Row], None]]:
        return {
            EventKind.CALL_STARTED: self._call_started,
            EventKind.CALL_ENDED: self._call_ended,
            EventKind.INDICATIVE: self._indicative,
            EventKind.GUARD_SET: self._guard_set,
        }

    def _state_set(self, command: Row, event: Row) -> None:
        contract = self.contracts[event[_CONTRACT_E]]
        contract.state = command[_STATE]
        if contract.state != TradingState.AUCTION:
            contract.call.end()
        self._changes.contracts.add(event[_CONTRACT_E])

    def _guard_set(self, command: Row, event: Row) -> None:
        call = self.contracts[event[_CONTRACT_E]].call
        call.guard_set = True
        call.velocity_bps, call.velocity_ns = command[_PRICE], command[_AMOUNT]
        call.daily_bps, call.daily_next_bps = halves(command[_ORDER_ID])
        call.call_ns, call.window_ns = command[_EXPIRES], command[_QTY]
        self._changes.contracts.add(event[_CONTRACT_E])

    def _call_started(self, command: Row, event: Row) -> None:
        contract = self.contracts[event[_CONTRACT_E]]
        contract.state = TradingState.AUCTION
        if contract.call.phase == CallPhase.NONE:
            contract.call.say(0, 0, 0)
        contract.call.phase = event[_ORDER_E]
        ends_after_ns = contract.call.ends_after_ns = event[_AMOUNT_E]
        window_ns = contract.call.window_ns  # of the guard that called
        if command[_KIND] == Kind.START_CALL:
            window_ns = command[_AMOUNT]
        contract.call.ends_before_ns = ends_after_ns + window_ns if ends_after_ns else 0
        contract.call.breaches += event[_CODE_E] == Code.PRICE_MOVED_FAR
        self._taker = None  # what it says of an order from here on, it says of one that rests
        self._changes.contracts.add(event[_CONTRACT_E])

    def _call_ended(self, command: Row, event: Row) -> None:
        contract = self.contracts[event[_CONTRACT_E]]
        contract.state = event[_AMOUNT_E]
        lots = event[_LEAVES_E] if event[_SIDE_E] == Side.BUY else -event[_LEAVES_E]
        contract.call.result = CallResult(
            event[_ORDER_E], event[_PRICE_E] if event[_QTY_E] else 0, event[_QTY_E], lots,
            command[_TS],
        )  # fmt: skip
        contract.call.end()
        self._taker = None
        self._changes.contracts.add(event[_CONTRACT_E])

    def _indicative(self, command: Row, event: Row) -> None:
        lots = event[_LEAVES_E] if event[_SIDE_E] == Side.BUY else -event[_LEAVES_E]
        self.contracts[event[_CONTRACT_E]].call.say(event[_PRICE_E], event[_QTY_E], lots)
        self._changes.contracts.add(event[_CONTRACT_E])

    def _fill_resting(
        self, order_id: int, event: Row, leaves_lots: int, shown_lots: int, ts_ns: int
    ) -> None:
        """Book a fill of an order that rests: what is left of it, and shows if it is an iceberg."""
        order = self.orders[order_id]
        order.leaves_lots = leaves_lots
        self._unrest(order, event[_QTY_E], leaves_lots == 0, shown_lots)
        order.filled_lots += event[_QTY_E]
        order.filled_tick_lots += event[_QTY_E] * event[_PRICE_E]
        self._touch(order, event[0], ts_ns)
        if leaves_lots == 0:
            self._close(order)

    def _fill_both(self, event: Row, ts_ns: int) -> None:
        """Book a trade at the price of a call: both orders rest, the buyer stands first."""
        pair = ((event[_ORDER_E], event[_AMOUNT_E]), (event[_MAKER_E], event[_LEAVES_E]))
        for order_id, leaves_lots in pair:
            # An iceberg shows anew what it has left: in a call all of it takes part.
            shown_lots = min(self.orders[order_id].display_lots, leaves_lots)
            self._fill_resting(order_id, event, leaves_lots, shown_lots, ts_ns)
