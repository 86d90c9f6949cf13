"""The part of a mirror that knows what margin is made of: the matrix, add-ons, levels."""

from typing import Any

from exchange.rules.addons import Addon
from exchange.rules.mirror_state import MirrorState
from exchange.rules.money import BPS, div_ceil
from exchange.rules.records import Contract
from matching.codes import TradingState
from matching.limits import ADDONS_BY_HAND, JOINT_FALL_BPS, SCENARIOS_MAX
from matching.wire import COMMAND, EVENT, SHOCK_WORD

_FIELD = {name: place for place, name in enumerate(COMMAND.names or ())}
_CONTRACT, _ORDER_ID = _FIELD["contract_idx"], _FIELD["order_id"]
_PRICE, _QTY, _AMOUNT = _FIELD["price_ticks"], _FIELD["qty_lots"], _FIELD["amount_usd_micros"]
_REF, _STATE = _FIELD["ref_id"], _FIELD["state"]
_ADDON = slice(_PRICE, _PRICE + len(Addon._fields))
_SHOCKS = slice(_PRICE, _PRICE + 8)  # the row's tuple has one place for each word from here on
assert COMMAND.fields is not None and COMMAND.fields["price_ticks"][1] == SHOCK_WORD * 8
_ACCOUNT_E = (EVENT.names or ()).index("account_idx")

Row = Any  # the tuple of a COMMAND or EVENT row


class MirrorMargin(MirrorState):
    """The margin matrix, staged and live, and what is added to it."""

    def _shocks_staged(self, command: Row, event: Row) -> None:
        staged = self.shocks_staged[command[_CONTRACT]]
        for place, shock in enumerate(command[_SHOCKS], command[_ORDER_ID]):
            if place < SCENARIOS_MAX:
                staged[place] = shock

    def _addons_staged(self, command: Row, event: Row) -> None:
        contract_idx = command[_CONTRACT]
        self.addons_staged[contract_idx] = Addon(*command[_ADDON])
        if command[_STATE] == ADDONS_BY_HAND:
            self.addons_by_hand.add(contract_idx)
        else:
            self.addons_by_hand.discard(contract_idx)

    def _level_set(self, command: Row, event: Row) -> None:
        self.accounts[event[_ACCOUNT_E]].level_bps = command[_ORDER_ID]

    def _profile_set(self, command: Row, event: Row) -> None:
        self.accounts[event[_ACCOUNT_E]].profile = command[_STATE]

    def _cover_set(self, command: Row, event: Row) -> None:
        account_idx, contract_idx = event[_ACCOUNT_E], command[_CONTRACT]
        if command[_QTY] or contract_idx in self.accounts[account_idx].positions:
            self.open_position(account_idx, contract_idx).cover_lots = command[_QTY]

    def _scenarios_swapped(self, command: Row, event: Row) -> None:
        self.scenario_count = command[_QTY]
        self.worst_count = command[_ORDER_ID]
        self.stress_count, self.floor_count = command[_PRICE], command[_AMOUNT]
        self.kept_bps = command[_REF]
        self.addons = list(self.addons_staged)
        self.joints = [joint_of(contract) for contract in self.contracts]
        self.shocks = [staged[: self.scenario_count] for staged in self.shocks_staged]
        for contract in self.contracts:
            if contract.legs:
                self.shocks[contract.contract_idx] = self.shocks_of_legs(contract)


def joint_of(contract: Contract) -> int:
    """Return what a long lot loses when all of compute falls, at its settlement price."""
    if contract.legs or contract.state == TradingState.EXPIRED:
        return 0
    value = contract.tick_value_usd_micros * contract.settle_ticks
    return div_ceil(value * JOINT_FALL_BPS, BPS)
