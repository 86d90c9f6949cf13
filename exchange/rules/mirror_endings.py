"""What a mirror makes of the end of a contract: of its trading, then of its positions."""

from collections.abc import Callable
from typing import Any

from exchange.rules.entry import after_fill
from exchange.rules.mirror_state import MirrorState
from matching.codes import EventKind, TradingState
from matching.wire import COMMAND, EVENT

_TS = (COMMAND.names or ()).index("ts_ns")
_E = {name: place for place, name in enumerate(EVENT.names or ())}
_CONTRACT_E, _PRICE_E, _AMOUNT_E = _E["contract_idx"], _E["price_ticks"], _E["amount_usd_micros"]

Row = Any  # the tuple of a COMMAND or EVENT row


class MirrorEndings(MirrorState):
    """Follows the last moments of contracts."""

    _leg: int

    def _ending_handlers(self) -> dict[int, Callable[[Row, Row], None]]:
        return {
            EventKind.LAST_TRADE_SET: self._last_trade_set,
            EventKind.TRADING_ENDED: self._trading_ended,
            EventKind.POSITIONS_CLOSED: self._positions_closed,
        }

    def _last_trade_set(self, command: Row, event: Row) -> None:
        contract = self.contracts[event[_CONTRACT_E]]
        ends_ns = contract.last_trade_ns = event[_AMOUNT_E]
        contract.timed = ends_ns != 0
        if not 0 < ends_ns <= command[_TS]:
            contract.ended = False
        self._changes.contracts.add(event[_CONTRACT_E])

    def _trading_ended(self, command: Row, event: Row) -> None:
        contract = self.contracts[event[_CONTRACT_E]]
        contract.state, contract.ended = TradingState.HALT, True
        contract.call.end()
        self._changes.contracts.add(event[_CONTRACT_E])

    def _positions_closed(self, command: Row, event: Row) -> None:
        """Close all positions at a price; what is unsettled follows as variations."""
        contract = self.contracts[event[_CONTRACT_E]]
        lot_value_usd_micros = contract.worth_usd_micros  # its mark is the price
        for position in contract.positions:
            lots = position.qty_lots
            if lots == 0:
                continue
            position.qty_lots, position.entry_usd_micros, position.realised_usd_micros = after_fill(
                lots,
                position.entry_usd_micros,
                position.realised_usd_micros,
                -lots,
                -lots * lot_value_usd_micros,
            )
            self._changes.accounts.add(position.account_idx)
            self._changes.positions.add((position.account_idx, contract.contract_idx))
        contract.open_interest_lots = 0
        self._leg += 1  # as clearing counts it
        self._changes.contracts.add(event[_CONTRACT_E])
