"""The rules of the demo market as the bots see them: texts in, texts out.

How they quote is `exchange/rules/demo.py`; what they trade comes from the catalogue.
The exchange is loaded inside the functions, so that `wellhead` stays light.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import NamedTuple

KIND = "simulated"  # what the registry calls such an account
EXAMPLE = "H100-USE-2027M03"  # of every page that shows a command


class Quote(NamedTuple):
    """One order somebody wants in the market."""

    side: str
    price: str
    quantity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One contract of the demo market."""

    symbol: str
    series: str
    reference_ticks: int
    activity_bps: int  # how often it is looked at


class Chance:
    """Chance with a seed: the same seed gives the same market."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def draw(self, low: int, high: int) -> int:
        """Return a whole number in low..high, both included."""
        from exchange.rules.demo import Rng

        value, state = Rng(self.seed).draw(low, high)
        self.seed = state.state
        return value


class Fair:
    """The fair prices everybody quotes around: references, and how far each series wandered."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._offsets_ppm: dict[str, int] = {}

    def step(self, series: str) -> None:
        """Let the fair price of a series wander a little."""
        from exchange.rules.demo import Rng, Walk

        walk, state = Walk(self._offsets_ppm.get(series, 0)).step(Rng(self._chance.seed))
        self._chance.seed = state.state
        self._offsets_ppm[series] = walk.offset_ppm

    def ticks(self, market: Market) -> int:
        """Return the fair price of a contract now."""
        from exchange.rules.demo import Walk

        return Walk(self._offsets_ppm.get(market.series, 0)).fair_ticks(market.reference_ticks)


def makers() -> list[str]:
    """Return the names of the simulated makers."""
    from exchange.rules.demo import MAKERS

    return [style.name for style in MAKERS]


def takers() -> list[str]:
    """Return the names of the simulated takers."""
    from exchange.rules.demo import TAKERS

    return [style.name for style in TAKERS]


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """Return the UTC date."""
    return now().date()


def markets(at: datetime) -> list[Market]:
    """Return the contracts that trade at a moment and have a reference price, most active first."""
    from exchange.io.price_data import load_price_data
    from exchange.rules.catalogue import LISTED_SERIES, listed_contracts
    from exchange.rules.demo import activity_bps
    from exchange.rules.reference import references

    on, at_ns = at.date(), int(at.timestamp()) * 1_000_000_000
    prices = references(load_price_data(), LISTED_SERIES, on)
    found = [
        Market(
            symbol=contract.symbol,
            series=contract.series.symbol,
            reference_ticks=reference.price_ticks,
            activity_bps=activity_bps(contract, on),
        )
        for contract in listed_contracts(on)
        if contract.last_trade_ns > at_ns  # a new exchange lists no day whose trading is over
        and (reference := prices.of(contract)) is not None
    ]
    return sorted(found, key=lambda market: (-market.activity_bps, market.symbol))


def example_first(found: list[Market]) -> list[Market]:
    """Return contracts with that of the examples in front, as long as it is listed."""
    return sorted(found, key=lambda market: market.symbol != EXAMPLE)


def maker_quotes(
    name: str, symbol: str, fair_ticks: int, position_lots: int, on: date, chance: Chance
) -> list[Quote]:
    """Return the quotes a simulated maker wants in the market now, best first."""
    from exchange.rules.contracts import parse_symbol
    from exchange.rules.demo import MAKERS, Rng, maker_quotes

    style = next(style for style in MAKERS if style.name == name)
    contract, rng = parse_symbol(symbol), Rng(chance.seed)
    quotes, state = maker_quotes(style, contract, fair_ticks, position_lots, on, rng)
    chance.seed = state.state
    return [_texts(quote.side, quote.price_ticks, quote.qty_lots) for quote in quotes]


def taker_order(
    name: str, symbol: str, bid: str | None, ask: str | None, position_lots: int, chance: Chance
) -> Quote | None:
    """Return an order that takes the best price, or None for not now."""
    from exchange.rules.contracts import parse_symbol
    from exchange.rules.demo import TAKERS, Rng, taker_order

    style = next(style for style in TAKERS if style.name == name)
    quote, state = taker_order(
        style, parse_symbol(symbol), _ticks(bid), _ticks(ask), position_lots, Rng(chance.seed)
    )
    chance.seed = state.state
    return _texts(quote.side, quote.price_ticks, quote.qty_lots) if quote else None


def _texts(side: Enum, price_ticks: int, qty_lots: int) -> Quote:
    from exchange.rules.money import price_text

    return Quote(side.name.lower(), price_text(price_ticks), str(qty_lots))


def _ticks(text: str | None) -> int:
    from exchange.rules.money import price_ticks_of

    return price_ticks_of(text) if text else 0
