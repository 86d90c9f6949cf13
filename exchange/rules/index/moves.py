"""Why a print moved: price, panel and what is held back; and how far it may move in a day."""

from typing import Final, NamedTuple

from exchange.rules.index.method import Method
from exchange.rules.index.panel import Panel, by_provider, middle
from exchange.rules.median import median
from exchange.rules.money import BPS, div_half_even
from exchange.rules.observations import Offer

PANEL: Final = "panel"
MINORITY: Final = "minority"


class Move(NamedTuple):
    """The parts of a print's move in micro-dollars; they add up to it exactly (INDX_010)."""

    matched: int = 0  # offers that stand on both days changed their prices
    entry: int = 0  # offers joined
    exit: int = 0  # offers left
    held: int = 0  # what the circuit breaker keeps back, or lets through of before
    fallback: int = 0  # another step, or the spread of the hub

    @property
    def total(self) -> int:
        """The whole move."""
        return sum(self)


class Change(NamedTuple):
    """What happened between two panels."""

    matched: int
    entry: int
    exit: int
    stayed_usd_micros: int  # the median of what stayed at its old prices
    by_majority: bool  # more than half of the providers that stayed moved the same way

    @property
    def total(self) -> int:
        """How far the median moved."""
        return self.matched + self.entry + self.exit


class Limited(NamedTuple):
    """Where a print goes on a day, and which limits held it back."""

    usd_micros: int
    limits: tuple[str, ...]


NO_CHANGE: Final = Change(0, 0, 0, 1, by_majority=False)


def change(old: Panel, new: Panel, method: Method) -> Change:
    """Compare what stands on both days with itself; the rest is the panel (INDX_010).

    The method runs four times: on the old panel, on its offers that stayed at their old prices, on
    the same at their new ones, and on the new panel. The three differences are exit, price and
    entry. Where nothing stayed, all of it is entry.
    """
    if old.inputs == new.inputs:
        return NO_CHANGE
    before, after = old.by_key, new.by_key
    stayed = [key for key in before if key in after]
    if not stayed:
        return Change(0, new.usd_micros - old.usd_micros, 0, 1, by_majority=False)
    then, now = [before[key] for key in stayed], [after[key] for key in stayed]
    at_old, at_new = middle(then, method).usd_micros, middle(now, method).usd_micros
    matched = at_new - at_old
    ways = _ways(by_provider(then), by_provider(now))
    same_way = sum(1 for way in ways if way * matched > 0)
    return Change(
        matched=matched,
        entry=new.usd_micros - at_new,
        exit=at_old - old.usd_micros,
        stayed_usd_micros=at_old,
        by_majority=len(ways) >= method.providers_min and 2 * same_way > len(ways),
    )


def _ways(then: dict[str, list[Offer]], now: dict[str, list[Offer]]) -> list[int]:
    """Return for each provider whether its own median rose (1), fell (-1) or stayed."""
    return [
        (new > old) - (new < old)
        for old, new in (
            (
                median(offer.price_usd_micros for offer in group),
                median(offer.price_usd_micros for offer in now[name]),
            )
            for name, group in then.items()
        )
    ]


def clamp(value: int, most: int) -> int:
    """Return the value within -most and +most."""
    return max(-most, min(most, value))


def limited(previous: int, target: int, found: Change, method: Method) -> Limited:
    """Return the print of a day, given the one before and the median of today (INDX_011).

    The return of the offers that stayed is made whole when a majority of providers made it. Any
    other one is limited, and so is what the panel's composition does; the rest waits for the next
    days.
    """
    limits = []
    free = priced = div_half_even(found.matched * previous, found.stayed_usd_micros)
    if not found.by_majority:
        free = clamp(priced, previous * method.minority_cap_bps // BPS)
        if free != priced:
            limits.append(MINORITY)
    rest = target - previous - free
    taken = clamp(rest, previous * method.panel_cap_bps // BPS)
    if taken != rest:
        limits.append(PANEL)
    return Limited(max(1, previous + free + taken), tuple(limits))
