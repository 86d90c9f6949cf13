"""What a mirror keeps of collateral: what is counted, what is held, what it is worth."""

from typing import Any

from exchange.rules.holdings import AssetPrice, Held, moved
from exchange.rules.mirror_state import MirrorState
from matching.wire import COMMAND, EVENT

_FIELD = {name: place for place, name in enumerate(COMMAND.names or ())}
_REF = _FIELD["ref_id"]
_E = {name: place for place, name in enumerate(EVENT.names or ())}
_SIDE_E, _ACCOUNT_E, _ORDER_E = _E["side"], _E["account_idx"], _E["order_id"]
_MAKER_E, _MAKER_ACCOUNT_E = _E["maker_order_id"], _E["maker_account_idx"]
_PRICE_E, _AMOUNT_E = _E["price_ticks"], _E["amount_usd_micros"]

Row = Any  # the tuple of a COMMAND or EVENT row


class CollateralMirror(MirrorState):
    """The part of a mirror that follows collateral, charges and cash between accounts."""

    def _collateral_set(self, command: Row, event: Row) -> None:
        self.accounts[event[_ACCOUNT_E]].collateral.counted_usd_micros = event[_AMOUNT_E]
        self._changes.accounts.add(event[_ACCOUNT_E])

    def _charged(self, command: Row, event: Row) -> None:
        account = self.accounts[event[_ACCOUNT_E]]
        account.cash_usd_micros -= event[_AMOUNT_E]
        last_id = account.collateral.last_charge_id
        account.collateral.last_charge_id = max(last_id, command[_REF])
        self._changes.accounts.add(event[_ACCOUNT_E])

    def _fees_set(self, command: Row, event: Row) -> None:
        self.accounts[event[_ACCOUNT_E]].fee_rates = event[_AMOUNT_E]

    def _cash_sent(self, command: Row, event: Row) -> None:
        giver, receiver_idx = self.accounts[event[_ACCOUNT_E]], event[_MAKER_ACCOUNT_E]
        giver.cash_usd_micros -= event[_AMOUNT_E]
        giver.last_ref_id = max(giver.last_ref_id, command[_REF])
        self.accounts[receiver_idx].cash_usd_micros += event[_AMOUNT_E]
        self._changes.accounts |= {giver.account_idx, receiver_idx}

    def _asset_moved(self, command: Row, event: Row) -> None:
        collateral, asset = self.accounts[event[_ACCOUNT_E]].collateral, event[_ORDER_E]
        held = collateral.holdings.pop(asset, Held())
        held = moved(held, event[_SIDE_E], event[_PRICE_E])
        if any(held):
            collateral.holdings[asset] = held
        collateral.last_move_id = event[_MAKER_E]
        collateral.counted_usd_micros = event[_AMOUNT_E]
        self._changes.accounts.add(event[_ACCOUNT_E])

    def _asset_taken(self, command: Row, event: Row) -> None:
        _, _, _, asset, giver_idx, _, _, _, taker_idx, units, *_, amount_usd_micros = event
        for account_idx, sign in ((giver_idx, -1), (taker_idx, 1)):
            account = self.accounts[account_idx]
            before = account.collateral.holdings.pop(asset, Held())
            held = Held(before.units + sign * units, before.leaving_units)
            if any(held):
                account.collateral.holdings[asset] = held
            account.cash_usd_micros -= sign * amount_usd_micros
            self._changes.accounts.add(account_idx)

    def _asset_priced(self, command: Row, event: Row) -> None:
        price = AssetPrice(event[_PRICE_E], event[_MAKER_E], event[_SIDE_E])
        self.asset_prices[event[_ORDER_E]] = price
