"""What a bill is made of, who is in which tier, and which maker was present.

All from rows: fills that clearing priced, GPU-hours traded, minutes in which an account quoted.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from exchange.rules.fees import (
    NO_RATES,
    OBLIGATION,
    Rates,
    fee_row,
    rates_of,
    rebate_rate,
    tier_of,
)
from exchange.rules.money import BPS
from exchange.rules.records import Order
from matching.codes import Charge, Side

NS_PER_DAY: Final = 86_400_000_000_000
NS_PER_MINUTE: Final = 60_000_000_000
STANDARD: Final = "standard"
HOUSE: Final = "house"
MAKER: Final = "market_maker"  # the kind of account that has made the promise
EXEMPT: Final = frozenset({HOUSE, "operator"})  # the exchange does not pay itself
EPOCH: Final = date(1970, 1, 1)


class Billed(NamedTuple):
    """What one account traded in one contract on one day, and owes for it."""

    day: int
    account_idx: int
    contract_idx: int
    gpu_hours: int
    made: int  # of them as a maker, in the book
    trading_usd_micros: int
    clearing_usd_micros: int


class MakerDay(NamedTuple):
    """One market maker, one contract, one day."""

    account_idx: int
    contract_idx: int
    minutes_present: int
    minutes_open: int
    maker_gpu_hours: int

    @property
    def presence_bps(self) -> int:
        """Return the part of the open minutes in which it was present, rounded down."""
        return self.minutes_present * BPS // self.minutes_open if self.minutes_open else 0


class Held(NamedTuple):
    """Lots that one account held when delivery of a contract began."""

    contract_idx: int
    account_idx: int
    seq: int  # of the command that it began with
    lots: int
    lot_gpu_hours: int
    kind: str  # of the account
    tier: str
    day: int


class Exchanged(NamedTuple):
    """Lots that one side of a leg of an exchange for delivery gave or took."""

    seq: int  # of the command that moved them
    contract_idx: int
    account_idx: int
    lots: int  # signed: given away below zero if they were long
    lot_gpu_hours: int
    kind: str  # of the account
    tier: str
    day: int


class EfdFee(NamedTuple):
    """What it owes for them, with the figures it was reached from."""

    seq: int
    account_idx: int
    contract_idx: int
    lots: int
    gpu_hours: int
    usd_micros_per_gpu_hour: int
    amount_usd_micros: int


class DeliveryFee(NamedTuple):
    """What they owe, with the figures it was reached from."""

    contract_idx: int
    account_idx: int
    seq: int
    lots: int
    gpu_hours: int
    usd_micros_per_gpu_hour: int
    amount_usd_micros: int


def day_of(ts_ns: int) -> int:
    """Return the day of a time, counted from 1970, UTC."""
    return ts_ns // NS_PER_DAY


def date_of(day: int) -> date:
    """Return a day's date."""
    return EPOCH + timedelta(day)


def today(ts_ns: int) -> date:
    """Return the date of a time."""
    return datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC).date()


def charges_of(billed: Iterable[Billed]) -> list[tuple[int, int, int]]:
    """Return account, kind and amount of each charge, trading before clearing."""
    owed: dict[tuple[int, int], int] = {}
    for one in billed:
        for kind, amount in (
            (Charge.TRADING_FEE, one.trading_usd_micros),
            (Charge.CLEARING_FEE, one.clearing_usd_micros),
        ):
            key = (one.account_idx, int(kind))
            owed[key] = owed.get(key, 0) + amount
    return [(*key, amount) for key, amount in sorted(owed.items()) if amount]


def delivery_fee_of(held: Held) -> DeliveryFee:
    """Return what lots owe that are held when delivery begins (FEES_106, FEES_109)."""
    gpu_hours = abs(held.lots) * held.lot_gpu_hours
    row = fee_row(held.tier, date_of(held.day))
    rate = 0 if held.kind in EXEMPT else row.delivery_usd_micros_per_gpu_hour
    return DeliveryFee(
        held.contract_idx, held.account_idx, held.seq, held.lots, gpu_hours, rate, gpu_hours * rate
    )


def efd_fee_of(one: Exchanged) -> EfdFee:
    """Return what lots owe that were exchanged for delivery (FEES_110, FEES_109)."""
    gpu_hours = abs(one.lots) * one.lot_gpu_hours
    row = fee_row(one.tier, date_of(one.day))
    rate = 0 if one.kind in EXEMPT else row.efd_usd_micros_per_gpu_hour
    return EfdFee(
        one.seq, one.account_idx, one.contract_idx, one.lots, gpu_hours, rate, gpu_hours * rate
    )


def tiers_of(volumes: Mapping[int, int], on: date) -> list[tuple[int, int, str]]:
    """Return account, GPU-hours and tier of everybody who traded (FEES_101)."""
    return [(idx, volume, tier_of(volume, on).tier) for idx, volume in sorted(volumes.items())]


def rates_for(kind: str | None, tier: str, on: date) -> Rates:
    """Return what an account of a kind in a tier pays on a day; the exchange itself nothing."""
    return NO_RATES if kind in EXEMPT else rates_of(fee_row(tier, on))


def rebate_usd_micros(day: MakerDay, on: date) -> int:
    """Return what a maker is paid for a day in a contract (FEES_104), 0 if it was not present."""
    best = tier_of(1 << 60, on)
    return day.maker_gpu_hours * rebate_rate(best, day.presence_bps)


def quotes_enough(orders: Iterable[Order], shift_ticks: int = 0) -> bool:
    """Say whether an account's orders of one contract keep the promise: both sides, near, large.

    Of each side the price counts at which the promised lots are in sight; `shift_ticks` is what
    a price in the book stands above the price it shows.
    """
    prices = {Side.BUY: _price_of(orders, Side.BUY), Side.SELL: _price_of(orders, Side.SELL)}
    bid, ask = prices[Side.BUY], prices[Side.SELL]
    if bid is None or ask is None:
        return False
    # (ask - bid) / mean <= spread, without a fraction
    return 2 * BPS * (ask - bid) <= OBLIGATION.spread_bps * (bid + ask - 2 * shift_ticks)


def _price_of(orders: Iterable[Order], side: Side) -> int | None:
    """Return the price of a side at which the promised lots are in sight, None for fewer."""
    sign = -1 if side == Side.BUY else 1
    lots = 0
    own = [(sign * order.price_ticks, order.visible_lots) for order in orders if order.side == side]
    for key, visible_lots in sorted(own):
        lots += visible_lots
        if lots >= OBLIGATION.quote_lots:
            return sign * key
    return None
