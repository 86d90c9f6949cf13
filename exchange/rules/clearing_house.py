"""The clearing house: committed batches in, rows of trades, positions and money out.

Every trade becomes two positions against the house. It decides nothing: it
records what the core said, computes variation margin a second time, and stops
when the two disagree. It is a plain value: what it holds after `seq` depends on
the batches up to `seq` alone, not on how many of them were taken at once.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from exchange.rules.cleared import ClearedContract, ClearedPosition, Effects
from exchange.rules.cleared_legs import legs_text
from exchange.rules.clearing_rows import (
    LiquidationEventRow,
    WaterfallUseRow,
)
from exchange.rules.clearing_settlements import ClearingSettlements
from exchange.rules.core_books import CoreBooks
from exchange.rules.legs import tick_value_usd_micros
from exchange.rules.postings import Books
from exchange.rules.rows import command_rows, event_rows
from exchange.rules.settlement_check import ClearingMismatch
from matching.codes import EventKind, LiquidationStep, TradingState
from matching.wire import COMMAND, unpack_legs, unpack_text

_FIELD = {name: place for place, name in enumerate(COMMAND.names or ())}
_TS, _STATE, _CLIENT = _FIELD["ts_ns"], _FIELD["state"], _FIELD["client_a"]
_PRICE, _AMOUNT = _FIELD["price_ticks"], _FIELD["amount_usd_micros"]
_EXPIRES, _REF = _FIELD["expires_ns"], _FIELD["ref_id"]
_ORDER_ID, _QTY = _FIELD["order_id"], _FIELD["qty_lots"]

Row = Any  # the tuple of a COMMAND or EVENT row

STEP_COMMANDS: Final = 64  # about a millisecond

# What says something of time, margin, protections, proposals or prices outside: not kept here.
UNKEPT: Final = (
    EventKind.TICKED, EventKind.BAND_SET, EventKind.SHOCKS_STAGED, EventKind.ADDONS_STAGED,
    EventKind.LEVEL_SET, EventKind.PROFILE_SET, EventKind.COVER_SET,
    EventKind.SCENARIOS_SWAPPED, EventKind.MASS_CANCELLED,
    EventKind.IMPLIED_SET, EventKind.REFUSED, EventKind.INDICATIVE, EventKind.GUARD_SET,
    EventKind.LIMITS_SET, EventKind.TIMER_SET, EventKind.TIMER_FIRED, EventKind.ACCOUNT_KILLED,
    EventKind.HALT_SET, EventKind.SWEPT, EventKind.QUOTED, EventKind.QUOTE_REFUSED,
    EventKind.MMP_SET, EventKind.MMP_HIT, EventKind.INDEX_SET, EventKind.PROPOSED,
    EventKind.DEAL_ENDED, EventKind.BLOCKS_SET, EventKind.QUOTES_REQUESTED,
)  # fmt: skip


class ClearingHouse(ClearingSettlements):
    """Positions, ledger and views after command `seq`, and the rows not written yet."""

    def __init__(self, books: Books | None = None, seq: int = 0) -> None:
        super().__init__(seq, books if books is not None else Books())
        self._handlers = self._handler_table()

    def apply(self, commands: np.ndarray, events: np.ndarray) -> None:
        """Take one batch, whole: its stamped COMMAND rows and all their EVENT rows.

        Errors:
            ClearingMismatch: the events are not those of the commands, or the core's variation
                margin is not ours. Nothing of this object may be used afterwards.
        """
        for _ in self.steps(commands, events):
            pass

    def steps(self, commands: np.ndarray, events: np.ndarray) -> Iterator[None]:
        """Take one batch, as `apply`, and yield now and then: others may want the processor.

        What is there is of no use before the last step.
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
                if seq % STEP_COMMANDS == 0:
                    yield
                self._begin(seq, command[_TS])
            elif self._check is not None and event[1] != EventKind.VARIATION:
                self._finish_settlement(self._check)  # what follows may trade: stops saw the mark
            handlers[event[1]](command, event)
        if next(rows, None) is not None:
            raise ClearingMismatch(f"no events after seq {seq}")
        self._end_batch(seq, command[_TS])

    def take(self) -> Effects:
        """Return the rows of all batches since the last call, and forget them."""
        effects = self.effects
        effects.contracts = [self.contracts[idx].row() for idx in sorted(self._contracts_touched)]
        effects.positions = ClearedPosition.rows(self._positions_touched)
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

    def core_books(self) -> CoreBooks:
        """Return what the core should hold by now, as far as clearing knows."""
        lots = {
            (account_idx, contract.contract_idx): position.qty_lots
            for contract in self.contracts
            for account_idx, position in contract.positions.items()
        }
        cash = {idx: self.books.cash_usd_micros(idx) for idx in self.books.cash_ids}
        equity = {idx: self.equity_usd_micros(idx) for idx in cash}
        return CoreBooks(cash, lots, self.counted_usd_micros, self.books.all_units(), equity)

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
            EventKind.ACCOUNT_OPENED: self._account_opened,
            EventKind.ACCOUNT_SET: self._account_set,
            EventKind.CASH_MOVED: self._cash_moved,
            EventKind.LISTED: self._listed,
            EventKind.COMBINATION_LISTED: self._combination_listed,
            EventKind.STATE_SET: self._state_set,
            EventKind.MARKED: self._marked,
            EventKind.SETTLED: self._settled,
            EventKind.COLLECTED: self._collected,
            EventKind.ACCEPTED: self._orders.accepted,
            EventKind.CANCELLED: self._orders.cancelled,
            EventKind.AMENDED: self._orders.amended,
            EventKind.REPRICED: self._orders.repriced,
            EventKind.STOP_ACCEPTED: self._orders.stop_accepted,
            EventKind.STOP_AMENDED: self._orders.stop_amended,
            EventKind.STOP_GREW: self._orders.stop_grew,
            EventKind.STOP_MOVED: self._orders.stop_moved,
            EventKind.TRIGGERED: self._orders.triggered,
            EventKind.TRADE: self._trade,
            EventKind.LEG_TRADE: self._leg_trade,
            EventKind.IMPLIED_TRADE: self._implied_trade,
            EventKind.IMPLIED_LEG: self._implied_leg,
            EventKind.VARIATION: self._variation,
            **dict.fromkeys(UNKEPT, self._nothing),
            EventKind.CALL_STARTED: self._call_started,
            EventKind.CALL_ENDED: self._call_ended,
            EventKind.LAST_TRADE_SET: self._last_trade_set,
            EventKind.TRADING_ENDED: self._trading_ended,
            EventKind.POSITIONS_CLOSED: self._positions_closed,
            EventKind.CASCADED: self._nothing,
            EventKind.CASCADE_MOVED: self._cascade_moved,
            EventKind.ACCRUED: self._accrued,
            EventKind.BLOCK_TRADE: self._block_trade,
            EventKind.EFP_TRADE: self._block_trade,
            EventKind.POSITION_MOVED: self._position_moved,
            EventKind.CASH_TRANSFERRED: self._cash_transferred,
            **self._collateral_handlers(),
        }

    def _call_started(self, command: Row, event: Row) -> None:
        contract = self.contracts[event[7]]
        contract.state = TradingState.AUCTION
        self._orders.begin()  # what follows is of orders that rest
        self._touch(contract, event[0])

    def _call_ended(self, command: Row, event: Row) -> None:
        contract = self.contracts[event[7]]
        contract.state = event[12]
        self._orders.begin()
        self._touch(contract, event[0])

    def _nothing(self, command: Row, event: Row) -> None:
        """Nothing that clearing keeps."""

    def _account_opened(self, command: Row, event: Row) -> None:
        self.books.open_cash(event[4])

    def _account_set(self, command: Row, event: Row) -> None:
        step = command[_ORDER_ID]
        if step in (LiquidationStep.BEGINS, LiquidationStep.ENDS):
            seq = event[0]
            liquidation_id = seq if step == LiquidationStep.BEGINS else command[_REF]
            self.effects.liquidation_events.append(
                LiquidationEventRow(
                    seq, liquidation_id, event[4], step, command[_AMOUNT], command[_QTY],
                    command[_EXPIRES], command[_PRICE], command[_TS],
                )
            )  # fmt: skip

    def _cash_transferred(self, command: Row, event: Row) -> None:
        seq, _, _, layer, giver_idx, liquidation_id, _, _, receiver_idx, *_, amount = event
        ts_ns = command[_TS]
        self.books.shift_cash(seq, giver_idx, receiver_idx, amount, liquidation_id, ts_ns)
        self.effects.waterfall_uses.append(
            WaterfallUseRow(seq, liquidation_id, layer, giver_idx, receiver_idx, amount, ts_ns)
        )

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

    def _combination_listed(self, command: Row, event: Row) -> None:
        contract = ClearedContract(event[7], unpack_text(*command[_CLIENT : _CLIENT + 4]))
        legs = unpack_legs((command[_PRICE], command[_AMOUNT], command[_EXPIRES]))
        held = [self.contracts[contract_idx] for contract_idx, _ in legs]
        contract.legs = legs_text(legs)
        contract.tick_value_usd_micros = tick_value_usd_micros(
            [leg.tick_value_usd_micros for leg in held], [ratio for _, ratio in legs]
        )
        contract.mark_ticks = contract.settle_ticks = event[9]
        contract.listed_seq, contract.listed_ns = event[0], command[_TS]
        contract.ends_ns = min((leg.ends_ns for leg in held if leg.ends_ns), default=0)
        contract.state = command[_STATE]
        self.contracts.append(contract)
        self._touch(contract, event[0])

    def _state_set(self, command: Row, event: Row) -> None:
        contract = self.contracts[event[7]]
        contract.state = command[_STATE]
        self._touch(contract, event[0])

    def _marked(self, command: Row, event: Row) -> None:
        self._mark(self.contracts[event[7]], event[9], event[0])
