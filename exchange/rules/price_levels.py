"""Marks of one contract at which an account's money reaches a level, all else as it is.

equity + lots x tick value x (price - mark) = level
"""

from typing import NamedTuple

from exchange.rules.money import div_ceil


class Levels(NamedTuple):
    """Ticks; a long position is beyond a level below its price, a short one above."""

    liquidation_ticks: int  # the maintenance margin
    bankruptcy_ticks: int  # nothing


def price_at_ticks(
    level_usd_micros: int, equity_usd_micros: int, mark_ticks: int, lots_tick_value: int
) -> int:
    """Return the first whole tick at which equity is no more than a level.

    Args:
        lots_tick_value: signed lots x the tick value of one; not zero.
    """
    missing = level_usd_micros - equity_usd_micros
    if lots_tick_value > 0:
        return mark_ticks + missing // lots_tick_value
    return mark_ticks + div_ceil(-missing, -lots_tick_value)


def levels_of(maintenance: int, equity: int, mark_ticks: int, lots_tick_value: int) -> Levels:
    """Return where an account's money reaches its maintenance margin, and zero."""
    return Levels(
        *(price_at_ticks(level, equity, mark_ticks, lots_tick_value) for level in (maintenance, 0))
    )
