"""Reference prices: the level of a series today, carried along its forward curve."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from exchange.rules.contracts import Contract, Series
from exchange.rules.curves import Curve, curves, factor
from exchange.rules.levels import Level, levels
from exchange.rules.money import DECIMAL, round_half_even
from exchange.rules.quotes import PriceData
from exchange.rules.tenors import Period
from matching.limits import PRICE_BITS_DEFAULT

PRICE_TICKS_LAST = (1 << PRICE_BITS_DEFAULT) - 1


@dataclass(frozen=True, slots=True)
class Reference:
    """A contract's reference price, and everything it follows from."""

    price_ticks: int
    level: Level
    curve: Curve


@dataclass(frozen=True, slots=True)
class References:
    """The reference prices of one day: a function of the price data and the day alone."""

    on: date
    levels: Mapping[Series, Level]
    curves: Mapping[str, Curve]

    def of_series(self, series: Series, period: Period) -> Reference | None:
        """Return the reference price of a period, or None when the series has no data."""
        level = self.levels.get(series)
        if level is None:
            return None
        curve = self.curves[series.sku.symbol]
        price_usd_micros = DECIMAL.multiply(factor(curve, period, self.on), level.usd_micros)
        price_ticks = round_half_even(DECIMAL.divide(price_usd_micros, series.sku.tick_usd_micros))
        return Reference(min(max(1, price_ticks), PRICE_TICKS_LAST), level, curve)

    def of(self, contract: Contract) -> Reference | None:
        """Return the contract's reference price, or None when its series has no data."""
        return self.of_series(contract.series, contract.period)


def references(data: PriceData, series: Iterable[Series], on: date) -> References:
    """Return the reference prices of a day.

    Nothing quoted after `on` is looked at. When `on` is later than the data, they are
    as of the data's last day: `Level.as_of` says which.

    Errors:
        ValueError: the data do not reach back to `on`.
    """
    as_of = min(on, data.last_day)
    return References(on, levels(data.offers, series, as_of), curves(data.reserved, as_of))
