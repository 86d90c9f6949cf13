"""Marks and daily settlement prices, in whole ticks.

A mark follows the market by the first rule that applies:

* the middle of best bid and best ask, when they are close;
* the last trade of the last half hour, no lower than the bid and no higher than the ask;
* the previous mark.

A settlement price is the volume-weighted price of the last half hour when enough
lots traded in it, else the middle of a close book, else the mark.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exchange.rules.money import BPS, div_half_even
from exchange.rules.tenors import NS_PER_SECOND

WINDOW_NS: Final = 30 * 60 * NS_PER_SECOND
VWAP_LOTS_MIN: Final = 10  # fewer lots than this say nothing about a price
TIGHT_BPS: Final = 100  # of the middle: bid and ask this close are a market
TIGHT_TICKS: Final = 2
MARK_MOVE_BPS: Final = 10  # smaller moves wait for the whole minute


class PriceRule(StrEnum):
    """How a mark or a settlement price was found."""

    VWAP = "vwap"
    MID = "mid"
    LAST_TRADE = "last_trade"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class Traded:
    """What traded in the window: lots, the sum of price times lots, and the last price."""

    lots: int
    tick_lots: int
    last_ticks: int


@dataclass(frozen=True, slots=True)
class Price:
    """A price and the rule that gave it."""

    ticks: int
    rule: PriceRule


def mid_ticks(bid_ticks: int, ask_ticks: int) -> int:
    """Return the middle of a close book (ties to the even tick), 0 when it is none."""
    if not 0 < bid_ticks < ask_ticks:
        return 0
    width_ticks = max(TIGHT_TICKS, (bid_ticks + ask_ticks) * TIGHT_BPS // (2 * BPS))
    return div_half_even(bid_ticks + ask_ticks, 2) if ask_ticks - bid_ticks <= width_ticks else 0


def mark_price(bid_ticks: int, ask_ticks: int, last_ticks: int, mark_ticks: int) -> Price:
    """Return what a contract is worth now.

    Args:
        bid_ticks, ask_ticks: the best of the book, 0 for an empty side.
        last_ticks: the last trade of the window, 0 for none.
        mark_ticks: the previous mark.
    """
    middle = mid_ticks(bid_ticks, ask_ticks)
    if middle:
        return Price(middle, PriceRule.MID)
    if last_ticks:
        ticks = max(last_ticks, bid_ticks)
        return Price(min(ticks, ask_ticks) if ask_ticks else ticks, PriceRule.LAST_TRADE)
    return Price(mark_ticks, PriceRule.MARK)


def settlement_price(bid_ticks: int, ask_ticks: int, traded: Traded, mark_ticks: int) -> Price:
    """Return the daily settlement price; arguments as in `mark_price`."""
    if traded.lots >= VWAP_LOTS_MIN:
        return Price(div_half_even(traded.tick_lots, traded.lots), PriceRule.VWAP)
    middle = mid_ticks(bid_ticks, ask_ticks)
    if middle:
        return Price(middle, PriceRule.MID)
    return Price(mark_ticks, PriceRule.MARK)


def is_worth_marking(old_ticks: int, new_ticks: int, *, whole_minute: bool) -> bool:
    """Return whether a mark should move now: at once when far, each minute when near."""
    if old_ticks == new_ticks:
        return False
    return whole_minute or abs(new_ticks - old_ticks) * BPS >= old_ticks * MARK_MOVE_BPS
