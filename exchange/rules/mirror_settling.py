"""What a mirror makes of marks and settlements: gains that are unsettled, then paid."""

from collections.abc import Callable
from typing import Any

from exchange.rules.changes import SettlementSaid
from exchange.rules.mirror_state import MirrorState
from exchange.rules.settlement_run import run_of_words
from matching.codes import Cycle, EventKind
from matching.wire import COMMAND, EVENT

_FIELD = {name: place for place, name in enumerate(COMMAND.names or ())}
_STATE, _ORDER_ID, _EXPIRES = _FIELD["state"], _FIELD["order_id"], _FIELD["expires_ns"]
_CLIENT, _REF, _PRICE = _FIELD["client_a"], _FIELD["ref_id"], _FIELD["price_ticks"]
_E = {name: place for place, name in enumerate(EVENT.names or ())}
_ACCOUNT_E, _CONTRACT_E, _PRICE_E = _E["account_idx"], _E["contract_idx"], _E["price_ticks"]
_QTY_E, _AMOUNT_E, _CYCLE_E = _E["qty_lots"], _E["amount_usd_micros"], _E["order_id"]

Row = Any  # the tuple of a COMMAND or EVENT row


class MirrorSettling(MirrorState):
    """Follows marks, daily settlements and variation margin."""

    haircuts: dict[int, int]

    def _settling_handlers(self) -> dict[int, Callable[[Row, Row], None]]:
        return {
            EventKind.MARKED: self._marked,
            EventKind.SETTLED: self._settled,
            EventKind.COLLECTED: self._collected,
            EventKind.VARIATION: self._variation,
        }

    def _marked(self, command: Row, event: Row) -> None:
        contract = self.contracts[event[_CONTRACT_E]]
        move_usd_micros = contract.tick_value_usd_micros * (event[_PRICE_E] - contract.mark_ticks)
        contract.mark_ticks = event[_PRICE_E]
        contract.set_band(self.price_ticks_max)
        changes = self._changes
        changes.contracts.add(event[_CONTRACT_E])
        if move_usd_micros == 0:
            return
        for combination in contract.combinations:
            combination.set_band(self.price_ticks_max)
            changes.contracts.add(combination.contract_idx)
        for position in contract.positions:
            if position.qty_lots:
                gain_usd_micros = position.qty_lots * move_usd_micros
                position.unsettled_usd_micros += gain_usd_micros
                self.accounts[position.account_idx].unsettled_usd_micros += gain_usd_micros
                changes.accounts.add(position.account_idx)
                changes.positions.add((position.account_idx, event[_CONTRACT_E]))

    def _settled(self, command: Row, event: Row) -> None:
        self._marked(command, event)
        contract = self.contracts[event[_CONTRACT_E]]
        self._say(command, event, 0)
        contract.settle_ticks, contract.call.breaches = event[_PRICE_E], 0
        contract.day_low_ticks = contract.day_high_ticks = 0

    def _collected(self, command: Row, event: Row) -> None:
        """Say that a cycle pays; what it pays follows as variations. A correction says a price."""
        self._say(command, event, event[_CYCLE_E])
        if event[_CYCLE_E] == Cycle.CORRECTION:
            self.contracts[event[_CONTRACT_E]].settle_ticks = command[_PRICE]
            self._changes.contracts.add(event[_CONTRACT_E])

    def _say(self, command: Row, event: Row, cycle: int) -> None:
        contract = self.contracts[event[_CONTRACT_E]]
        rule, source = (command[_STATE], command[_ORDER_ID]) if cycle == 0 else (0, 0)
        price_ticks = event[_PRICE_E]
        if cycle == Cycle.CORRECTION:
            rule, source, price_ticks = command[_REF], command[_ORDER_ID], command[_PRICE]
        self._changes.settlements.append(
            SettlementSaid(
                event[0], contract.contract_idx, cycle, price_ticks, contract.settle_ticks,
                rule, source - 1, command[_EXPIRES],
                run_of_words(command[_CLIENT : _CLIENT + 4]),
            )
        )  # fmt: skip

    def _variation(self, command: Row, event: Row) -> None:
        """Pay a position up to a price; what lies between it and the mark stays unsettled."""
        account_idx, contract_idx = event[_ACCOUNT_E], event[_CONTRACT_E]
        amount_usd_micros = event[_AMOUNT_E]
        account, contract = self.accounts[account_idx], self.contracts[contract_idx]
        position = account.positions[contract_idx]
        left_ticks = event[_QTY_E] * (contract.mark_ticks - event[_PRICE_E])
        position.unsettled_usd_micros -= amount_usd_micros
        assert position.unsettled_usd_micros == left_ticks * contract.tick_value_usd_micros
        account.unsettled_usd_micros -= amount_usd_micros
        account.cash_usd_micros += amount_usd_micros
        self.haircuts.pop(account_idx, None)
        self._changes.variations.append((event[0], account_idx, contract_idx, amount_usd_micros))
        self._changes.accounts.add(account_idx)
        self._changes.positions.add((account_idx, contract_idx))
