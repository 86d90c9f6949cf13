"""Settlements in the clearing house: variation margin computed a second time, then posted.

A daily settlement, the end of a contract, and the cycles between them all pay positions up to a
price; only what else they do differs.
"""

from typing import Any, Final

from exchange.rules.cleared import ClearedContract
from exchange.rules.cleared_legs import Followers
from exchange.rules.clearing_life import ClearingLife, Settling
from exchange.rules.clearing_rows import SettlementRow, VariationRow
from exchange.rules.postings import Books
from exchange.rules.settlement_check import ClearingMismatch, Holding, SettlementCheck
from exchange.rules.settlement_run import run_of_words
from matching.codes import Cycle
from matching.wire import COMMAND

_FIELD: Final = {name: place for place, name in enumerate(COMMAND.names or ())}
_TS, _STATE, _CLIENT = _FIELD["ts_ns"], _FIELD["state"], _FIELD["client_a"]
_REF, _PRICE = _FIELD["ref_id"], _FIELD["price_ticks"]
_EXPIRES, _ORDER_ID = _FIELD["expires_ns"], _FIELD["order_id"]

Row = Any  # the tuple of a COMMAND or EVENT row


class ClearingSettlements(ClearingLife):
    """Checks and posts what the core paid."""

    def __init__(self, seq: int, books: Books) -> None:
        super().__init__(seq, books)
        self._followers = Followers(self.contracts)
        self._check: SettlementCheck | None = None
        self._closes = False  # positions are closed when the check is finished
        self._cycle = 0  # of what is being checked, 0 for a settlement

    def _mark(self, contract: ClearedContract, price_ticks: int, seq: int) -> None:
        before_ticks, contract.mark_ticks = contract.mark_ticks, price_ticks
        self._touch(contract, seq)
        for combination in self._followers.marked(contract, before_ticks):
            self._touch(combination, seq)

    def _settled(self, command: Row, event: Row) -> None:
        self._begin_settlement(self.contracts[event[7]], command, event)

    def _positions_closed(self, command: Row, event: Row) -> None:
        """All positions are paid up to the price they are closed at, which is the mark."""
        self._closes = True
        self._begin_settlement(self.contracts[event[7]], command, event)

    def _begin_settlement(self, contract: ClearedContract, command: Row, event: Row) -> None:
        holdings = {
            account_idx: Holding(position.qty_lots, position.carry_usd_micros)
            for account_idx, position in contract.positions.items()
        }
        tick_value = contract.tick_value_usd_micros
        fine_usd_micros = contract.fine_usd_micros
        self._check = SettlementCheck(
            event[0], event[9], event[12], tick_value, holdings, fine_usd_micros
        )
        self._settling = Settling(contract, command)

    def _collected(self, command: Row, event: Row) -> None:
        self._cycle = event[5]
        self._begin_settlement(self.contracts[event[7]], command, event)

    def _accrued(self, command: Row, event: Row) -> None:
        row = self._accrual_row(command, event)
        self._begin_settlement(self.contracts[event[7]], command, event)
        self._settling = self._settling._replace(accrual=row)

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
        contract, command, accrual = self._settling
        ts_ns = command[_TS]
        self._check = None
        price_ticks = check.price_ticks
        cycle, self._cycle = self._cycle, 0
        rule, source = (command[_STATE], command[_ORDER_ID]) if cycle == 0 else (0, 0)
        is_corrected, said_ticks = cycle == Cycle.CORRECTION, price_ticks
        if is_corrected:
            rule, source, said_ticks = command[_REF], command[_ORDER_ID], command[_PRICE]
        row = SettlementRow(
            contract.contract_idx, check.seq, ts_ns, said_ticks, contract.settle_ticks,
            contract.last_trade_ticks, contract.volume_lots, contract.open_interest_lots,
            check.paid_usd_micros, cycle, command[_EXPIRES], rule, source,
            run_of_words(command[_CLIENT : _CLIENT + 4]),
        )  # fmt: skip
        if accrual is not None:
            self.effects.accruals.append(accrual)
        elif (
            not (self._closes or cycle) or check.paid_usd_micros or is_corrected
        ):  # else nothing was settled
            self.effects.settlements.append(row)
        value_usd_micros = contract.tick_value_usd_micros * price_ticks + contract.fine_usd_micros
        for position in contract.positions.values():
            carry_usd_micros = value_usd_micros * position.qty_lots
            if carry_usd_micros != position.carry_usd_micros:
                position.carry_usd_micros = carry_usd_micros
                self._touch_position(position, check.seq)
        if self._closes:
            self._closes = False
            self._close_positions(contract, price_ticks, check.seq, ts_ns)
            return
        if is_corrected:
            contract.settle_ticks = said_ticks
            self._touch(contract, check.seq)
        if cycle:
            return
        contract.settle_ticks = price_ticks
        contract.volume_lots = 0
        self._mark(contract, price_ticks, check.seq)
