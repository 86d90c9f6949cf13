"""Trades of the clearing house: each becomes two positions against it, or the legs of one do."""

from typing import Any, Final

from exchange.rules.cleared import ClearedContract, ClearedPosition, Effects
from exchange.rules.cleared_legs import TradeKind
from exchange.rules.clearing_rows import (
    PositionEventRow,
    PositionMoveRow,
    TradeRow,
    signed_lots,
)
from exchange.rules.entry import after_fill
from exchange.rules.fees import NO_RATES, NOTHING, Rates, paid_for, pays_as
from exchange.rules.klines import Klines
from exchange.rules.order_history import OrderHistory
from exchange.rules.records import BLOCK, EFP, EXCHANGED, MOVED, NOBODY
from matching.codes import Code, EventKind, MoveReason, Side
from matching.wire import COMMAND

CLOSED_OUT: Final = -1  # order_id of what closed a position without an order

_BUY, _IN_CALL = int(Side.BUY), int(Code.AUCTION_TRADE)
_SINGLE, _COMBINATION = int(TradeKind.SINGLE), int(TradeKind.COMBINATION)
_TS: Final = (COMMAND.names or ()).index("ts_ns")

Row = Any  # the tuple of a COMMAND or EVENT row

# What `_make` does, without its check of the length: the hot path makes three rows a trade.
_row: Final = tuple.__new__


