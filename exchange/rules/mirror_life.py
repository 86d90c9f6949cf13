"""What a mirror makes of cascades, and of contracts in delivery."""

from collections.abc import Callable
from typing import Any

from exchange.rules.mirror_legs import MirrorLegs
from matching.codes import EventKind
from matching.wire import COMMAND, EVENT

_TS = (COMMAND.names or ()).index("ts_ns")
_E = {name: place for place, name in enumerate(EVENT.names or ())}
_CONTRACT_E, _PRICE_E, _SIDE_E = _E["contract_idx"], _E["price_ticks"], _E["side"]
_WORTH_E, _ORDINAL_E = _E["order_id"], _E["maker_order_id"]
_DAYS_E = _E["qty_lots"]

Row = Any  # the tuple of a COMMAND or EVENT row


class MirrorLife(MirrorLegs):
    """Follows CASCADE and ACCRUE."""

    def _life_handlers(self) -> dict[int, Callable[[Row, Row], None]]:
        return {
            EventKind.CASCADED: self._cascaded,
            EventKind.CASCADE_MOVED: self._cascade_moved,
            EventKind.ACCRUED: self._accrued,
        }

    def _cascaded(self, command: Row, event: Row) -> None:
        self._changes.contracts.add(event[_CONTRACT_E])

    def _cascade_moved(self, command: Row, event: Row) -> None:
        """Book both sides; no price is said."""
        _, _, _, _, buyer_idx, _, _, contract_idx, seller_idx, price_ticks, lots, *_ = event
        contract = self.contracts[contract_idx]
        for account_idx, signed_lots in ((buyer_idx, lots), (seller_idx, -lots)):
            self.open_position(account_idx, contract_idx)
            self._fill(contract, account_idx, signed_lots, price_ticks)
        self._leg += 1
        self._changes.contracts.add(contract_idx)

    def _accrued(self, command: Row, event: Row) -> None:
        """Revalue a contract in delivery; what is paid follows as variations."""
        contract = self.contracts[event[_CONTRACT_E]]
        more_usd_micros = event[_WORTH_E] - contract.worth_usd_micros
        said = self._changes.accruals
        said[contract.contract_idx] = said.get(contract.contract_idx, 0) + more_usd_micros
        contract.mark_ticks = contract.settle_ticks = event[_PRICE_E]
        contract.fine_usd_micros = (
            event[_WORTH_E] - contract.tick_value_usd_micros * event[_PRICE_E]
        )
        delivery = contract.delivery
        delivery.phase, delivery.accruals = 1 + event[_SIDE_E], event[_ORDINAL_E]
        delivery.days_fixed = event[_DAYS_E]
        delivery.accrued_ns = command[_TS]
        for one in (contract, *contract.combinations):
            one.set_band(self.price_ticks_max)
            self._changes.contracts.add(one.contract_idx)
        for position in contract.positions:
            gain_usd_micros = position.qty_lots * more_usd_micros
            if gain_usd_micros:
                position.unsettled_usd_micros += gain_usd_micros
                self.accounts[position.account_idx].unsettled_usd_micros += gain_usd_micros
                self._changes.accounts.add(position.account_idx)
                self._changes.positions.add((position.account_idx, contract.contract_idx))
