"""What fills cost all in all, by the rule that clearing prices each of them with."""

from collections.abc import Iterable
from typing import NamedTuple

from exchange.rules.fees import TICK_USD_MICROS, FeeRow, Pays, paid_for, rates_of


class Fill(NamedTuple):
    """One side of a trade, as fees see it."""

    qty_lots: int
    lot_gpu_hours: int
    is_maker: bool


class Bill(NamedTuple):
    """What an account owes for its fills; a rebate is what it is owed."""

    trading_usd_micros: int
    clearing_usd_micros: int
    rebate_usd_micros: int

    @property
    def owed_usd_micros(self) -> int:
        """Return what is owed all in all, negative when the account is owed."""
        return self.trading_usd_micros + self.clearing_usd_micros - self.rebate_usd_micros


def bill_of(fills: Iterable[Fill], row: FeeRow, rebate_usd_micros_per_gpu_hour: int = 0) -> Bill:
    """Return what an account owes for its fills at one row's rates."""
    trading = clearing = rebate = 0
    for fill in fills:
        pays = Pays.MAKER if fill.is_maker else Pays.TAKER
        paid = paid_for(rates_of(row), pays, fill.qty_lots, fill.lot_gpu_hours * TICK_USD_MICROS)
        trading += paid.trading_usd_micros
        clearing += paid.clearing_usd_micros
        made = fill.qty_lots * fill.lot_gpu_hours if fill.is_maker else 0
        rebate += made * rebate_usd_micros_per_gpu_hour
    return Bill(trading, clearing, rebate)
