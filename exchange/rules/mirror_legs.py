"""The part of a mirror that knows combinations, and books the lots of every trade."""

from typing import Any

from exchange.rules.addons import NO_ADDON
from exchange.rules.entry import after_fill
from exchange.rules.legs import tick_value_usd_micros
from exchange.rules.mirror_state import MirrorState
from exchange.rules.records import Contract, Trade
from matching.codes import CallPhase, Side, TradingState
from matching.limits import PRICE_BITS_DEFAULT, SCENARIOS_MAX
from matching.wire import COMMAND, EVENT, halves, unpack_legs, unpack_text

_FIELD = {name: place for place, name in enumerate(COMMAND.names or ())}
_TS, _STATE, _CLIENT = _FIELD["ts_ns"], _FIELD["state"], _FIELD["client_a"]
_ORDER_ID, _PRICE, _QTY = _FIELD["order_id"], _FIELD["price_ticks"], _FIELD["qty_lots"]
_AMOUNT, _EXPIRES = _FIELD["amount_usd_micros"], _FIELD["expires_ns"]
_REF = _FIELD["ref_id"]
_E = {name: place for place, name in enumerate(EVENT.names or ())}
_SIDE_E, _ACCOUNT_E, _ORDER_E = _E["side"], _E["account_idx"], _E["order_id"]
_MAKER_E, _MAKER_ACCOUNT_E = _E["maker_order_id"], _E["maker_account_idx"]
_CONTRACT_E, _PRICE_E, _QTY_E = _E["contract_idx"], _E["price_ticks"], _E["qty_lots"]

Row = Any  # the tuple of a COMMAND or EVENT row


class MirrorLegs(MirrorState):
    """Listings, and what a trade does to positions."""

    def __init__(self, price_bits: int = PRICE_BITS_DEFAULT) -> None:
        super().__init__(price_bits)
        self._leg = 0  # trades of the current command so far

    def _listed(self, command: Row, event: Row) -> None:
        contract = Contract(event[_CONTRACT_E], unpack_text(*command[_CLIENT : _CLIENT + 4]))
        contract.tick_value_usd_micros = command[_AMOUNT]
        contract.mark_ticks = contract.settle_ticks = command[_PRICE]
        contract.last_trade_ns = command[_EXPIRES]
        contract.block_min_lots, contract.block_range_bps = halves(command[_REF])
        if command[_STATE] == TradingState.AUCTION:
            contract.call.phase = int(CallPhase.MANUAL)
        self._add(contract, command)
        self.shocks.append([0] * self.scenario_count)

    def _combination_listed(self, command: Row, event: Row) -> None:
        contract = Contract(event[_CONTRACT_E], unpack_text(*command[_CLIENT : _CLIENT + 4]))
        named = unpack_legs((command[_PRICE], command[_AMOUNT], command[_EXPIRES]))
        self.join_legs(contract, named)
        contract.tick_value_usd_micros = tick_value_usd_micros(
            [leg.tick_value_usd_micros for leg, _ in contract.legs], [ratio for _, ratio in named]
        )
        contract.settle_ticks = event[_PRICE_E]
        contract.implied = command[_REF] == 1
        ends = [leg.last_trade_ns for leg, _ in contract.legs if leg.last_trade_ns]
        contract.last_trade_ns = min(ends, default=0)
        self._add(contract, command)
        self.shocks.append(self.shocks_of_legs(contract))

    def _add(self, contract: Contract, command: Row) -> None:
        assert contract.contract_idx == len(self.contracts)
        contract.qty_max_lots = command[_QTY]
        contract.state = command[_STATE]
        contract.band_bps = command[_ORDER_ID]
        contract.set_band(self.price_ticks_max)
        self.contracts.append(contract)
        self.symbols[contract.symbol] = contract.contract_idx
        self.shocks_staged.append([0] * SCENARIOS_MAX)
        self.addons.append(NO_ADDON)
        self.addons_staged.append(NO_ADDON)
        self.joints.append(0)
        self._changes.contracts.add(contract.contract_idx)

    def _leg_trade(self, command: Row, event: Row) -> None:
        """Both sides of a combination's trade have the lots of a leg."""
        contract = self.contracts[event[_CONTRACT_E]]
        self._hand_over(contract, event)
        trade = Trade(
            event[0], self._leg, command[_TS], contract.contract_idx, event[_PRICE_E],
            event[_QTY_E], event[_SIDE_E], event[_ACCOUNT_E], event[_ORDER_E],
            event[_MAKER_ACCOUNT_E], event[_MAKER_E], 0,
        )  # fmt: skip
        self._leg += 1
        self._changes.leg_trades.append(trade)
        self._changes.contracts.add(contract.contract_idx)

    def _hand_over(self, contract: Contract, event: Row) -> None:
        """Book the lots of a trade on both sides; one with oneself moves nothing."""
        account_idx, maker_idx, lots = event[_ACCOUNT_E], event[_MAKER_ACCOUNT_E], event[_QTY_E]
        if account_idx != maker_idx:
            bought_lots = lots if event[_SIDE_E] == Side.BUY else -lots
            self._fill(contract, account_idx, bought_lots, event[_PRICE_E])
            self._fill(contract, maker_idx, -bought_lots, event[_PRICE_E])

    def _fill(self, contract: Contract, account_idx: int, lots: int, price_ticks: int) -> None:
        """Book signed lots bought at a price: position, entry value, unsettled gain."""
        account = self.accounts[account_idx]
        position = account.positions[contract.contract_idx]
        long_before_lots = max(0, position.qty_lots)
        value_usd_micros = contract.tick_value_usd_micros * lots
        gain_usd_micros = value_usd_micros * (contract.mark_ticks - price_ticks)
        position.unsettled_usd_micros += gain_usd_micros
        account.unsettled_usd_micros += gain_usd_micros
        position.qty_lots, position.entry_usd_micros, position.realised_usd_micros = after_fill(
            position.qty_lots,
            position.entry_usd_micros,
            position.realised_usd_micros,
            lots,
            value_usd_micros * price_ticks + contract.fine_usd_micros * lots,
        )
        contract.open_interest_lots += max(0, position.qty_lots) - long_before_lots
        self._changes.accounts.add(account_idx)
        self._changes.positions.add((account_idx, contract.contract_idx))
