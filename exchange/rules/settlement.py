"""Marks and daily settlement prices, in whole ticks, and how far they may move.

A mark follows the market by the first rule that applies:

* the middle of the prices by which enough stands on each side, when they are close;
* the last trade of the last half hour, when enough lots traded in it, no lower than
  that bid and no higher than that ask;
* the previous mark.

A settlement price is the volume-weighted price of the last half hour when enough
lots traded in it, else the price of the closing call when it had one, no lower than that
bid and no higher than that ask, else the middle of a close book, else the mark.

Two accounts can make a thin book say anything. So neither price goes farther from the
last settlement price than the depth of the book allows, and a mark goes there in steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exchange.rules.money import BPS, div_half_even
from exchange.rules.tenors import NS_PER_SECOND

WINDOW_NS: Final = 30 * 60 * NS_PER_SECOND
TRADED_LOTS_MIN: Final = 10  # fewer lots than this say nothing about a price
TIGHT_BPS: Final = 150  # of the middle: bid and ask this close are a market
TIGHT_TICKS: Final = 2
MARK_MOVE_BPS: Final = 10  # smaller moves wait for the whole minute
STEP_BPS: Final = 10  # the most a mark moves at once, that is in a second


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLimit:
    """How far prices may go from the last settlement price, by what stands in the book.

    Attributes:
        depth_gpu_hours: on each side, with the two sides close to one another.
        day_bps: the farthest from the last settlement price; they are daily.
    """

    depth_gpu_hours: int
    day_bps: int


# The first row is also the depth below which a book says nothing, and the limit of trades
# without a book. What stands in a book may be hit by anybody: the more there is, the more
# it costs to say what is not so. Sizes are judgements: 3 and 33 lots of a 31-day month.
PRICE_LIMITS: Final = (
    PriceLimit(depth_gpu_hours=2_400, day_bps=300),
    PriceLimit(depth_gpu_hours=24_000, day_bps=2_000),
)


class PriceRule(StrEnum):
    """How a mark or a settlement price was found."""

    VWAP = "vwap"
    MID = "mid"
    LAST_TRADE = "last_trade"
    CLOSING = "closing"
    MARK = "mark"
    # Of a settlement alone, from other contracts: see settlement_run.py.
    SPREADS = "spreads"  # calendar spreads that traded, to months that have settled
    HUB = "hub"  # as the same period moved at another hub
    CURVE = "curve"  # as the month (quarter, year) before moved
    PART = "part"  # so that it and its siblings add up to the strip that they are of
    STRIP = "strip"  # the hour-weighted mean of its parts
    CORRECTION = "correction"  # said by two people, before it was final


@dataclass(frozen=True, slots=True)
class Traded:
    """What traded in the window: lots, the sum of price times lots, and the last price."""

    lots: int
    tick_lots: int
    last_ticks: int


@dataclass(frozen=True, slots=True)
class Quoted:
    """The prices by which some depth stands on each side, 0 for a side that has less."""

    bid_ticks: int
    ask_ticks: int


@dataclass(frozen=True, slots=True)
class Price:
    """A price and the rule that gave it."""

    ticks: int
    rule: PriceRule


def mid_ticks(quoted: Quoted) -> int:
    """Return the middle of a close book (ties to the even tick), 0 when it is none."""
    bid_ticks, ask_ticks = quoted.bid_ticks, quoted.ask_ticks
    if not 0 < bid_ticks < ask_ticks:
        return 0
    width_ticks = max(TIGHT_TICKS, (bid_ticks + ask_ticks) * TIGHT_BPS // (2 * BPS))
    return div_half_even(bid_ticks + ask_ticks, 2) if ask_ticks - bid_ticks <= width_ticks else 0


def mark_price(quoted: Quoted, traded: Traded, mark_ticks: int) -> Price:
    """Return what a contract is worth now, before limits.

    Args:
        quoted: at the depth of the first row of `PRICE_LIMITS`.
        traded: in the window that ends now.
        mark_ticks: the previous mark.
    """
    middle = mid_ticks(quoted)
    if middle:
        return Price(middle, PriceRule.MID)
    if traded.lots >= TRADED_LOTS_MIN:
        return Price(_between(quoted, traded.last_ticks), PriceRule.LAST_TRADE)
    return Price(mark_ticks, PriceRule.MARK)


def _between(quoted: Quoted, price_ticks: int) -> int:
    """Return a price held to the bid and ask of some depth."""
    ticks = max(price_ticks, quoted.bid_ticks)
    return min(ticks, quoted.ask_ticks) if quoted.ask_ticks else ticks


def settlement_price(
    quoted: Quoted, traded: Traded, mark_ticks: int, closing_ticks: int = 0
) -> Price:
    """Return the daily settlement price, before limits; arguments as in `mark_price`.

    Args:
        closing_ticks: the price of the closing call, 0 when there was none.
    """
    if traded.lots >= TRADED_LOTS_MIN:
        return Price(div_half_even(traded.tick_lots, traded.lots), PriceRule.VWAP)
    if closing_ticks:
        return Price(_between(quoted, closing_ticks), PriceRule.CLOSING)
    middle = mid_ticks(quoted)
    if middle:
        return Price(middle, PriceRule.MID)
    return Price(mark_ticks, PriceRule.MARK)


def day_limit_bps(quoted: Sequence[Quoted]) -> int:
    """Return how far prices may go from the last settlement price.

    Args:
        quoted: at the depth of each row of `PRICE_LIMITS`.
    """
    close = [
        limit.day_bps for limit, one in zip(PRICE_LIMITS, quoted, strict=True) if mid_ticks(one)
    ]
    return max(close, default=PRICE_LIMITS[0].day_bps)


def within_day_ticks(price_ticks: int, settle_ticks: int, mark_ticks: int, day_bps: int) -> int:
    """Return a price held to the day's limit, which never sends a mark back.

    Args:
        settle_ticks: the last settlement price.
        mark_ticks: the mark; when it is beyond the limit, from a deeper book, it is the limit.
    """
    width_ticks = max(1, settle_ticks * day_bps // BPS)
    low_ticks = min(settle_ticks - width_ticks, mark_ticks)
    high_ticks = max(settle_ticks + width_ticks, mark_ticks)
    return min(max(price_ticks, low_ticks, 1), high_ticks)


def step_ticks(mark_ticks: int, price_ticks: int) -> int:
    """Return the next mark on the way to a price: one step at most."""
    width_ticks = max(1, mark_ticks * STEP_BPS // BPS)
    return min(max(price_ticks, mark_ticks - width_ticks), mark_ticks + width_ticks)


def is_worth_marking(old_ticks: int, new_ticks: int, *, whole_minute: bool) -> bool:
    """Return whether a mark should move now: at once when far, each minute when near."""
    if old_ticks == new_ticks:
        return False
    return whole_minute or abs(new_ticks - old_ticks) * BPS >= old_ticks * MARK_MOVE_BPS
