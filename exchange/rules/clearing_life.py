"""The life of contracts in the clearing house: ends of trading, cascades, days of delivery."""

from typing import Any, Final, NamedTuple

from exchange.rules.cleared import ClearedContract
from exchange.rules.clearing_collateral import ClearingCollateral
from exchange.rules.clearing_rows import TradeRow
from exchange.rules.clearing_rows_life import AccrualRow
from exchange.rules.records import CASCADED
from matching.codes import TradingState
from matching.wire import COMMAND, EVENT
from matching.wire_life import unpack_digest

_FIELD: Final = {name: place for place, name in enumerate(COMMAND.names or ())}
_TS, _CLIENT = _FIELD["ts_ns"], _FIELD["client_a"]
_E: Final = {name: place for place, name in enumerate(EVENT.names or ())}
_WORTH, _ORDINAL, _FINALLY = _E["order_id"], _E["maker_order_id"], _E["side"]
_CONTRACT, _PRICE, _AMOUNT = _E["contract_idx"], _E["price_ticks"], _E["amount_usd_micros"]
_DAYS, _OF_DAYS = _E["qty_lots"], _E["leaves_lots"]
CASCADE_ORDER: Final = 0  # order_id of lots that a cascade moved: no order did

Row = Any  # the tuple of a COMMAND or EVENT row


class Settling(NamedTuple):
    """The contract that is being settled."""

    contract: ClearedContract
    command: Row
    accrual: AccrualRow | None = None


class ClearingLife(ClearingCollateral):
    """What becomes of a contract when its trading ends."""

    def _last_trade_set(self, command: Row, event: Row) -> None:
        contract = self.contracts[event[_CONTRACT]]
        contract.ends_ns = event[_AMOUNT]
        self._touch(contract, event[0])

    def _trading_ended(self, command: Row, event: Row) -> None:
        contract = self.contracts[event[_CONTRACT]]
        contract.state = TradingState.HALT
        self._orders.begin()
        self._touch(contract, event[0])

    def _cascade_moved(self, command: Row, event: Row) -> None:
        """Clear lots that a cascade moved: a trade of no book, seen from both sides."""
        seq, _, side, _, buyer_idx, _, _, contract_idx, seller_idx, price, lots, *_ = event
        contract = self.contracts[contract_idx]
        trade = TradeRow(
            seq, self._leg, contract_idx, price, lots, side, buyer_idx, seller_idx, CASCADE_ORDER,
            CASCADE_ORDER, command[_TS], CASCADED,
        )  # fmt: skip
        self._leg += 1
        self.effects.trades.append(trade)
        self._touch(contract, seq)
        self._novate(contract, trade, buyer_idx, CASCADE_ORDER, side, False)
        self._novate(contract, trade, seller_idx, CASCADE_ORDER, 1 - side, True)

    def _accrual_row(self, command: Row, event: Row) -> AccrualRow:
        """Return the row of a settlement in delivery, and write what a lot is worth then."""
        contract = self.contracts[event[_CONTRACT]]
        worth_usd_micros = event[_WORTH]
        contract.fine_usd_micros = worth_usd_micros - contract.tick_value_usd_micros * event[_PRICE]
        self._orders.begin()  # what follows is of orders that rest
        return AccrualRow(
            contract.contract_idx, event[0], event[_ORDINAL], command[_TS], event[_DAYS],
            event[_OF_DAYS], bool(event[_FINALLY]), worth_usd_micros,
            contract.open_interest_lots, event[_AMOUNT],
            unpack_digest(command[_CLIENT : _CLIENT + 4]).hex(),
        )  # fmt: skip
