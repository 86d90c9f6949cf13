"""Fees, as the exchange says them."""

from decimal import Decimal

from wellhead.types import Answer


class FeeRow(Answer, frozen=True, kw_only=True):
    """A tier's fees in USD per GPU-hour, from a day on."""

    tier: str
    effective_from: str
    volume_gpu_hours: Decimal
    maker: Decimal
    taker: Decimal
    clearing: Decimal
    delivery: Decimal
    exchange_for_delivery: Decimal = Decimal(0)


class Rates(Answer, frozen=True, kw_only=True):
    """What a GPU-hour of a fill costs now, in USD."""

    maker: Decimal
    taker: Decimal
    clearing: Decimal


class Charged(Answer, frozen=True, kw_only=True):
    """What was ever charged; a rebate is below zero."""

    trading_fee: Decimal
    clearing_fee: Decimal
    delivery_fee: Decimal
    rebate: Decimal


class MakerDay(Answer, frozen=True, kw_only=True):
    """A market maker's minutes in a contract on a day, and what they were paid."""

    date: str
    symbol: str
    minutes_present: int
    minutes_open: int
    maker_gpu_hours: Decimal | None = None
    rebate: Decimal | None = None


class OwnFees(Answer, frozen=True, kw_only=True):
    """What the account pays, and why."""

    tier: str
    rates: Rates
    volume_gpu_hours: Decimal
    charged: Charged
    maker_today: list[MakerDay]
    maker_days: list[MakerDay]