class ClearingTrades:
    """Contracts and positions after command `seq`, and the rows of their trades."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.contracts: list[ClearedContract] = []
        self.effects = Effects(seq)
        self._orders = OrderHistory()
        self._klines = Klines()
        self.fee_rates: dict[int, Rates] = {}  # by account_idx; absent pays nothing
        self._at_call = False  # the trade that is told is at the price of a call
        self._leg = 0  # trades of the current command so far
        self._combined_id = 0  # the combination's order of the implied trade that is being told
        self._contracts_touched: set[int] = set()
        self._positions_touched: list[ClearedPosition] = []

    def _touch(self, contract: ClearedContract, seq: int) -> None:
        contract.updated_seq = seq
        self._contracts_touched.add(contract.contract_idx)

    def _touch_position(self, position: ClearedPosition, seq: int) -> None:
        if position.updated_seq <= self.effects.after_seq:
            self._positions_touched.append(position)
        position.updated_seq = seq

    def _trade(self, command: Row, event: Row) -> None:
        (seq, _, side, code, taker_idx, taker_id, maker_id, contract_idx, maker_idx, price_ticks,
         qty_lots, _, _) = event  # fmt: skip
        self._at_call = code == _IN_CALL
        ts_ns, leg = command[_TS], self._leg
        self._leg = leg + 1
        self._orders.trade(event, ts_ns)
        contract = self.contracts[contract_idx]
        kind = _COMBINATION if contract.legs else _SINGLE
        fields = (
            seq, leg, contract_idx, price_ticks, qty_lots, side, taker_idx, maker_idx, taker_id,
            maker_id, ts_ns, 0, kind, False,
        )  # fmt: skip
        trade = _row(TradeRow, fields)
        self.effects.trades.append(trade)
        self._klines.add(contract_idx, ts_ns, price_ticks, qty_lots)
        contract.last_trade_ticks = price_ticks
        contract.volume_lots += qty_lots
        self._touch(contract, seq)
        if contract.legs:
            self._show_fill(trade, taker_idx, taker_id, side, False)
            self._show_fill(trade, maker_idx, maker_id, 1 - side, True)
            return
        self._novate(contract, trade, taker_idx, taker_id, side, False)
        self._novate(contract, trade, maker_idx, maker_id, 1 - side, True)

    def _leg_trade(self, command: Row, event: Row) -> None:
        """One leg of the trade before it: two positions, and no price of the contract's own."""
        seq, _, side, _, taker_idx, taker_id, maker_id, contract_idx, maker_idx, *rest = event
        contract = self.contracts[contract_idx]
        trade = TradeRow(
            seq, self._leg, contract_idx, rest[0], rest[1], side, taker_idx, maker_idx, taker_id,
            maker_id, command[_TS], 0, TradeKind.LEG,
        )  # fmt: skip
        self._leg += 1
        self.effects.trades.append(trade)
        self._touch(contract, seq)
        self._novate(contract, trade, taker_idx, taker_id, side, False)
        self._novate(contract, trade, maker_idx, maker_id, 1 - side, True)

    def _implied_trade(self, command: Row, event: Row) -> None:
        """One order of a combination is filled, against one order in the book of each leg."""
        seq, _, side, _, account_idx, order_id, comes_id, contract_idx, *_ = event
        rests = event[12] == 1
        self._combined_id, self._at_call = order_id, False
        self._orders.filled(
            event, account_idx, order_id, event[11] if rests else None, command[_TS]
        )
        took, gave = (account_idx, order_id), (NOBODY, 0)
        if comes_id:
            took, gave = gave, took
        trade = TradeRow(
            seq, self._leg, contract_idx, event[9], event[10], 1 - side if comes_id else side,
            took[0], gave[0], took[1], gave[1], command[_TS], 0, int(TradeKind.COMBINATION), True,
        )  # fmt: skip
        self._say_price(trade)
        self._show_fill(trade, account_idx, order_id, side, bool(comes_id))

    def _implied_leg(self, command: Row, event: Row) -> None:
        """One leg of the implied trade before it: two positions, at a price of the leg's own."""
        seq, _, side, _, taker_idx, taker_id, maker_id, contract_idx, maker_idx, *rest = event
        if maker_id == self._combined_id:
            self._orders.filled(event, taker_idx, taker_id, None, command[_TS])
        else:
            self._orders.filled(event, maker_idx, maker_id, event[11], command[_TS])
        trade = TradeRow(
            seq, self._leg, contract_idx, rest[0], rest[1], side, taker_idx, maker_idx, taker_id,
            maker_id, command[_TS], 0, int(TradeKind.SINGLE), True,
        )  # fmt: skip
        self._say_price(trade)
        contract = self.contracts[contract_idx]
        self._novate(contract, trade, taker_idx, taker_id, side, False)
        self._novate(contract, trade, maker_idx, maker_id, 1 - side, True)

    def _say_price(self, trade: TradeRow) -> None:
        """Keep a trade that says a price of its contract."""
        self._leg += 1
        self.effects.trades.append(trade)
        self._klines.add(trade.contract_idx, trade.ts_ns, trade.price_ticks, trade.qty_lots)
        contract = self.contracts[trade.contract_idx]
        contract.last_trade_ticks = trade.price_ticks
        contract.volume_lots += trade.qty_lots
        self._touch(contract, trade.seq)

    def _block_trade(self, command: Row, event: Row) -> None:
        """Clear what two agreed on: it moves open interest, but no price, volume or candle."""
        seq, kind, side, _, taker_idx, deal_id, _, contract_idx, maker_idx, price, lots, *_ = event
        block = EFP if kind == EventKind.EFP_TRADE else BLOCK
        contract = self.contracts[contract_idx]
        trade = TradeRow(
            seq, self._leg, contract_idx, price, lots, side, taker_idx, maker_idx, deal_id, deal_id,
            command[_TS], block,
        )  # fmt: skip
        self._leg += 1
        self.effects.trades.append(trade)
        self._touch(contract, seq)
        self._novate(contract, trade, taker_idx, deal_id, side, False)
        self._novate(contract, trade, maker_idx, deal_id, 1 - side, True)

    def _position_moved(self, command: Row, event: Row) -> None:
        """Clear what the clearing house moved between two accounts: a trade of no book."""
        seq, _, side, reason, giver_idx, deal_id, _, contract_idx, receiver_idx, price, lots, *_ = (
            event
        )
        contract, ts_ns = self.contracts[contract_idx], command[_TS]
        trade = TradeRow(
            seq, self._leg, contract_idx, price, lots, side, giver_idx, receiver_idx, deal_id,
            deal_id, ts_ns, EXCHANGED if reason == MoveReason.EFD else MOVED,
        )  # fmt: skip
        self._leg += 1
        self.effects.trades.append(trade)
        self._touch(contract, seq)
        self._novate(contract, trade, giver_idx, deal_id, side, False)
        self._novate(contract, trade, receiver_idx, deal_id, 1 - side, True)
        self.effects.position_moves.append(
            PositionMoveRow(
                seq, deal_id, reason, contract_idx, giver_idx, receiver_idx, side, price, lots,
                ts_ns,
            )
        )  # fmt: skip

    def _show_fill(
        self, trade: TradeRow, account_idx: int, order_id: int, side: int, is_maker: bool
    ) -> None:
        """Show one side of a combination's trade; its lots go to the legs."""
        self.effects.position_events.append(
            PositionEventRow(
                account_idx, trade.seq, trade.leg, side, is_maker, trade.contract_idx, order_id,
                trade.price_ticks, signed_lots(side, trade.qty_lots), 0, 0, trade.ts_ns,
            )
        )  # fmt: skip

    def _novate(
        self,
        contract: ClearedContract,
        trade: TradeRow,
        account_idx: int,
        order_id: int,
        side: int,
        is_maker: bool,
    ) -> None:
        """Book one side of a trade as a trade with the clearing house."""
        seq, leg, contract_idx, price_ticks, qty_lots = trade[:5]
        lots = qty_lots if side == _BUY else -qty_lots
        position = contract.positions.get(account_idx) or contract.position(account_idx)
        # A trade with oneself moves nothing, but it is a trade and both its sides are shown.
        moves = trade[6] != trade[7]  # taker and maker
        gain_usd_micros = self._fill(contract, position, lots, price_ticks) if moves else 0
        if position.updated_seq <= self.effects.after_seq:
            self._positions_touched.append(position)
        position.updated_seq = seq
        paid, rates = NOTHING, self.fee_rates.get(account_idx, NO_RATES)
        if rates is not NO_RATES:
            pays = pays_as(block=trade.block, in_auction=self._at_call, is_maker=is_maker)
            paid = paid_for(rates, pays, qty_lots, contract.tick_value_usd_micros)
        fields = (
            account_idx, seq, leg, side, is_maker, contract_idx, order_id, price_ticks, lots,
            position.qty_lots, gain_usd_micros, trade[10], contract.fine_usd_micros, *paid,
        )  # fmt: skip
        self.effects.position_events.append(_row(PositionEventRow, fields))

    def _close_positions(
        self, contract: ClearedContract, price_ticks: int, seq: int, ts_ns: int
    ) -> None:
        """Close what is left of an expired contract, as if all traded out at one price.

        It counts as one trade of the command: others may follow, of stops that waited their turn.
        """
        leg = self._leg
        self._leg = leg + 1
        for account_idx, position in contract.positions.items():
            lots = -position.qty_lots
            if lots == 0:
                continue
            gain_usd_micros = self._fill(contract, position, lots, price_ticks)
            self._touch_position(position, seq)
            self.effects.position_events.append(
                PositionEventRow(
                    account_idx, seq, leg, Side.BUY if lots > 0 else Side.SELL, False,
                    contract.contract_idx, CLOSED_OUT, price_ticks, lots, 0, gain_usd_micros, ts_ns,
                    contract.fine_usd_micros,
                )
            )  # fmt: skip
        self._touch(contract, seq)

    @staticmethod
    def _fill(
        contract: ClearedContract, position: ClearedPosition, lots: int, price_ticks: int
    ) -> int:
        """Book signed lots at a price, in delivery at a part of a tick more; return its gain."""
        lot_usd_micros = contract.tick_value_usd_micros * price_ticks + contract.fine_usd_micros
        value_usd_micros = lot_usd_micros * lots
        before_lots, gain_usd_micros = position.qty_lots, 0
        after_lots = before_lots + lots
        position.carry_usd_micros += value_usd_micros
        if before_lots == 0 or (before_lots > 0) == (lots > 0):  # as `after_fill`, without a call
            position.entry_usd_micros += value_usd_micros
        else:
            _, position.entry_usd_micros, gain_usd_micros = after_fill(
                before_lots, position.entry_usd_micros, 0, lots, value_usd_micros
            )
            position.realised_usd_micros += gain_usd_micros
        position.qty_lots = after_lots
        if after_lots > 0:
            contract.open_interest_lots += after_lots
        if before_lots > 0:
            contract.open_interest_lots -= before_lots
        return gain_usd_micros
