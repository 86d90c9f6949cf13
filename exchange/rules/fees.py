"""Fees: rows with an effective date, in micro-dollars per GPU-hour of a lot.

A tier is for who traded enough in 30 days; the maker's fee never exceeds the taker's, and a rebate
to a market maker never exceeds what the taker paid. What a customer owes rounds up, per trade and
component; what we owe rounds down.
"""

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Final, NamedTuple

from exchange.rules.money import TICK_USD_MICROS
from exchange.rules.records import CASCADED, EXCHANGED, MOVED, Contract, Trade
from matching.limits import FEE_RATE_BITS, FEE_RATE_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRow:
    """What one lot costs each side, in micro-dollars per GPU-hour of the lot."""

    tier: str
    effective_from: date
    volume_gpu_hours: int = 0  # traded in the 30 days before, to be in the tier
    maker_usd_micros_per_gpu_hour: int
    taker_usd_micros_per_gpu_hour: int
    clearing_usd_micros_per_gpu_hour: int
    delivery_usd_micros_per_gpu_hour: int = 0  # of lots that are held into delivery
    efd_usd_micros_per_gpu_hour: int = 0  # of lots that are exchanged for delivery


_START: Final = date(2026, 1, 1)

FEE_ROWS: Final = (
    FeeRow(tier="standard", effective_from=_START, maker_usd_micros_per_gpu_hour=200,
           taker_usd_micros_per_gpu_hour=500, clearing_usd_micros_per_gpu_hour=100,
           delivery_usd_micros_per_gpu_hour=1_000, efd_usd_micros_per_gpu_hour=500),
    FeeRow(tier="active", effective_from=_START, volume_gpu_hours=1_000_000,
           maker_usd_micros_per_gpu_hour=100, taker_usd_micros_per_gpu_hour=400,
           clearing_usd_micros_per_gpu_hour=100, delivery_usd_micros_per_gpu_hour=1_000,
           efd_usd_micros_per_gpu_hour=500),
    FeeRow(tier="large", effective_from=_START, volume_gpu_hours=10_000_000,
           maker_usd_micros_per_gpu_hour=0, taker_usd_micros_per_gpu_hour=300,
           clearing_usd_micros_per_gpu_hour=50, delivery_usd_micros_per_gpu_hour=800,
           efd_usd_micros_per_gpu_hour=400),
)  # fmt: skip
VOLUME_DAYS: Final = 30


def _sound(row: FeeRow) -> bool:
    return 0 <= row.maker_usd_micros_per_gpu_hour <= row.taker_usd_micros_per_gpu_hour


assert all(map(_sound, FEE_ROWS)), "maker <= taker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """What a market maker promises each day in each contract it makes, and what it gets for it."""

    presence_bps: int  # of the minutes of the day with both sides quoted
    spread_bps: int  # at most, between the two
    quote_lots: int  # at least, on each side
    rebate_usd_micros_per_gpu_hour: int  # of what it traded as a maker


OBLIGATION: Final = Obligation(
    presence_bps=8_000, spread_bps=300, quote_lots=10, rebate_usd_micros_per_gpu_hour=100
)
assert all(
    OBLIGATION.rebate_usd_micros_per_gpu_hour <= row.taker_usd_micros_per_gpu_hour
    for row in FEE_ROWS
)


class Rates(NamedTuple):
    """What an account pays now, in micro-dollars per GPU-hour; nothing before it is told."""

    maker: int = 0
    taker: int = 0
    clearing: int = 0

    @property
    def word(self) -> int:
        """Return all three as the journal has them."""
        return self.maker | self.taker << FEE_RATE_BITS | self.clearing << (2 * FEE_RATE_BITS)

    @staticmethod
    def of_word(word: int) -> "Rates":
        """Return what `word` made."""
        return Rates(*(word >> (place * FEE_RATE_BITS) & FEE_RATE_MAX for place in range(3)))


NO_RATES: Final = Rates()


class Paid(NamedTuple):
    """What one fill costs one side."""

    trading_usd_micros: int = 0
    clearing_usd_micros: int = 0


NOTHING: Final = Paid()


class Pays(IntEnum):
    """As what a side of a trade pays."""

    NOTHING = 0  # moved by the clearing house or a cascade; or of a combination: its legs pay
    MAKER = 1
    TAKER = 2


def pays_as(*, block: int, in_auction: bool, is_maker: bool) -> Pays:
    """Return as what a side pays: at a call's price nobody took, of a block both did (FEES_108)."""
    if block in (MOVED, CASCADED, EXCHANGED):
        return Pays.NOTHING
    if block:
        return Pays.TAKER
    return Pays.MAKER if is_maker or in_auction else Pays.TAKER


