"""What answers say of fees."""

from api.shapes import Answer, Part


class FeeRow(Part):
    """A tier's fees in USD per GPU-hour, from a day on."""

    tier: str
    effective_from: str
    volume_gpu_hours: str
    maker: str
    taker: str
    clearing: str
    delivery: str
    exchange_for_delivery: str


class Obligation(Part):
    """What a market maker promises for its rebate, in USD per GPU-hour it made."""

    presence_bps: int
    spread_bps: int
    quantity: str
    rebate: str


class FeesAnswer(Answer):
    """The schedule."""

    fees: list[FeeRow]
    market_maker: Obligation


class OwnRates(Part):
    """What a GPU-hour of a fill costs now."""

    currency: str
    per: str
    maker: str
    taker: str
    clearing: str


class Charged(Part):
    """What was ever charged; a rebate is below zero."""

    trading_fee: str
    clearing_fee: str
    delivery_fee: str
    rebate: str


class Presence(Part):
    """How long a market maker kept its promise in a contract."""

    date: str
    symbol: str
    minutes_present: int
    minutes_open: int


class MakerDay(Presence):
    """A closed day of a market maker, and what it was paid."""

    maker_gpu_hours: str
    rebate: str


class OwnFeesAnswer(Answer):
    """What the account pays, and why."""

    tier: str
    rates: OwnRates
    volume_gpu_hours: str
    charged: Charged
    maker_today: list[Presence]
    maker_days: list[MakerDay]
