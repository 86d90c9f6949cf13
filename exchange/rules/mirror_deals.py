"""What a mirror does with blocks and requests for quotes."""

from collections.abc import Callable
from typing import Any

from exchange.rules.deals import Deal
from exchange.rules.mirror_legs import MirrorLegs
from exchange.rules.records import BLOCK, EFP, Trade
from matching.codes import DealKind, EventKind, Side
from matching.wire import COMMAND, EVENT

_FIELD = {name: place for place, name in enumerate(COMMAND.names or ())}
_TS, _STATE, _EXPIRES = _FIELD["ts_ns"], _FIELD["state"], _FIELD["expires_ns"]
_CLIENT, _ORDER_ID, _QTY = _FIELD["client_a"], _FIELD["order_id"], _FIELD["qty_lots"]
_E = {name: place for place, name in enumerate(EVENT.names or ())}
_CONTRACT_E, _CODE_E, _DEAL_E = _E["contract_idx"], _E["code"], _E["order_id"]

Row = Any  # the tuple of a COMMAND or EVENT row


class DealsMirror(MirrorLegs):
    """Follows proposals, requests and block trades."""

    def _deal_handlers(self) -> dict[int, Callable[[Row, Row], None]]:
        return {
            EventKind.BLOCKS_SET: self._blocks_set,
            EventKind.PROPOSED: self._proposed,
            EventKind.QUOTES_REQUESTED: self._quotes_requested,
            EventKind.DEAL_ENDED: self._deal_ended,
            EventKind.BLOCK_TRADE: self._block_trade,
            EventKind.EFP_TRADE: self._block_trade,
        }

    def _blocks_set(self, command: Row, event: Row) -> None:
        contract = self.contracts[event[_CONTRACT_E]]
        contract.block_min_lots, contract.block_range_bps = command[_QTY], command[_ORDER_ID]
        self._changes.contracts.add(contract.contract_idx)

    def _quotes_requested(self, command: Row, event: Row) -> None:
        self._opened(command, event, DealKind.QUOTES)

    def _proposed(self, command: Row, event: Row) -> None:
        self._opened(command, event, command[_STATE])

    def _opened(self, command: Row, event: Row, kind: int) -> None:
        deal = Deal()
        (_, _, deal.side, _, deal.account_idx, deal.deal_id, deal.request_id, deal.contract_idx,
         deal.counterparty_idx, deal.price_ticks, deal.qty_lots, _, _) = event  # fmt: skip
        deal.kind, deal.expires_ns = int(kind), command[_EXPIRES]
        deal.client_words = command[_CLIENT : _CLIENT + 4]
        deal.created_ns = command[_TS]
        self.deals.add(deal)
        self._touch_deal(deal, command)

    def _touch_deal(self, deal: Deal, command: Row) -> None:
        deal.updated_ns, deal.updated_seq = command[_TS], command[0]
        self._changes.deals[deal.deal_id] = deal

    def _deal_ended(self, command: Row, event: Row) -> None:
        deal = self.deals.open[event[_DEAL_E]]
        deal.code = event[_CODE_E]
        self.deals.end(deal)
        self._touch_deal(deal, command)

    def _block_trade(self, command: Row, event: Row) -> None:
        """Book both sides; neither the last price nor the day's range moves."""
        seq, kind, side, _, taker_idx, deal_id, _, contract_idx, maker_idx, *rest = event
        price_ticks, qty_lots, _, _ = rest
        contract, deal = self.contracts[contract_idx], self.deals.open[deal_id]
        bought_lots = qty_lots if side == Side.BUY else -qty_lots
        for account_idx, lots in ((taker_idx, bought_lots), (maker_idx, -bought_lots)):
            self.open_position(account_idx, contract_idx)
            self._fill(contract, account_idx, lots, price_ticks)
        trade = Trade(
            seq, self._leg, command[_TS], contract_idx, price_ticks, qty_lots, side, taker_idx,
            deal_id, maker_idx, deal_id, 0, EFP if kind == EventKind.EFP_TRADE else BLOCK,
        )  # fmt: skip
        self._leg += 1
        deal.trade_id = trade.trade_id
        self.deals.end(deal)
        self._touch_deal(deal, command)
        contract.trades.append(trade)
        self._changes.blocks.append(trade)
        self._changes.contracts.add(contract_idx)  # its open interest
