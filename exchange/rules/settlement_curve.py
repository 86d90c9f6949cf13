"""Settlement prices of months that trade less: from spreads, or from what is left to go by.

A month whose own trades say little settles by the calendar spreads to months that have
settled: each spread proposes near price minus spread, and counts with its volume divided by
the months it spans. Without spreads it takes the last trade, else the price before moved as
the preceding month moved, and neither goes beyond the best bid and offer.
"""

from collections.abc import Iterable
from typing import NamedTuple

from exchange.rules.money import div_half_even


class SpreadTraded(NamedTuple):
    """A calendar spread that traded in the window."""

    near_ticks: int  # the settlement price of the near month
    spread_ticks: int  # near minus far
    volume_lots: int
    months: int  # it spans


def from_spreads_ticks(spreads: Iterable[SpreadTraded]) -> int | None:
    """Return the far month's price, to the nearest tick; None where no spread traded."""
    traded = [spread for spread in spreads if spread.volume_lots > 0]
    span = 1
    for spread in traded:
        span *= spread.months
    weights = [spread.volume_lots * (span // spread.months) for spread in traded]
    if not weights:
        return None
    prices = [spread.near_ticks - spread.spread_ticks for spread in traded]
    total = sum(weight * price for weight, price in zip(weights, prices, strict=True))
    return div_half_even(total, sum(weights))


def from_what_is_left_ticks(
    *,
    last_ticks: int | None,
    prior_ticks: int | None,
    preceding_change_ticks: int,
    bid_ticks: int | None,
    ask_ticks: int | None,
) -> int | None:
    """Return a price without spreads and without enough trades; None where nothing is known.

    Args:
        last_ticks: the last trade.
        prior_ticks: the settlement price before.
        preceding_change_ticks: how the month before this one settled against its own before.
    """
    price = last_ticks
    if price is None and prior_ticks is not None:
        price = prior_ticks + preceding_change_ticks
    if price is None:
        return None
    price = max(price, bid_ticks) if bid_ticks is not None else price
    return min(price, ask_ticks) if ask_ticks is not None else price
