"""The demo market: how its SIMULATED makers and takers quote. Nothing here is a real price.

Everybody quotes around a fair price that wanders about the reference price. All
numbers are whole, and chance is a number passed in and given back: the same seed
gives the same market.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from exchange.rules.contracts import Contract
from exchange.rules.money import BPS, div_half_even
from exchange.rules.tenors import Tenor
from matching.codes import Side
from matching.limits import PRICE_BITS_DEFAULT

_WORD: Final = (1 << 64) - 1
PRICE_TICKS_LAST: Final = (1 << PRICE_BITS_DEFAULT) - 1
PPM: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Rng:
    """A state of chance (splitmix64); drawing gives a number and the next state."""

    state: int

    def draw(self, low: int, high: int) -> tuple[int, "Rng"]:
        """Return a whole number in low..high, both included, and the next state."""
        assert low <= high
        state = (self.state + 0x9E3779B97F4A7C15) & _WORD
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _WORD
        return low + (mixed ^ (mixed >> 31)) % (high - low + 1), Rng(state)


@dataclass(frozen=True, slots=True, kw_only=True)
class MakerStyle:
    """How one simulated maker quotes.

    Attributes:
        half_spread_bps: from its fair price to its best quote, near delivery.
        step_bps: from one of its levels to the next.
        size_lots: about how much on each level, in a month contract.
        limit_lots: position at which it stops quoting one side.
        skew_bps: how far it moves its quotes at that position.
    """

    name: str
    half_spread_bps: int
    step_bps: int
    levels: int
    size_lots: int
    limit_lots: int
    skew_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakerStyle:
    """How one simulated taker trades: how often, how much, and when it goes home."""

    name: str
    chance_bps: int  # that it trades when asked
    size_lots: int
    limit_lots: int


MAKERS: Final = (
    MakerStyle(name="simulated-maker-1", half_spread_bps=20, step_bps=15, levels=3,
               size_lots=20, limit_lots=400, skew_bps=30),
    MakerStyle(name="simulated-maker-2", half_spread_bps=35, step_bps=25, levels=3,
               size_lots=40, limit_lots=800, skew_bps=40),
)  # fmt: skip
TAKERS: Final = (
    TakerStyle(name="simulated-taker-1", chance_bps=3_000, size_lots=8, limit_lots=150),
    TakerStyle(name="simulated-taker-2", chance_bps=1_000, size_lots=25, limit_lots=300),
)

# A long period is more lots' worth of hours in one lot, and fewer people trade it.
_SIZE_BPS: Final = {
    Tenor.DAY: 20_000,
    Tenor.BOM: 12_000,
    Tenor.WEEK: 15_000,
    Tenor.MONTH: 10_000,
    Tenor.QUARTER: 5_000,
    Tenor.CALENDAR: 2_500,
}
# Spreads widen with time to delivery: by this much each year.
_WIDEN_BPS_A_YEAR: Final = 4_000


@dataclass(frozen=True, slots=True)
class DemoQuote:
    """One order a simulated account wants in the market."""

    side: Side
    price_ticks: int
    qty_lots: int


@dataclass(frozen=True, slots=True)
class Walk:
    """How far the fair price of a series has wandered from its reference, in millionths."""

    offset_ppm: int = 0

    def step(self, rng: Rng, noise_ppm: int = 800) -> tuple["Walk", Rng]:
        """Return the next offset: a random step, and a pull of a 200th back to zero."""
        noise, rng = rng.draw(-noise_ppm, noise_ppm)
        return Walk(self.offset_ppm - div_half_even(self.offset_ppm, 200) + noise), rng

    def fair_ticks(self, reference_ticks: int) -> int:
        """Return the fair price of a contract of the series."""
        return _in_domain(div_half_even(reference_ticks * (PPM + self.offset_ppm), PPM))


def _in_domain(price_ticks: int) -> int:
    return min(max(1, price_ticks), PRICE_TICKS_LAST)


def half_spread_ticks(style: MakerStyle, contract: Contract, fair_ticks: int, on: date) -> int:
    """Return the distance of a maker's best quote from fair, at least one tick."""
    days = max(0, (contract.period.start - on).days)
    wider_bps = BPS + _WIDEN_BPS_A_YEAR * days // 365
    return max(1, fair_ticks * style.half_spread_bps * wider_bps // (BPS * BPS))


def maker_quotes(
    style: MakerStyle,
    contract: Contract,
    fair_ticks: int,
    position_lots: int,
    on: date,
    rng: Rng,
) -> tuple[list[DemoQuote], Rng]:
    """Return the quotes a simulated maker wants to have in the market now, best first.

    A maker that is long quotes lower, and stops buying at its limit.

    Args:
        fair_ticks: of `Walk.fair_ticks`.
        position_lots: what it holds, short is negative.
    """
    held_bps = min(max(position_lots * BPS // style.limit_lots, -BPS), BPS)
    centre = fair_ticks - div_half_even(fair_ticks * style.skew_bps * held_bps, BPS * BPS)
    half = half_spread_ticks(style, contract, fair_ticks, on)
    step = max(1, fair_ticks * style.step_bps // BPS)
    most = max(1, style.size_lots * _SIZE_BPS[contract.period.tenor] // BPS)
    quotes: list[DemoQuote] = []
    for level in range(style.levels):
        for side in (Side.BUY, Side.SELL):
            qty_lots, rng = rng.draw(max(1, most // 2), most)
            if position_lots * _sign(side) >= style.limit_lots:
                continue
            price_ticks = _in_domain(centre - _sign(side) * (half + level * step))
            quotes.append(DemoQuote(side, price_ticks, qty_lots))
    return _uncrossed(quotes), rng


def _sign(side: Side) -> int:
    return 1 if side == Side.BUY else -1


def _uncrossed(quotes: Sequence[DemoQuote]) -> list[DemoQuote]:
    """Leave out sells at or below the highest buy: near the lowest price levels fall together."""
    bids = [quote.price_ticks for quote in quotes if quote.side == Side.BUY]
    best = max(bids, default=0)
    return [quote for quote in quotes if quote.side == Side.BUY or quote.price_ticks > best]


def taker_order(
    style: TakerStyle,
    contract: Contract,
    bid_ticks: int,
    ask_ticks: int,
    position_lots: int,
    rng: Rng,
) -> tuple[DemoQuote | None, Rng]:
    """Return an order that takes the best price (to be sent as IOC), or None for not now.

    Sides are even at no position; at its limit a taker only goes back.

    Args:
        bid_ticks, ask_ticks: the best of the book, 0 for an empty side.
    """
    luck, rng = rng.draw(0, BPS - 1)
    coin, rng = rng.draw(-style.limit_lots, style.limit_lots - 1)
    most = max(1, style.size_lots * _SIZE_BPS[contract.period.tenor] // BPS)
    qty_lots, rng = rng.draw(1, most)
    side = Side.BUY if coin >= position_lots else Side.SELL
    price_ticks = ask_ticks if side == Side.BUY else bid_ticks
    if luck >= style.chance_bps or price_ticks == 0:
        return None, rng
    return DemoQuote(side, price_ticks, qty_lots), rng


def activity_bps(contract: Contract, on: date) -> int:
    """Return how often a contract is looked at in the demo: 10,000 at the front, less behind."""
    days = max(0, (contract.period.start - on).days)
    return BPS * 60 // (60 + days)
