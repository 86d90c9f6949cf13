"""What a mirror makes of implied trades: orders of a combination that meet those of its legs."""

from collections.abc import Callable
from typing import Any

from exchange.rules.mirror_calls import MirrorCalls
from exchange.rules.mirror_legs import MirrorLegs
from exchange.rules.records import NOBODY, Trade
from matching.codes import EventKind
from matching.wire import COMMAND, EVENT

_TS = (COMMAND.names or ()).index("ts_ns")
_E = {name: place for place, name in enumerate(EVENT.names or ())}
_CONTRACT, _PRICE, _QTY = _E["contract_idx"], _E["price_ticks"], _E["qty_lots"]
_LEAVES, _AMOUNT = _E["leaves_lots"], _E["amount_usd_micros"]

Row = Any  # the tuple of a COMMAND or EVENT row


class MirrorImplied(MirrorLegs, MirrorCalls):
    """Follows implied trades: first the combination's order, then each leg."""

    _combined_id = 0  # the combination's order of the implied trade that is being told

    def _implied_handlers(self) -> dict[int, Callable[[Row, Row], None]]:
        return {
            EventKind.IMPLIED_TRADE: self._implied_trade,
            EventKind.IMPLIED_LEG: self._implied_leg,
            EventKind.IMPLIED_SET: self._implied_set,
        }

    def _implied_set(self, command: Row, event: Row) -> None:
        self.contracts[event[_CONTRACT]].implied = event[_QTY] == 1
        self._changes.contracts.add(event[_CONTRACT])

    def _implied_trade(self, command: Row, event: Row) -> None:
        """The order of the combination has its lots; the legs that follow move positions."""
        _, _, side, _, account_idx, order_id, comes_id, *_ = event
        self._combined_id = order_id
        if event[_AMOUNT] == 1:
            self._fill_resting(order_id, event, event[_LEAVES], 0, command[_TS])
        else:
            self._fill_taker(order_id, event)
        took, gave = (account_idx, order_id), (NOBODY, 0)
        if comes_id:  # an order of a leg took, from the combination's
            took, gave, side = gave, took, 1 - side
        self._tell(command, event, side, took, gave)

    def _implied_leg(self, command: Row, event: Row) -> None:
        """One leg: a trade of its contract, between the leg's order and the combination's."""
        _, _, side, _, account_idx, order_id, maker_id, _, maker_idx, *_ = event
        if maker_id == self._combined_id:
            self._fill_taker(order_id, event)
        else:
            self._fill_resting(maker_id, event, event[_LEAVES], event[_AMOUNT], command[_TS])
        self._hand_over(self.contracts[event[_CONTRACT]], event)
        self._tell(command, event, side, (account_idx, order_id), (maker_idx, maker_id))

    def _fill_taker(self, order_id: int, event: Row) -> None:
        taker = self._taker
        assert taker is not None and taker.order_id == order_id
        taker.filled_lots += event[_QTY]
        taker.filled_tick_lots += event[_QTY] * event[_PRICE]

    def _tell(
        self, command: Row, event: Row, side: int, took: tuple[int, int], gave: tuple[int, int]
    ) -> None:
        """Keep a trade of a contract: the account and order that took, and those that gave."""
        contract = self.contracts[event[_CONTRACT]]
        contract.last_trade_ticks = event[_PRICE]
        contract.widen_day(event[_PRICE])
        trade = Trade(
            event[0], self._leg, command[_TS], contract.contract_idx, event[_PRICE], event[_QTY],
            side, *took, *gave, event[_LEAVES], is_implied=True,
        )  # fmt: skip
        self._leg += 1
        contract.trades.append(trade)
        self._changes.trades.append(trade)
        self._changes.contracts.add(contract.contract_idx)
