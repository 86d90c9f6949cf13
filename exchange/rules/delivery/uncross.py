"""The price of a sealed call, by the rule of the exchange's call auctions (CALL_001 to CALL_004).

The price at which most trades; of several the one with the smallest surplus; of several the highest
where buyers are left over, the lowest where sellers are; of what is left the nearest to the
reference, and of two as near the lower one. Prices are whole steps and may be negative.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Limit(NamedTuple):
    """Somebody who trades at a price or a better one."""

    price: int
    quantity: int


class Uncrossed(NamedTuple):
    """What a call comes to."""

    price: int | None  # None: nothing would trade
    quantity: int
    surplus: int  # bought less sold at that price


NOTHING = Uncrossed(None, 0, 0)


def uncross(buys: Sequence[Limit], sells: Sequence[Limit], reference: int) -> Uncrossed:
    """Return the price of a call, what trades there, and who is left over."""
    limits = {one.price for one in (*buys, *sells)} | {reference}
    prices = sorted({price + step for price in limits for step in (-1, 0, 1)})  # all that differ
    tried = []
    for price in prices:
        bought = sum(one.quantity for one in buys if one.price >= price)
        sold = sum(one.quantity for one in sells if one.price <= price)
        tried.append(Uncrossed(price, min(bought, sold), bought - sold))
    most = max(one.quantity for one in tried)
    if most == 0:
        return NOTHING
    best = [one for one in tried if one.quantity == most]
    least = min(abs(one.surplus) for one in best)
    best = [one for one in best if abs(one.surplus) == least]
    buyers = [one for one in best if one.surplus > 0]
    sellers = [one for one in best if one.surplus < 0]
    left = [one for one in best if one.surplus == 0] + buyers[-1:] + sellers[:1]
    return min(left, key=lambda one: (abs((one.price or 0) - reference), one.price or 0))
