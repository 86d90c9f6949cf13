"""The clearing house: committed batches in, rows of trades, positions and money out.

Every trade becomes two positions against the house. It decides nothing: it
records what the core said, computes variation margin a second time, and stops
when the two disagree. It is a plain value: what it holds after `seq` depends on
the batches up to `seq` alone, not on how many of them were taken at once.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from exchange.rules.cleared import ClearedContract, ClearedPosition, Effects
from exchange.rules.clearing_rows import (
    PositionEventRow,
    SettlementRow,
    TradeRow,
    VariationRow,
    signed_lots,
)
from exchange.rules.entry import after_fill
from exchange.rules.klines import Klines
from exchange.rules.order_history import OrderHistory
from exchange.rules.postings import Books
from exchange.rules.records import BLOCK, EFP
from exchange.rules.rows import command_rows, event_rows
from exchange.rules.settlement_check import ClearingMismatch, Holding, SettlementCheck
from matching.codes import EventKind
from matching.wire import COMMAND, unpack_text

_FIELD = {name: place for place, name in enumerate(COMMAND.names or ())}
_TS, _STATE, _CLIENT = _FIELD["ts_ns"], _FIELD["state"], _FIELD["client_a"]
_PRICE, _AMOUNT = _FIELD["price_ticks"], _FIELD["amount_usd_micros"]
_EXPIRES, _REF = _FIELD["expires_ns"], _FIELD["ref_id"]

Row = Any  # the tuple of a COMMAND or EVENT row

# What says something of protections, which clearing does not keep.
OF_PROTECTIONS: Final = (
    EventKind.LIMITS_SET, EventKind.TIMER_SET, EventKind.TIMER_FIRED, EventKind.ACCOUNT_KILLED,
    EventKind.HALT_SET, EventKind.SWEPT, EventKind.QUOTED, EventKind.QUOTE_REFUSED,
    EventKind.MMP_SET,
)  # fmt: skip

# What `_make` does, without its check of the length: the hot path makes three rows a trade.
_row: Final = tuple.__new__


class ClearingHouse:
    """Positions, ledger and views after command `seq`, and the rows not written yet."""

    def __init__(self, books: Books | None = None, seq: int = 0) -> None:
        self.seq = seq
        self.books = books if books is not None else Books()
        self.contracts: list[ClearedContract] = []
        self.effects = Effects(seq)
        self._orders = OrderHistory()
        self._klines = Klines()
        self._check: SettlementCheck | None = None
        self._leg = 0
        self._contracts_touched: set[int] = set()
        self._positions_touched: list[ClearedPosition] = []
        self._handlers = self._handler_table()

    def apply(self, commands: np.ndarray, events: np.ndarray) -> None:
        """Take one batch, whole: its stamped COMMAND rows and all their EVENT rows.

        Errors:
            ClearingMismatch: the events are not those of the commands, or the core's variation
                margin is not ours. Nothing of this object may be used afterwards.
        """
        handlers = self._handlers
        rows = command_rows(commands)
        command: Row = None
        seq = self.seq
        for event in event_rows(events):
            if event[0] != seq:
                command = next(rows, None)
                seq += 1
                if command is None or command[0] != seq or event[0] != seq:
                    raise ClearingMismatch(f"an event of seq {event[0]} where {seq} was due")
                self._begin(seq, command[_TS])
            handlers[event[1]](command, event)
        if next(rows, None) is not None:
            raise ClearingMismatch(f"no events after seq {seq}")
        self._end_batch(seq, command[_TS])

    def take(self) -> Effects:
        """Return the rows of all batches since the last call, and forget them."""
        effects = self.effects
        effects.contracts = [self.contracts[idx].row() for idx in sorted(self._contracts_touched)]
        effects.positions = [position.row() for position in self._positions_touched]
        effects.orders = list(self._orders.new_rows())
        effects.order_changes = list(self._orders.change_rows())
        effects.klines = self._klines.rows()
        books = self.books
        effects.ledger_accounts = books.opened
        effects.transfers, effects.postings = books.transfers, books.postings
        effects.balances = books.balances()
        self._orders.clear()
        self._klines.clear()
        books.clear()
        self._contracts_touched.clear()
        self._positions_touched = []
        self.effects = Effects(self.seq)
        return effects

    def position(self, account_idx: int, contract_idx: int) -> ClearedPosition:
        """Return a position, an empty one that is not kept when there is none."""
        held = self.contracts[contract_idx].positions.get(account_idx)
        return held or ClearedPosition(account_idx, contract_idx)

    def _begin(self, seq: int, ts_ns: int) -> None:
        if self._check is not None:
            self._finish_settlement(self._check)
        self._orders.begin()
        self._leg = 0
        self.effects.see_minute(seq, ts_ns)

    def _end_batch(self, seq: int, ts_ns: int) -> None:
        if self._check is not None:
            self._finish_settlement(self._check)
        self.books.flush()
        self.seq = self.effects.last_seq = seq
        self.effects.last_ns = ts_ns

    def _handler_table(self) -> dict[int, Callable[[Row, Row], None]]:
        return {
            EventKind.TICKED: self._nothing,
            EventKind.ACCOUNT_OPENED: self._account_opened,
            EventKind.ACCOUNT_SET: self._nothing,
            EventKind.CASH_MOVED: self._cash_moved,
            EventKind.LISTED: self._listed,
            EventKind.STATE_SET: self._state_set,
            EventKind.BAND_SET: self._nothing,
            EventKind.SHOCKS_STAGED: self._nothing,
            EventKind.SCENARIOS_SWAPPED: self._nothing,
            EventKind.MARKED: self._marked,
            EventKind.SETTLED: self._settled,
            EventKind.ACCEPTED: self._orders.accepted,
            EventKind.CANCELLED: self._orders.cancelled,
            EventKind.AMENDED: self._orders.amended,
            EventKind.MASS_CANCELLED: self._nothing,
            EventKind.TRADE: self._trade,
            EventKind.VARIATION: self._variation,
            EventKind.REFUSED: self._nothing,
            EventKind.MMP_HIT: self._mmp_hit,
            **dict.fromkeys(OF_PROTECTIONS, self._nothing),
            EventKind.PROPOSED: self._nothing,
            EventKind.DEAL_ENDED: self._nothing,
            EventKind.BLOCK_TRADE: self._block_trade,
            EventKind.EFP_TRADE: self._block_trade,
            EventKind.BLOCKS_SET: self._nothing,
            EventKind.QUOTES_REQUESTED: self._nothing,
        }

    def _mmp_hit(self, command: Row, event: Row) -> None:
        self._orders.begin()  # the cancellations that follow are of orders that rest

    def _nothing(self, command: Row, event: Row) -> None:
        """Nothing that clearing keeps."""

    def _account_opened(self, command: Row, event: Row) -> None:
        self.books.open_cash(event[4])

    def _cash_moved(self, command: Row, event: Row) -> None:
        self.books.move_cash(event[0], event[4], event[12], command[_REF], command[_TS])

    def _listed(self, command: Row, event: Row) -> None:
        contract = ClearedContract(event[7], unpack_text(*command[_CLIENT : _CLIENT + 4]))
        assert contract.contract_idx == len(self.contracts)
        contract.tick_value_usd_micros = command[_AMOUNT]
        contract.mark_ticks = contract.settle_ticks = command[_PRICE]
        contract.listed_seq, contract.listed_ns = event[0], command[_TS]
        contract.ends_ns = command[_EXPIRES]
        contract.state = command[_STATE]
        self.contracts.append(contract)
        self._touch(contract, event[0])

    def _state_set(self, command: Row, event: Row) -> None:
        contract = self.contracts[event[7]]
        contract.state = command[_STATE]
        self._touch(contract, event[0])

    def _marked(self, command: Row, event: Row) -> None:
        contract = self.contracts[event[7]]
        contract.mark_ticks = event[9]
        self._touch(contract, event[0])

    def _touch(self, contract: ClearedContract, seq: int) -> None:
        contract.updated_seq = seq
        self._contracts_touched.add(contract.contract_idx)

    def _touch_position(self, position: ClearedPosition, seq: int) -> None:
        if position.updated_seq <= self.effects.after_seq:
            self._positions_touched.append(position)
        position.updated_seq = seq

    # Settlement

    def _settled(self, command: Row, event: Row) -> None:
        contract = self.contracts[event[7]]
        holdings = {
            account_idx: Holding(position.qty_lots, position.carry_usd_micros)
            for account_idx, position in contract.positions.items()
        }
        tick_value = contract.tick_value_usd_micros
        self._check = SettlementCheck(event[0], event[9], event[12], tick_value, holdings)
        self._settling = (contract, command[_TS])

    def _variation(self, command: Row, event: Row) -> None:
        check = self._check
        if check is None:
            raise ClearingMismatch(f"variation margin outside a settlement at seq {event[0]}")
        seq, account_idx, amount_usd_micros, ts_ns = event[0], event[4], event[12], command[_TS]
        check.take(account_idx, event[10], event[9], amount_usd_micros)
        self.books.add_variation(seq, account_idx, amount_usd_micros, ts_ns)
        self.effects.variations.append(
            VariationRow(account_idx, seq, event[7], event[10], event[9], amount_usd_micros, ts_ns)
        )

    def _finish_settlement(self, check: SettlementCheck) -> None:
        check.finish()
        contract, ts_ns = self._settling
        self._check = None
        price_ticks = check.price_ticks
        row = SettlementRow(
            contract.contract_idx, check.seq, ts_ns, price_ticks, contract.settle_ticks,
            contract.last_trade_ticks, contract.volume_lots, contract.open_interest_lots,
            check.paid_usd_micros,
        )  # fmt: skip
        self.effects.settlements.append(row)
        value_usd_micros = contract.tick_value_usd_micros * price_ticks
        for position in contract.positions.values():
            carry_usd_micros = value_usd_micros * position.qty_lots
            if carry_usd_micros != position.carry_usd_micros:
                position.carry_usd_micros = carry_usd_micros
                self._touch_position(position, check.seq)
        contract.mark_ticks = contract.settle_ticks = price_ticks
        contract.volume_lots = 0
        self._touch(contract, check.seq)

    # Trades

    def _trade(self, command: Row, event: Row) -> None:
        seq, _, side, _, taker_idx, taker_id, maker_id, contract_idx, maker_idx, *rest = event
        price_ticks, qty_lots, _, _ = rest
        ts_ns, leg = command[_TS], self._leg
        self._leg = leg + 1
        self._orders.trade(event, ts_ns)
        contract = self.contracts[contract_idx]
        fields = (
            seq, leg, contract_idx, price_ticks, qty_lots, side, taker_idx, maker_idx, taker_id,
            maker_id, ts_ns, 0,
        )  # fmt: skip
        trade = _row(TradeRow, fields)
        self.effects.trades.append(trade)
        self._klines.add(contract_idx, ts_ns, price_ticks, qty_lots)
        contract.last_trade_ticks = price_ticks
        contract.volume_lots += qty_lots
        self._touch(contract, seq)
        self._novate(contract, trade, taker_idx, taker_id, side, False)
        self._novate(contract, trade, maker_idx, maker_id, 1 - side, True)

    def _block_trade(self, command: Row, event: Row) -> None:
        """Clear what two agreed on: it moves open interest, but no price, volume or candle."""
        seq, kind, side, _, taker_idx, deal_id, _, contract_idx, maker_idx, price, lots, *_ = event
        block = EFP if kind == EventKind.EFP_TRADE else BLOCK
        contract = self.contracts[contract_idx]
        trade = TradeRow(
            seq, 0, contract_idx, price, lots, side, taker_idx, maker_idx, deal_id, deal_id,
            command[_TS], block,
        )  # fmt: skip
        self.effects.trades.append(trade)
        self._touch(contract, seq)
        self._novate(contract, trade, taker_idx, deal_id, side, False)
        self._novate(contract, trade, maker_idx, deal_id, 1 - side, True)

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
        lots = signed_lots(side, qty_lots)
        position = contract.position(account_idx)
        # A trade with oneself moves nothing, but it is a trade and both its sides are shown.
        moves = trade.taker_account_idx != trade.maker_account_idx
        gain_usd_micros = self._fill(contract, position, lots, price_ticks) if moves else 0
        self._touch_position(position, seq)
        fields = (
            account_idx, seq, leg, side, is_maker, contract_idx, order_id, price_ticks, lots,
            position.qty_lots, gain_usd_micros, trade.ts_ns,
        )  # fmt: skip
        self.effects.position_events.append(_row(PositionEventRow, fields))

    @staticmethod
    def _fill(
        contract: ClearedContract, position: ClearedPosition, lots: int, price_ticks: int
    ) -> int:
        """Book signed lots at a price; return what the fill realised."""
        value_usd_micros = contract.tick_value_usd_micros * price_ticks * lots
        long_before_lots = max(0, position.qty_lots)
        realised_before = position.realised_usd_micros
        position.qty_lots, position.entry_usd_micros, position.realised_usd_micros = after_fill(
            position.qty_lots,
            position.entry_usd_micros,
            realised_before,
            lots,
            value_usd_micros,
        )
        position.carry_usd_micros += value_usd_micros
        contract.open_interest_lots += max(0, position.qty_lots) - long_before_lots
        return position.realised_usd_micros - realised_before