def paid_for(rates: Rates, pays: Pays, qty_lots: int, tick_value_usd_micros: int) -> Paid:
    """Return what so many lots of a fill cost, rounded up: a lot is its tick value's GPU-hours."""
    if pays == Pays.NOTHING:
        return NOTHING
    worth = qty_lots * tick_value_usd_micros
    rate = rates.maker if pays == Pays.MAKER else rates.taker
    return Paid(-(-worth * rate // TICK_USD_MICROS), -(-worth * rates.clearing // TICK_USD_MICROS))


def fee_usd_micros(contract: Contract, trade: Trade, fee_rates: int, *, maker: bool) -> int:
    """Return what one side of a trade costs an account of these rates, all in all.

    Args:
        fee_rates: as FEES_SET says them.
    """
    if contract.legs:
        return 0  # the legs pay
    pays = pays_as(block=trade.block, in_auction=trade.in_auction, is_maker=maker)
    tick_value = contract.tick_value_usd_micros
    return sum(paid_for(Rates.of_word(fee_rates), pays, trade.qty_lots, tick_value))


def fee_row(tier: str, on: date) -> FeeRow:
    """Return the fees of a tier in force on a day.

    Errors:
        KeyError: the tier is unknown, or had no fees yet on that day.
    """
    rows = [row for row in FEE_ROWS if row.tier == tier and row.effective_from <= on]
    if not rows:
        raise KeyError(f"no fee tier {tier!r} on {on}")
    return max(rows, key=lambda row: row.effective_from)


def tier_of(volume_gpu_hours: int, on: date) -> FeeRow:
    """Return the row of who traded so much in the 30 days before a day: the best it reaches."""
    tiers = {row.tier for row in FEE_ROWS if row.effective_from <= on}
    rows = [fee_row(tier, on) for tier in tiers]
    reached = [row for row in rows if row.volume_gpu_hours <= volume_gpu_hours]
    return max(reached, key=lambda row: row.volume_gpu_hours)


def rates_of(row: FeeRow) -> Rates:
    """Return what an account of a tier pays."""
    return Rates(
        row.maker_usd_micros_per_gpu_hour,
        row.taker_usd_micros_per_gpu_hour,
        row.clearing_usd_micros_per_gpu_hour,
    )


def reserve_usd_micros_per_gpu_hour(row: FeeRow) -> int:
    """Return what margin sets aside for the fees of an order, the dearest way it can trade."""
    return row.taker_usd_micros_per_gpu_hour + row.clearing_usd_micros_per_gpu_hour


def efd_most_usd_micros_per_gpu_hour(on: date) -> int:
    """Return what an exchange for delivery costs a side in the dearest tier."""
    tiers = {row.tier for row in FEE_ROWS if row.effective_from <= on}
    return max((fee_row(tier, on).efd_usd_micros_per_gpu_hour for tier in tiers), default=0)


def rebate_rate(row: FeeRow, presence_bps: int) -> int:
    """Return the rebate of a maker that was present so much; nothing for less than promised."""
    if presence_bps < OBLIGATION.presence_bps:
        return 0
    # What a maker gets never exceeds what the taker at the other side pays at the best tier.
    return min(OBLIGATION.rebate_usd_micros_per_gpu_hour, row.taker_usd_micros_per_gpu_hour)
