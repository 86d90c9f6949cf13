"""Collateral in the clearing house: charges, cash between accounts, assets and what they count."""

from collections.abc import Callable
from typing import Any, Final

from exchange.rules.clearing_rows import AssetPriceRow, CountRow, FeeRateRow, WaterfallUseRow
from exchange.rules.clearing_trades import ClearingTrades
from exchange.rules.fees import Rates
from exchange.rules.postings import Books
from exchange.rules.waterfall import OWN_LAYER
from matching.codes import EventKind
from matching.wire import COMMAND, EVENT

_FIELD: Final = {name: place for place, name in enumerate(COMMAND.names or ())}
_TS, _REF = _FIELD["ts_ns"], _FIELD["ref_id"]
_E: Final = {name: place for place, name in enumerate(EVENT.names or ())}
_SIDE, _ACCOUNT, _ORDER = _E["side"], _E["account_idx"], _E["order_id"]
_MAKER, _RECEIVER = _E["maker_order_id"], _E["maker_account_idx"]
_PRICE, _AMOUNT = _E["price_ticks"], _E["amount_usd_micros"]

Row = Any  # the tuple of a COMMAND or EVENT row


class ClearingCollateral(ClearingTrades):
    """What is counted for each account, and the rows of what changed it."""

    def __init__(self, seq: int, books: Books) -> None:
        super().__init__(seq)
        self.books = books
        self.counted_usd_micros: dict[int, int] = {}  # by account_idx; absent is nothing

    def _collateral_handlers(self) -> dict[int, Callable[[Row, Row], None]]:
        return {
            EventKind.CHARGED: self._charged,
            EventKind.FEES_SET: self._fees_set,
            EventKind.CASH_SENT: self._cash_sent,
            EventKind.COLLATERAL_SET: self._collateral_set,
            EventKind.ASSET_MOVED: self._asset_moved,
            EventKind.ASSET_PRICED: self._asset_priced,
            EventKind.ASSET_TAKEN: self._asset_taken,
        }

    def _charged(self, command: Row, event: Row) -> None:
        self.books.charge(
            event[0], event[_ACCOUNT], event[_AMOUNT], event[_ORDER], command[_REF], command[_TS]
        )

    def _fees_set(self, command: Row, event: Row) -> None:
        rates, account_idx = Rates.of_word(event[_AMOUNT]), event[_ACCOUNT]
        self.fee_rates[account_idx] = rates
        self.effects.fee_rates.append(FeeRateRow(account_idx, event[0], *rates, command[_TS]))

    def _cash_sent(self, command: Row, event: Row) -> None:
        self.books.send_cash(
            event[0], event[_ACCOUNT], event[_RECEIVER], event[_AMOUNT], command[_REF],
            command[_TS],
        )  # fmt: skip

    def _collateral_set(self, command: Row, event: Row) -> None:
        self._count(event[_ACCOUNT], event[0], event[_AMOUNT], command[_TS])

    def _asset_moved(self, command: Row, event: Row) -> None:
        self.books.move_asset(
            event[0], event[_ACCOUNT], event[_ORDER], event[_SIDE], event[_PRICE], event[_MAKER],
            command[_TS],
        )  # fmt: skip
        self._count(event[_ACCOUNT], event[0], event[_AMOUNT], command[_TS])

    def _asset_taken(self, command: Row, event: Row) -> None:
        """Post both legs of a sale: units one way, cash the other, of the defaulter's own layer."""
        seq, _, _, asset, giver_idx, sale_of, _, _, taker_idx, units, *_, amount = event
        ts_ns = command[_TS]
        self.books.sell_asset(seq, (giver_idx, taker_idx), asset, units, amount, sale_of, ts_ns)
        self.effects.waterfall_uses.append(
            WaterfallUseRow(seq, sale_of, OWN_LAYER, taker_idx, giver_idx, amount, ts_ns)
        )

    def _asset_priced(self, command: Row, event: Row) -> None:
        self.effects.asset_prices.append(
            AssetPriceRow(
                event[_ORDER], event[0], event[_PRICE], event[_SIDE], event[_MAKER], command[_TS]
            )
        )

    def _count(self, account_idx: int, seq: int, counted_usd_micros: int, ts_ns: int) -> None:
        """Note what is counted from now on, if that is something else."""
        if self.counted_usd_micros.get(account_idx, 0) != counted_usd_micros:
            self.counted_usd_micros[account_idx] = counted_usd_micros
            self.effects.counts.append(CountRow(account_idx, seq, counted_usd_micros, ts_ns))

    def equity_usd_micros(self, account_idx: int) -> int:
        """Return cash, unsettled variation margin by the marks of now, and what is counted."""
        unsettled = sum(
            (contract.tick_value_usd_micros * contract.mark_ticks + contract.fine_usd_micros)
            * held.qty_lots
            - held.carry_usd_micros
            for contract in self.contracts
            if (held := contract.positions.get(account_idx)) is not None
        )
        counted = self.counted_usd_micros.get(account_idx, 0)
        return self.books.cash_usd_micros(account_idx) + unsettled + counted
