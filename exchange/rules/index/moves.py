"""Why a print moved: price, panel and what is held back; and how far it may move in a day."""

from typing import Final, NamedTuple

from exchange.rules.index.method import Method
from exchange.rules.index.panel import Panel, by_provider, middle
from exchange.rules.median import median
from exchange.rules.money import BPS, div_half_even
from exchange.rules.observations import Offer

PANEL: Final = "panel"
MINORITY: Final = "minority"
PPM: Final = 1_000_000


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
    backed_ppm: int  # so far, at least, more than half of the providers that stayed moved too

    @property
    def total(self) -> int:
        """How far the median moved."""
        return self.matched + self.entry + self.exit


class Limited(NamedTuple):
    """Where a print goes on a day, and which limits held it back."""

    usd_micros: int
    limits: tuple[str, ...]


NO_CHANGE: Final = Change(0, 0, 0, 1, 0)


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
        return Change(0, new.usd_micros - old.usd_micros, 0, 1, 0)
    then, now = [before[key] for key in stayed], [after[key] for key in stayed]
    at_old, at_new = middle(then, method).usd_micros, middle(now, method).usd_micros
    matched = at_new - at_old
    return Change(
        matched=matched,
        entry=new.usd_micros - at_new,
        exit=at_old - old.usd_micros,
        stayed_usd_micros=at_old,
        backed_ppm=_backed_ppm(by_provider(then), by_provider(now), matched, method),
    )


def _backed_ppm(
    then: dict[str, list[Offer]], now: dict[str, list[Offer]], matched: int, method: Method
) -> int:
    """Return how far more than half of the providers moved the way the median did, 0 if not.

    Each provider by its own median. Where half of them creep and the others run, it is the creep.
    """
    if len(then) < method.providers_min:
        return 0
    sign = 1 if matched > 0 else -1
    moves = []
    for name, group in then.items():
        old = median(offer.price_usd_micros for offer in group)
        new = median(offer.price_usd_micros for offer in now[name])
        moves.append(sign * (new - old) * PPM // old)
    return max(0, sorted(moves, reverse=True)[len(moves) // 2])


def clamp(value: int, most: int) -> int:
    """Return the value within -most and +most."""
    return max(-most, min(most, value))


def limited(previous: int, target: int, found: Change, method: Method) -> Limited:
    """Return the print of a day, given the one before and the median of today (INDX_011).

    The return of the offers that stayed is made as far as a majority of providers made it, and a
    little farther. What the panel's composition does is limited too; the rest waits for the next
    days.
    """
    limits = []
    priced = div_half_even(found.matched * previous, found.stayed_usd_micros)
    backed = previous * found.backed_ppm // PPM
    free = clamp(priced, backed + previous * method.minority_cap_bps // BPS)
    if free != priced:
        limits.append(MINORITY)
    rest = target - previous - free
    taken = clamp(rest, previous * method.panel_cap_bps // BPS)
    if taken != rest:
        limits.append(PANEL)
    return Limited(max(1, previous + free + taken), tuple(limits))
